/**
 * The one error type of the program and the one table from error code to exit status.
 *
 * Invariants: every failure that a user can cause has a code here; a message says what failed and where,
 * in lower case, without a full stop, and never holds a secret.
 */
import { CONTENT_CODES } from './codes-of-content.ts';
import { OPERATION_CODES } from './codes-of-operations.ts';
import { EXIT } from './exit-status.ts';
import type { ExitKind } from './exit-status.ts';

export { EXIT };
export type { ExitKind };

/** An error code: one of the tables in `codes-of-*.ts`. */
export type ErrorCode = keyof typeof CONTENT_CODES | keyof typeof OPERATION_CODES;

/** Whether `text` is an error code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(CONTENT_CODES, text) || Object.hasOwn(OPERATION_CODES, text);
}

/** What kind of failure a code is. The two tables stay two: joining them at each start would take a millisecond. */
export function kindOf(code: ErrorCode): ExitKind {
  return isContentCode(code) ? CONTENT_CODES[code] : OPERATION_CODES[code];
}

function isContentCode(code: ErrorCode): code is keyof typeof CONTENT_CODES {
  return Object.hasOwn(CONTENT_CODES, code);
}

/** What an error is made of, beside its code. */
export interface ErrorParts {
  /** What failed and where: lower case, no full stop, no secret. */
  readonly message: string;
  /** What the user can do about it. */
  readonly hint?: string | undefined;
  /** Facts for machines: path, byte offset, JSON path, expected, found. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/** A failure with a code that pipelines can act on. */
export class SecureevError extends Error {
  override readonly name = 'SecureevError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(withoutPins(parts.message), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.hint = parts.hint === undefined ? undefined : withoutPins(parts.hint);
    const details = Object.entries(parts.details ?? {});
    this.details = Object.fromEntries(details.map(([name, value]) => [name, withoutPinsIn(value)]));
  }

  /** The exit status of this failure. */
  get exitStatus(): number {
    return EXIT[kindOf(this.code)];
  }
}

const PIN_VALUE = /(pin-value\s*=)[^;&?"'\s]*/gi;

/** A PIN that somebody wrote into an address, where it does not belong, is not said again. @see RFC 7512 section 4 */
export function withoutPins(text: string): string {
  return text.replace(PIN_VALUE, '$1***');
}

function withoutPinsIn(value: unknown): unknown {
  if (typeof value === 'string') return withoutPins(value);
  return Array.isArray(value) ? value.map(withoutPinsIn) : value;
}

/** Makes the error `code` with `message`; for the many places that have no hint or cause. */
export function failure(code: ErrorCode, message: string, details?: Readonly<Record<string, unknown>>): SecureevError {
  return new SecureevError(code, { message, details });
}

/** Whether `thrown` is a {@link SecureevError}, of `code` where one is given. */
export function isFailure(thrown: unknown, code?: ErrorCode): thrown is SecureevError {
  return thrown instanceof SecureevError && (code === undefined || thrown.code === code);
}
