/**
 * A list of named checks while it is being made.
 *
 * Invariant: every check of the list has exactly one outcome; one that was not reached is skipped and says why. A failure
 * that is not about the input (a file that cannot be read, an interruption, a bug of ours) is no check: it is thrown.
 */
import { quote } from '../../core/brands.ts';
import { isErrorCode, isFailure, kindOf, SecureevError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { Check } from '../../core/report.ts';

/** Takes outcomes; the first one that is not a pass stays. */
export interface CheckBook<Id extends string> {
  pass(id: Id, detail: string): void;
  fail(id: Id, error: SecureevError): void;
  skip(id: Id, reason: string): void;
  /** Whether the check has passed so far. */
  passed(id: Id): boolean;
  /** All checks; those without an outcome are skipped, because of the first that failed. */
  list(): readonly Check[];
}

/** Starts a list of the checks in `titles`: ids and what they mean, in their order. */
export function checkBook<Id extends string>(titles: Readonly<Record<string, string>>): CheckBook<Id> {
  const found = new Map<string, Check>();
  const record = (id: Id, outcome: Pick<Check, 'status' | 'detail' | 'code'>): void => {
    const known = found.get(id)?.status ?? 'pass';
    if (known === 'pass') found.set(id, { id, title: titles[id] ?? id, ...outcome });
  };
  const list = (): readonly Check[] => {
    const failed = [...found.values()].find(({ status }) => status === 'fail');
    const detail = failed === undefined ? 'not reached' : `not reached: ${failed.id} failed`;
    return Object.entries(titles).map(([id, title]) => found.get(id) ?? { id, title, status: 'skip', detail });
  };
  return {
    list,
    pass: (id, detail) => record(id, { status: 'pass', detail }),
    skip: (id, reason) => record(id, { status: 'skip', detail: reason }),
    fail: (id, { message, code }) => record(id, { status: 'fail', detail: message, code }),
    passed: (id) => found.get(id)?.status === 'pass',
  };
}

/** The refusal that `thrown` is; what is none is thrown on. */
export function refusalOf(thrown: unknown): SecureevError {
  if (isFailure(thrown) && ['refused', 'malformed'].includes(kindOf(thrown.code))) return thrown;
  throw thrown;
}

/**
 * Why a list of checks as a whole is refused; undefined where every check passed or was allowed to be skipped.
 *
 * @throws USAGE where a check that may be skipped is none of the list
 */
export function refusalFrom(checks: readonly Check[], allowSkip: readonly string[]): SecureevError | undefined {
  requireKnown(checks, allowSkip);
  const failed = checks.filter(({ status }) => status === 'fail');
  const skipped = checks.filter(({ id, status }) => status === 'skip' && !allowSkip.includes(id));
  const [first] = failed;
  if (first !== undefined) {
    const message = `${first.id}: ${first.detail}`;
    return new SecureevError(codeOf(first), { message, details: { failed: failed.map(({ id }) => id) } });
  }
  if (skipped.length === 0) return undefined;
  const ids = skipped.map(({ id }) => id);
  return new SecureevError('CHECK_SKIPPED', {
    message: `checks were skipped: ${ids.join(', ')}`,
    hint: `give what they need, or accept it: ${ids.map((id) => `--allow-skip ${id}`).join(' ')}`,
    details: { skipped: ids },
  });
}

/** A misspelt id would leave a check skipped that somebody wanted, or seem to allow what it does not. */
function requireKnown(checks: readonly Check[], allowSkip: readonly string[]): void {
  const ids = checks.map(({ id }) => id);
  const unknown = allowSkip.find((id) => !ids.includes(id));
  if (unknown === undefined) return;
  throw new SecureevError('USAGE', {
    message: `--allow-skip ${quote(unknown).slice(1, -1)}: there is no such check`,
    hint: `the checks are ${ids.join(', ')}`,
    details: { checks: ids },
  });
}

function codeOf({ code }: Check): ErrorCode {
  return code !== undefined && isErrorCode(code) ? code : 'CHECK_FAILED';
}

const SHOWN_MAX = 3;

/** The first few, and how many more there are. */
export function shortList(texts: readonly string[]): string {
  const more = texts.length > SHOWN_MAX ? [`and ${texts.length - SHOWN_MAX} more`] : [];
  return [...texts.slice(0, SHOWN_MAX), ...more].join('; ');
}
