/**
 * The search for a target: Targets first, then its delegations in order, each with its own before the next (pre-order).
 *
 * Rules: each role is visited once, and at most so many, so deep; a delegation is followed only where its paths, and its
 * hardware ids where it has some, are for the target, so a target is allowed along its whole chain; what a role lists
 * outside the hardware ids of its chain is passed over; after a terminating delegation, or a bin, nothing else is
 * looked at; several roles must agree on length and hashes (TAP 3). Each delegated role is listed by Snapshot, signed
 * by the keys of the delegator in question, of the listed version and unexpired, whether fetched, stored or met before.
 *
 * @see TUF 1.0.34 section 5.6.7; Uptane 2.1.0 section 5.4.4.7; TAP 3, TAP 15
 */
import type { TargetName } from '../core/brands.ts';
import type { Verified } from '../core/verified.ts';
import { isJsonList } from '../formats/json/json.ts';
import type { Delegation, RoleKeys, SuccinctRoles, TargetFile, Targets } from '../formats/metadata/types.ts';
import { believe } from './believe.ts';
import { binName, binOf, isInScope } from '../formats/metadata/path-pattern.ts';
import { delegatedPolicy } from './delegated-policy.ts';
import type { RolePolicy } from './role-policy.ts';
import { refusal, roleText } from './refusal.ts';
import type { TrustClient } from './source.ts';
import { rootPolicy } from './state.ts';
import type { TrustedSet, TrustedTargets } from './state.ts';
import { retakeTargets } from './steps.ts';
import { loadTargets } from './update.ts';

/** A target and the roles that vouch for it. */
export interface FoundTarget {
  readonly name: TargetName;
  readonly target: TargetFile;
  /** The role that lists it; with several agreeing roles the first of them. */
  readonly role: string;
  /** The policy of each role that lists it: one, or one for each agreeing role. */
  readonly policies: readonly RolePolicy[];
  /** From `targets` to the role. */
  readonly chain: readonly string[];
  /** Of the repository, which says what of a target's `custom` is written. */
  readonly dialect: string;
}

/** What to look for. */
export interface TargetQuery {
  readonly name: TargetName;
  /** Follow only delegations for this hardware id (or for any). */
  readonly hardwareId?: string | undefined;
}

/** What was found, and the set with every role that was loaded on the way. */
export interface SearchResult {
  readonly set: TrustedSet;
  readonly found: Verified<FoundTarget> | undefined;
}

/**
 * Searches for a target.
 *
 * @throws TRUST_LIMIT, TRUST_TARGET_DISAGREEMENT, TRUST_HYBRID_MISSING, and what loading a role throws
 */
export async function findTarget(client: TrustClient, set: TrustedSet, query: TargetQuery): Promise<SearchResult> {
  const search: Search = { client, query, set, visited: new Set(), effort: { visits: 0 } };
  const policy = rootPolicy(set.root.verified.signed, 'targets');
  const result = await visit(search, { role: 'targets', policy, chain: [], hardware: [] });
  return { set: search.set, found: isFound(result) ? believe(result) : undefined };
}

/** Searches for a target that must be there. @throws TRUST_TARGET_NOT_FOUND, and as {@link findTarget} */
export async function requireTarget(
  client: TrustClient,
  set: TrustedSet,
  query: TargetQuery,
): Promise<SearchResult & { readonly found: Verified<FoundTarget> }> {
  const result = await findTarget(client, set, query);
  if (result.found !== undefined) return { set: result.set, found: result.found };
  throw refusal('TRUST_TARGET_NOT_FOUND', {
    role: 'targets',
    message: `no role lists ${query.name}`,
    details: { target: query.name },
  });
}

/**
 * Loads every delegated role, bins excepted, whatever it is for; each is verified as in a search.
 *
 * @throws TRUST_LIMIT, TRUST_HYBRID_MISSING, and what loading a role throws
 */
export async function loadDelegated(client: TrustClient, set: TrustedSet): Promise<TrustedSet> {
  return (await walkFrom(client, set)).set;
}

/** Roles that were loaded together, and a set that has them. */
export interface LoadedRoles {
  readonly set: TrustedSet;
  readonly roles: readonly string[];
  /** Bins right below these roles, which come next. */
  readonly bins: number;
}

/**
 * Loads every role there is, each once: first all but bins, then bin by bin, each in a set without the other bins; each is
 * verified as in a search. A delegated role of which Snapshot lists no version has no targets yet and is passed by; a bin is not.
 *
 * @throws as {@link loadDelegated}
 */
export async function* loadEveryRole(client: TrustClient, set: TrustedSet): AsyncGenerator<LoadedRoles> {
  const seen = new Set<string>();
  yield* withBins(await walkFrom(client, set, { seen }), seen);
}

