/**
 * The way from Targets down to one delegated role, and what may go along it.
 *
 * Invariant: a target belongs to a role only if every delegation on the way is for its path and for all its hardware ids.
 *
 * @see Uptane Standard 2.1.0 section 5.2.3.2 (U13, U19); TUF 1.0.34 section 5.6.7
 */
import type { TargetName } from '../core/brands.ts';
import { SecureevError, failure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { isInScope } from '../formats/metadata/path-pattern.ts';
import type { Delegation, Targets } from '../formats/metadata/types.ts';
import { delegatedPolicy } from './delegated-policy.ts';
import type { RolePolicy } from './role-policy.ts';
import { refusal } from './refusal.ts';
import type { TrustClient } from './source.ts';
import type { TrustedSet } from './state.ts';
import { loadTargets } from './update.ts';

/** A delegated role as its delegators have it. */
export interface DelegatedTo {
  readonly role: string;
  readonly policy: RolePolicy;
  /** From Targets on; the last one is to the role. */
  readonly chain: readonly Delegation[];
}

/** A role as a client finds it. */
export interface FoundRole extends DelegatedTo {
  readonly set: TrustedSet;
  /** Its last version; undefined where it has none yet. */
  readonly last: Targets | undefined;
}

interface Visit {
  readonly role: string;
  readonly chain: readonly Delegation[];
}

/**
 * Finds a role among the delegations of a verified repository, breadth first, and loads its last version.
 *
 * @throws ROLE_UNKNOWN, TRUST_LIMIT, and what loading a role throws
 */
export async function findDelegatedRole(client: TrustClient, start: TrustedSet, name: string): Promise<FoundRole> {
  const { delegationsMax, delegationDepthMax } = start.terms.limits;
  const visited = new Set(['targets']);
  let queue: readonly Visit[] = [{ role: 'targets', chain: [] }];
  let set = start;
  for (let depth = 0; queue.length > 0; depth++) {
    if (visited.size > delegationsMax || depth > delegationDepthMax) throw tooMany(name);
    const found = queue.map((visit) => delegatedFrom(set, visit, name)).find((one) => one !== undefined);
    if (found !== undefined) return await withLast(client, set, found);
    const next = queue.flatMap((visit) => below(set, visit)).filter(({ role }) => !visited.has(role));
    for (const { role, policy } of next) {
      if (visited.has(role) || !isListed(set, role)) continue;
      visited.add(role);
      set = await loadTargets(client, set, { role, policy });
    }
    queue = next.filter(({ role }) => set.targets.has(role));
  }
  throw new SecureevError('ROLE_UNKNOWN', {
    message: `no role of the published repository delegates to ${name}`,
    hint: 'the delegation must be signed and published, Snapshot and Timestamp too, before this role can sign',
    details: { role: name },
  });
}

function tooMany(role: string): Error {
  return refusal('TRUST_LIMIT', { role, message: 'the delegations on the way are too many, or too deep' });
}

function isListed({ snapshot }: TrustedSet, role: string): boolean {
  return snapshot?.verified.signed.meta.has(`${role}.json`) === true;
}

/** The roles that a loaded role delegates to, bins aside: what is delivered is never for a bin. */
function below(set: TrustedSet, { role, chain }: Visit): readonly DelegatedTo[] {
  const known = set.targets.get(role);
  if (known === undefined) return [];
  const { signed } = known.file.verified;
  const delegator = { role, signed, isHybrid: known.isHybrid };
  return (signed.delegations?.roles ?? []).flatMap((delegation) =>
    delegation.roles.map((to) => ({
      role: to.name,
      policy: delegatedPolicy(delegator, { ...to, delegation: delegation.name }),
      chain: [...chain, delegation],
    })),
  );
}

function delegatedFrom(set: TrustedSet, visit: Visit, name: string): DelegatedTo | undefined {
  return below(set, visit).find(({ role }) => role === name);
}

async function withLast(client: TrustClient, set: TrustedSet, found: DelegatedTo): Promise<FoundRole> {
  const { role, policy } = found;
  if (!isListed(set, role)) return { ...found, set, last: undefined };
  const loaded = await loadTargets(client, set, { role, policy });
  return { ...found, set: loaded, last: loaded.targets.get(role)?.file.verified.signed };
}

/** A target that is to go into a role. */
export interface ChainedTarget {
  readonly name: TargetName;
  readonly hardwareIds: readonly string[];
}

/** Demands that every delegation on the way is for a target. @throws DELIVERY_PATH, DELIVERY_HARDWARE */
export function requireInChain(engine: EngineName, chain: readonly Delegation[], target: ChainedTarget): void {
  const { name, hardwareIds } = target;
  for (const { name: delegation, scope, hardwareIds: allowed } of chain) {
    if (!isInScope(engine, scope, name)) {
      throw failure('DELIVERY_PATH', `${name} is not among the paths of delegation ${delegation}`, {
        target: name,
        delegation,
        allowed: 'paths' in scope ? scope.paths : scope.hashPrefixes,
      });
    }
    const stranger = allowed === undefined ? undefined : hardwareIds.find((id) => !allowed.includes(id));
    if (stranger === undefined) continue;
    throw failure('DELIVERY_HARDWARE', `${name}: delegation ${delegation} is not for hardware ${stranger}`, {
      target: name,
      delegation,
      allowed,
      found: stranger,
    });
  }
}
