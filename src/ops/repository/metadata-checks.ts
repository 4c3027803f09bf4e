/** The checks of one repository's chain of metadata, from its pinned root to Targets, in a list of checks. */
import { formatInstant } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { refusalOf } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';

/** The ids of the three checks of a chain. */
export interface ChainIds<Id extends string> {
  readonly metadata: Id;
  readonly expiry: Id;
  readonly hybrid: Id;
}

/** The verified top-level files. */
export function filesOf(set: TrustedSet) {
  return [set.root, set.timestamp, set.snapshot, set.targets.get('targets')?.file].flatMap((file) =>
    file === undefined ? [] : [file.verified.signed],
  );
}

/** Records that a chain is good. */
export function passChain<Id extends string>(book: CheckBook<Id>, ids: ChainIds<Id>, set: TrustedSet): void {
  const files = filesOf(set);
  book.pass(ids.metadata, files.map(({ role, version }) => `${role} ${version}`).join(', '));
  const first = files.reduce((a, b) => (b.expires < a.expires ? b : a), set.root.verified.signed);
  const until = `${first.role} is the first to expire, ${formatInstant(first.expires)}`;
  book.pass(ids.expiry, `${until}; now is ${formatInstant(set.terms.now satisfies Instant)}`);
  book.pass(ids.hybrid, set.terms.requireHybrid ? 'demanded and met by all roles' : 'not demanded by the root');
}

/** Works on a chain; a refusal is the outcome of the check that it belongs to. */
export async function attemptChain<Id extends string, T>(
  book: CheckBook<Id>,
  ids: ChainIds<Id>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    book.fail(ids[failedCheck(refusal)], refusal);
    return undefined;
  }
}

function failedCheck({ code }: SecureevError): keyof ChainIds<string> {
  if (code === 'TRUST_EXPIRED') return 'expiry';
  return code === 'TRUST_HYBRID_THRESHOLD' || code === 'TRUST_HYBRID_MISSING' ? 'hybrid' : 'metadata';
}