async function* withBins(
  { client, set, visited, binned }: Walk,
  seen: Set<string>,
): AsyncGenerator<LoadedRoles, void, void> {
  yield { set, roles: [...visited], bins: binned.reduce((sum, { succinct }) => sum + 2 ** succinct.bitLength, 0) };
  for (const { delegator, succinct } of binned) {
    for (let index = 0; index < 2 ** succinct.bitLength; index++) {
      const bin = binDelegation(succinct, binName(succinct, index));
      if (seen.has(bin.name)) continue;
      const walk = startWalk(client, set, { seen });
      for (const role of bin.roles) await loadBelow(walk, stepTo(delegator, bin, role));
      yield* withBins(walk, seen);
    }
  }
}

/** A search for nothing in particular, and the bins that it passed by. */
type Walk = Omit<Search, 'query'> & {
  readonly binned: { delegator: Delegator; succinct: SuccinctRoles }[];
  /** Where every role is wanted: those that any walk came to, so that no tree makes it come to one again and again. */
  readonly seen: Set<string> | undefined;
};

function startWalk(client: TrustClient, set: TrustedSet, { seen }: Partial<Pick<Walk, 'seen'>>): Walk {
  return { client, set, visited: new Set(), effort: { visits: 0 }, binned: [], seen };
}

async function walkFrom(client: TrustClient, set: TrustedSet, every: Partial<Pick<Walk, 'seen'>> = {}): Promise<Walk> {
  const policy = rootPolicy(set.root.verified.signed, 'targets');
  const walk = startWalk(client, set, every);
  await loadBelow(walk, { role: 'targets', policy, chain: [], hardware: [] });
  return walk;
}

async function loadBelow(walk: Walk, step: Step): Promise<void> {
  if (walk.visited.has(step.role) || walk.seen?.has(step.role) === true) return;
  walk.visited.add(step.role);
  walk.seen?.add(step.role);
  requireWithinLimits(walk, step);
  const { file, isHybrid } = await trusted(walk, step);
  const { signed } = file.verified;
  const delegator = { signed, isHybrid, step: { ...step, chain: [...step.chain, step.role] } };
  const { roles = [], succinct } = signed.delegations ?? {};
  if (succinct !== undefined) walk.binned.push({ delegator, succinct });
  for (const delegation of roles) {
    for (const role of delegation.roles) {
      if (walk.seen === undefined || isListed(walk.set, role.name)) {
        await loadBelow(walk, stepTo(delegator, delegation, role));
      }
    }
  }
}

/** Whether Snapshot lists a version of a delegated role. */
function isListed({ snapshot }: TrustedSet, role: string): boolean {
  return snapshot?.verified.signed.meta.has(`${role}.json`) === true;
}

/** A search under way. */
interface Search {
  readonly client: TrustClient;
  readonly query: TargetQuery;
  set: TrustedSet;
  readonly visited: Set<string>;
  /** Visits in all branches together. */
  readonly effort: { visits: number };
}

/** A role to visit, and how the search came to it. */
interface Step {
  readonly role: string;
  readonly policy: RolePolicy;
  /** The roles above it. */
  readonly chain: readonly string[];
  /** The hardware ids of the delegations above it, where they have some. */
  readonly hardware: readonly (readonly string[])[];
}

/** Found, or the end of the whole search, or go on. */
type Result = FoundTarget | 'stop' | undefined;

function isFound(result: Result): result is FoundTarget {
  return typeof result === 'object';
}

async function visit(search: Search, step: Step): Promise<Result> {
  if (search.visited.has(step.role)) return undefined;
  search.visited.add(step.role);
  requireWithinLimits(search, step);
  const { file, isHybrid } = await trusted(search, step);
  const { signed, dialect } = file.verified;
  const target = signed.targets.get(search.query.name);
  const chain = [...step.chain, step.role];
  if (target !== undefined && isForHardware(target, step.hardware)) {
    return { name: search.query.name, target, role: step.role, policies: [step.policy], chain, dialect };
  }
  return followDelegations(search, { signed, isHybrid, step: { ...step, chain } });
}

function requireWithinLimits({ set, effort }: Pick<Search, 'set' | 'effort'>, { chain, role }: Step): void {
  const { delegationsMax, delegationDepthMax } = set.terms.limits;
  // The first visit is that of Targets itself.
  if (effort.visits++ <= delegationsMax && chain.length <= delegationDepthMax) return;
  throw refusal('TRUST_LIMIT', {
    role,
    message: `the search goes over ${delegationsMax} delegated roles, or deeper than ${delegationDepthMax}`,
    details: { delegationsMax, delegationDepthMax },
  });
}

