/** Where every role stands: versions, expiries, thresholds, what is staged, who has signed. */
import type { Instant } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import { reasonsFor } from '../../plan/next-version.ts';
import type { Reason } from '../../plan/next-version.ts';
import { logHead } from '../../store/audit.ts';
import { directorCounts } from '../../store/director.ts';
import type { DirectorCounts } from '../../store/director.ts';
import { countVehicles } from '../../store/fleet.ts';
import { delegatorOf, isBinsPrefix } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import type { Identity } from '../../store/repository.ts';
import { countStaged, findRole } from '../../store/roles.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { findSetting } from '../../store/settings.ts';
import { frozenVersion, lastCompleteFacts, signaturesOn } from '../../store/versions.ts';
import { dueTimes } from '../fleet/director/due.ts';
import { directorDefinitions } from '../fleet/director/keys.ts';
import { keysHaveChanged } from '../fleet/director/rotation.ts';
import { openThresholds } from '../repository/advance-role.ts';
import type { NamedKey, OpenThreshold } from '../repository/advance-role.ts';
import {
  authoritiesFor,
  definitionOfRole,
  definitionsIn,
  holderOf,
  isTopLevel,
  membersFor,
} from '../repository/definitions.ts';
import { binsInForce, binsSituation } from '../repository/bins-situation.ts';
import { delegationsBelow, misplaced } from '../repository/delegation-list.ts';
import { signedRoles } from '../repository/signed-roles.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { revokedListings } from '../repository/revoked-listings.ts';
import type { RevokedListing } from '../repository/revoked-listings.ts';
import { roleText } from '../repository/role-address.ts';
import { situationOf } from '../repository/situation.ts';

/** What to look at, and when. */
export interface StatusInput {
  readonly repository: RepositoryChoice;
  readonly now: Instant;
  /** What counts as due: expiring within this; half of its life where it is not given. */
  readonly withinSeconds?: number | undefined;
}

/** A version that waits for signatures. */
export interface PendingVersion {
  readonly version: number;
  readonly expires: Instant;
  readonly signedBy: readonly NamedKey[];
  readonly thresholds: readonly OpenThreshold[];
}

/** How many of how many keys must sign. */
export interface Quorum {
  readonly threshold: number;
  readonly keys: number;
}

/** Where a role stands. */
export interface RoleStatus {
  readonly role: string;
  readonly version: number | null;
  readonly expires: Instant | null;
  readonly expired: boolean;
  readonly due: boolean;
  /** Who delegates to the role; null for those that a root lists. */
  readonly delegator: string | null;
  /** As the root, or the delegator, in force has it; null where none lists the role. */
  readonly quorum: Quorum | null;
  /** As the next one will have it, where that is another; null where it is the same. */
  readonly stagedQuorum: Quorum | null;
  readonly staged: number;
  /** Why `sign` would make a next version; empty where it would not. */
  readonly reasons: readonly Reason[];
  readonly pending: PendingVersion | null;
  /** Of hashed bins: how many there are, have a version, wait for signatures. */
  readonly bins?: { readonly total: number; readonly complete: number; readonly waiting: number } | undefined;
}

/** Where the repository stands. */
export interface StatusAnswer {
  readonly identity: Identity;
  readonly hold: string | null;
  readonly log: number;
  readonly vehicles: number;
  readonly roles: readonly RoleStatus[];
  /** Targets that roles list although they delegate their paths. */
  readonly elsewhere: readonly { readonly role: string; readonly targets: number }[];
  /** Where the Director's vehicles stand; null where it has no complete root. */
  readonly director: DirectorCounts | null;
  /** Roles that still list a revoked key, and what to type. */
  readonly revoked: readonly RevokedListing[];
  /** Roles that are due, those that list a revoked key among them; `director` where vehicles' files are. */
  readonly due: readonly string[];
}

/** Looks at every role, hashed bins together; the Director's root only where it has been begun. */
export async function repositoryStatus(input: StatusInput, io: Io): Promise<StatusAnswer> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const roles = signedRoles(repository).map((address) =>
    address.repository === 'image' && isBinsPrefix(repository, address.name)
      ? binsStatus(repository, address, input)
      : roleStatus(repository, address, input),
  );
  const vehicles = directorStatus(repository, input);
  const isDue = vehicles !== null && vehicles.due > 0;
  const revoked = revokedListings(repository);
  const due = [...roles.filter((one) => one.due), ...revoked].map(({ role }) => role);
  return {
    identity: repository.identity,
    hold: findSetting(repository, 'hold') ?? null,
    log: logHead(repository).length,
    vehicles: countVehicles(repository),
    roles,
    elsewhere: misplaced(repository, delegationsBelow(repository, { name: 'targets', depth: 0 })),
    director: vehicles,
    revoked,
    due: [...new Set(due), ...(isDue ? ['director'] : [])],
  };
}

