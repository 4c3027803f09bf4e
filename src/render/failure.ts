/** How failures and results read, to a person and as the one JSON document of `--json`. */
import { SecureevError } from '../core/errors.ts';
import { printable, printableJson, printableLine } from './text.ts';

/** The `--json` document of success. */
export function successDocument(command: string, result: Readonly<Record<string, unknown>>): string {
  return printableJson({ ok: true, command, result });
}

/** The `--json` document of a failure; `result` where there is something to show in spite of it. */
export function failureDocument(
  command: string,
  error: SecureevError,
  result?: Readonly<Record<string, unknown>>,
): string {
  const { code, message, hint = null, details } = error;
  return printableJson({ ok: false, command, error: { code, message, hint, details }, ...(result && { result }) });
}

/** A failure's lines on standard error. */
export function failureText(error: SecureevError): string {
  const first = `secureev: error [${error.code}]: ${printableLine(error.message)}`;
  return error.hint === undefined ? first : `${first}\nhint: ${printable(error.hint)}`;
}

/**
 * What is told of an error that nobody foresaw. Its message may hold anything, a secret too, so it is not shown: only
 * the error's class and where in our code it arose.
 */
export function bugFailure(thrown: unknown): SecureevError {
  const kind = kindOf(thrown);
  const places = thrown instanceof Error ? ourPlaces(thrown.stack ?? '') : [];
  return new SecureevError('INTERNAL', {
    message: `a bug in secureev: unexpected ${kind}${places[0] === undefined ? '' : ` at ${places[0]}`}`,
    hint: 'please report it with this message and the command you called; nothing of it holds your data',
    details: { kind, places },
    cause: thrown,
  });
}

const PLACES_MAX = 5;

/** `TypeError`, or with the runtime's own code `Error ERR_MODULE_NOT_FOUND`. */
function kindOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown;
  const code: unknown = 'code' in thrown ? thrown.code : undefined;
  const named = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code);
  return named ? `${thrown.constructor.name} ${code}` : thrown.constructor.name;
}

function ourPlaces(stack: string): readonly string[] {
  const frames = stack.matchAll(/\/(?:dist|src)\/([\w./-]+\.[jt]sx?:\d+)/g);
  return Array.from(frames, (match) => match[1] ?? '').slice(0, PLACES_MAX);
}