/** The role's file, verified under this step's delegator. */
async function trusted(search: Pick<Search, 'client' | 'set'>, { role, policy }: Step): Promise<TrustedTargets> {
  search.set = search.set.targets.has(role)
    ? retakeTargets(search.set, role, policy)
    : await loadTargets(search.client, search.set, { role, policy });
  const known = search.set.targets.get(role);
  if (known === undefined) throw new RangeError(`${role} was not loaded`);
  return known;
}

/** Whether each delegation above that names hardware ids names all of the target's. @see Uptane 2.1.0 section 5.4.4.7 */
function isForHardware(target: TargetFile, allowed: Step['hardware']): boolean {
  if (allowed.length === 0) return true;
  const listed = target.custom?.get('hardwareIds');
  const ids = isJsonList(listed) ? listed : [];
  return ids.length > 0 && ids.every((id) => typeof id === 'string' && allowed.every((some) => some.includes(id)));
}

/** A delegator whose delegations are to be followed. */
interface Delegator {
  readonly signed: Targets;
  readonly isHybrid: boolean;
  /** Its own step, `chain` with itself. */
  readonly step: Step;
}

async function followDelegations(search: Search, delegator: Delegator): Promise<Result> {
  for (const delegation of delegationsFor(search, delegator)) {
    const isSingle = delegation.roles.length === 1;
    const follow = isSingle ? followOne : followAgreement;
    const result = await follow(search, delegator, delegation);
    if (result !== undefined) return result;
    if (delegation.terminating) return 'stop';
  }
  return undefined;
}

/** The delegations for the target, in order; a bin is a terminating delegation to one role. */
function delegationsFor({ set, query }: Search, { signed }: Delegator): readonly Delegation[] {
  const { delegations } = signed;
  const { engine } = set.terms;
  if (delegations?.succinct !== undefined) {
    const { succinct } = delegations;
    return [binDelegation(succinct, binOf(engine, succinct, query.name))];
  }
  return (delegations?.roles ?? []).filter(({ scope, hardwareIds }) => {
    const { hardwareId } = query;
    const isForIt = hardwareId === undefined || hardwareIds === undefined || hardwareIds.includes(hardwareId);
    return isForIt && isInScope(engine, scope, query.name);
  });
}

/** A bin as a delegation of its own. */
function binDelegation({ keyIds, threshold }: SuccinctRoles, name: string): Delegation {
  const roles = [{ name, keyIds, threshold }];
  return { name, scope: { paths: [] }, terminating: true, hardwareIds: undefined, roles, minRolesInAgreement: 1 };
}

async function followOne(search: Search, delegator: Delegator, delegation: Delegation): Promise<Result> {
  for (const role of delegation.roles) return visit(search, stepTo(delegator, delegation, role));
  return undefined;
}

function stepTo(delegator: Delegator, delegation: Delegation, role: RoleKeys & { readonly name: string }): Step {
  const { chain, hardware } = delegator.step;
  const { hardwareIds } = delegation;
  return {
    role: role.name,
    policy: delegatedPolicy({ ...delegator, role: delegator.step.role }, { ...role, delegation: delegation.name }),
    chain,
    hardware: hardwareIds === undefined ? hardware : [...hardware, hardwareIds],
  };
}

/**
 * Each role of the delegation is searched by itself; the first whose length and hashes enough of them agree on wins.
 *
 * @throws TRUST_TARGET_DISAGREEMENT where some list the target, but too few agree
 * @see TAP 3, "Resolving multi-role delegations"
 */
async function followAgreement(search: Search, delegator: Delegator, delegation: Delegation): Promise<Result> {
  const found: FoundTarget[] = [];
  for (const role of delegation.roles) {
    const branch: Search = { ...search, visited: new Set(search.visited) };
    const result = await visit(branch, stepTo(delegator, delegation, role));
    search.set = branch.set;
    if (isFound(result)) found.push(result);
  }
  for (const { name } of delegation.roles) search.visited.add(name);
  if (found.length === 0) return undefined;
  for (const first of found) {
    const agreeing = found.filter((other) => isSameTarget(first.target, other.target));
    if (agreeing.length >= delegation.minRolesInAgreement) {
      return { ...first, policies: agreeing.flatMap(({ policies }) => policies) };
    }
  }
  throw disagreement(search.query, delegation, found.length);
}

function isSameTarget(a: TargetFile, b: TargetFile): boolean {
  const sameHashes = a.hashes.size === b.hashes.size && [...a.hashes].every(([id, hash]) => b.hashes.get(id) === hash);
  return a.length === b.length && sameHashes;
}

function disagreement(query: TargetQuery, delegation: Delegation, found: number) {
  return refusal('TRUST_TARGET_DISAGREEMENT', {
    role: delegation.name,
    message: `${query.name}: ${found} roles of ${roleText(delegation.name)} list it, but fewer than ${delegation.minRolesInAgreement} agree on it`,
    details: { target: query.name, expected: delegation.minRolesInAgreement, found },
  });
}
