/** Which roles need a next version, and why. */

/** Why a role needs a next version. */
export type Reason =
  /** There is no complete version yet. */
  | 'first'
  /** Items are staged. */
  | 'staged'
  /** What Snapshot or Timestamp lists has a newer version. */
  | 'listed'
  /** The root of trust no longer accepts the signatures of the last complete version. */
  | 'keys'
  /** It expires soon. */
  | 'due';

/** What is known of a role when the question is asked. */
export interface RoleSituation {
  readonly hasComplete: boolean;
  readonly hasStaged: boolean;
  /** For Snapshot and Timestamp: whether the last complete one lists what it would list now. */
  readonly listsCurrent: boolean;
  /** Whether the last complete version meets the thresholds of the root in force. */
  readonly meetsThresholds: boolean;
  readonly due: boolean;
}

/** What a command is willing to make versions for. */
export type Purpose = 'sign' | 'renew';

/** Why the role needs a next version; empty where it needs none. A renewal neither begins a role nor takes staged items. */
export function reasonsFor(situation: RoleSituation, purpose: Purpose): readonly Reason[] {
  if (!situation.hasComplete) return purpose === 'sign' ? ['first'] : [];
  const reasons: Reason[] = [];
  if (situation.hasStaged && purpose === 'sign') reasons.push('staged');
  if (!situation.listsCurrent) reasons.push('listed');
  if (!situation.meetsThresholds) reasons.push('keys');
  if (situation.due && purpose === 'renew') reasons.push('due');
  return reasons;
}

/** The version after `last`. */
export function versionAfter(last: number): number {
  return last + 1;
}

/**
 * The order in which roles are signed: whoever gives a role its keys, and what a role lists, come before it. `depthOf`
 * says how many delegations lead to a role.
 */
export function signingOrder<T extends { readonly name: string }>(
  roles: readonly T[],
  depthOf: (name: string) => number = () => 1,
): readonly T[] {
  const rank = (name: string): number => RANKS.get(name) ?? 1 + depthOf(name);
  return [...roles].sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** Root first, Targets, delegated roles from the top, Snapshot and Timestamp last. */
const RANKS: ReadonlyMap<string, number> = new Map([
  ['root', 0],
  ['targets', 1],
  ['snapshot', Number.MAX_SAFE_INTEGER - 1],
  ['timestamp', Number.MAX_SAFE_INTEGER],
]);

/** Whether Snapshot would list the same files in the same versions. */
export function sameListing(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, version]) => b.get(name) === version);
}