function directorStatus(reader: Reader, { now, withinSeconds }: StatusInput): DirectorCounts | null {
  if (!definitionsIn(reader, 'director', 'complete').has('timestamp')) return null;
  const counts = directorCounts(reader, dueTimes(directorDefinitions(reader), now, withinSeconds), now);
  // New keys of the Director leave no signed vehicle as it is.
  return keysHaveChanged(reader) ? { ...counts, changed: Math.max(counts.changed, counts.signed) } : counts;
}

const NOTHING = { version: null, expires: null, expired: false, due: false, staged: 0, reasons: [], pending: null };

/** Who says which keys a role has, and how many must sign. */
function authorityOver(
  reader: Reader,
  address: RoleAddress,
): Pick<RoleStatus, 'delegator' | 'quorum' | 'stagedQuorum'> {
  const quorum = quorumOf(reader, address, 'complete');
  const next = quorumOf(reader, address, 'next');
  const same = next?.threshold === quorum?.threshold && next?.keys === quorum?.keys;
  const delegator = isTopLevel(address.name) ? null : (delegatorOf(reader, address.name)?.role.name ?? null);
  return { delegator, quorum, stagedQuorum: same ? null : next };
}

function quorumOf(reader: Reader, address: RoleAddress, state: 'complete' | 'next'): Quorum | null {
  const definition = definitionOfRole(reader, address, state);
  return definition === undefined ? null : { threshold: definition.threshold, keys: definition.members.length };
}

/** Hashed bins as if they were one role, without a version. */
function binsStatus(reader: Reader, address: RoleAddress, { now, withinSeconds }: StatusInput): RoleStatus {
  const { name } = address;
  const base = { role: name, ...authorityOver(reader, address), ...NOTHING };
  const bins = binsInForce(reader, name);
  if ('blocked' in bins) return { ...base, reasons: ['first'] };
  const { expires, due, staged, reasons, total, complete, waiting } = binsSituation(reader, bins, {
    now,
    withinSeconds,
    purpose: 'sign',
  });
  return {
    ...base,
    expires: expires ?? null,
    expired: expires !== undefined && expires <= now,
    due: due > 0,
    staged,
    reasons,
    bins: { total, complete, waiting },
  };
}

function roleStatus(reader: Reader, address: RoleAddress, input: StatusInput): RoleStatus {
  const base = { role: roleText(address), ...authorityOver(reader, address) };
  const role = findRole(reader, address);
  if (role === undefined) return { ...base, ...NOTHING, reasons: firstReason(address) };
  const facts = lastCompleteFacts(reader, role);
  const situation = situationOf(reader, role, input);
  return {
    ...base,
    version: facts?.version ?? null,
    expires: facts?.expires ?? null,
    expired: facts !== undefined && facts.expires <= input.now,
    due: situation.due,
    staged: countStaged(reader, role),
    reasons: reasonsFor(situation, 'sign'),
    pending: pendingVersion(reader, address),
  };
}

/** A delegated role that nothing was ever staged for has a first version to make. */
function firstReason({ name }: RoleAddress): readonly Reason[] {
  return isTopLevel(name) ? [] : ['first'];
}

function pendingVersion(reader: Reader, address: RoleAddress): PendingVersion | null {
  const role = findRole(reader, address);
  const frozen = role === undefined ? undefined : frozenVersion(reader, role);
  if (role === undefined || frozen === undefined) return null;
  const members = membersFor(reader, role);
  const { version, expires } = frozen;
  const signed = new Set(signaturesOn(reader, role, version).map(({ keyId }) => keyId));
  const signedBy = [...signed].map((keyId) => ({ keyId, holder: holderOf(members, keyId) }));
  const thresholds = openThresholds(reader, role, { authorities: authoritiesFor(reader, role, 'frozen'), version });
  return { version, expires, signedBy, thresholds };
}
