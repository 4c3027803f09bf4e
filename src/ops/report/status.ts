/** Where every role stands: versions, expiries, thresholds, what is staged, who has signed. */
import type { Instant } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import { reasonsFor } from '../../plan/next-version.ts';
import type { Reason } from '../../plan/next-version.ts';
import { logHead } from '../../store/audit.ts';
import { directorCounts } from '../../store/director.ts';
import type { DirectorCounts } from '../../store/director.ts';
import { countVehicles } from '../../store/fleet.ts';
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
import { authoritiesFor, definitionsIn, holderOf, membersOf } from '../repository/definitions.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
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

/** Where a role stands. */
export interface RoleStatus {
  readonly role: string;
  readonly version: number | null;
  readonly expires: Instant | null;
  readonly expired: boolean;
  readonly due: boolean;
  readonly quorum: { readonly threshold: number; readonly keys: number } | null;
  readonly staged: number;
  /** Why `sign` would make a next version; empty where it would not. */
  readonly reasons: readonly Reason[];
  readonly pending: PendingVersion | null;
}

/** Where the repository stands. */
export interface StatusAnswer {
  readonly identity: Identity;
  readonly hold: string | null;
  readonly log: number;
  readonly vehicles: number;
  readonly roles: readonly RoleStatus[];
  /** Where the Director's vehicles stand; null where it has no complete root. */
  readonly director: DirectorCounts | null;
  /** Roles that are due; `director` where vehicles' files are. */
  readonly due: readonly string[];
}

const IMAGE_ROLES: readonly RoleAddress[] = ['root', 'targets', 'snapshot', 'timestamp'].map((name) => ({
  repository: 'image',
  name,
}));
const DIRECTOR_ROOT: RoleAddress = { repository: 'director', name: 'root' };

/** Looks at every role; the Director's root only where it has been begun. */
export async function repositoryStatus(input: StatusInput, io: Io): Promise<StatusAnswer> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const director = findRole(repository, DIRECTOR_ROOT) === undefined ? [] : [DIRECTOR_ROOT];
  const roles = [...IMAGE_ROLES, ...director].map((address) => roleStatus(repository, address, input));
  const vehicles = directorStatus(repository, input);
  const isDue = vehicles !== null && vehicles.due > 0;
  return {
    identity: repository.identity,
    hold: findSetting(repository, 'hold') ?? null,
    log: logHead(repository).length,
    vehicles: countVehicles(repository),
    roles,
    director: vehicles,
    due: [...roles.filter(({ due }) => due).map(({ role }) => role), ...(isDue ? ['director'] : [])],
  };
}

function directorStatus(reader: Reader, { now, withinSeconds }: StatusInput): DirectorCounts | null {
  if (!definitionsIn(reader, 'director', 'complete').has('timestamp')) return null;
  const counts = directorCounts(reader, dueTimes(directorDefinitions(reader), now, withinSeconds), now);
  // New keys of the Director leave no signed vehicle as it is.
  return keysHaveChanged(reader) ? { ...counts, changed: Math.max(counts.changed, counts.signed) } : counts;
}

function roleStatus(reader: Reader, address: RoleAddress, input: StatusInput): RoleStatus {
  const definition = definitionsIn(reader, address.repository, 'next').get(address.name);
  const quorum = definition === undefined ? null : { threshold: definition.threshold, keys: definition.members.length };
  const role = findRole(reader, address);
  const nothing = { version: null, expires: null, expired: false, due: false, staged: 0, reasons: [], pending: null };
  if (role === undefined) return { role: roleText(address), quorum, ...nothing };
  const facts = lastCompleteFacts(reader, role);
  const situation = situationOf(reader, role, input);
  return {
    role: roleText(address),
    quorum,
    version: facts?.version ?? null,
    expires: facts?.expires ?? null,
    expired: facts !== undefined && facts.expires <= input.now,
    due: situation.due,
    staged: countStaged(reader, role),
    reasons: reasonsFor(situation, 'sign'),
    pending: pendingVersion(reader, address),
  };
}

function pendingVersion(reader: Reader, address: RoleAddress): PendingVersion | null {
  const role = findRole(reader, address);
  const frozen = role === undefined ? undefined : frozenVersion(reader, role);
  if (role === undefined || frozen === undefined) return null;
  const members = membersOf(
    definitionsIn(reader, role.repository, 'complete'),
    definitionsIn(reader, role.repository, 'frozen'),
  );
  const { version, expires } = frozen;
  const signed = new Set(signaturesOn(reader, role, version).map(({ keyId }) => keyId));
  const signedBy = [...signed].map((keyId) => ({ keyId, holder: holderOf(members, keyId) }));
  const thresholds = openThresholds(reader, role, { authorities: authoritiesFor(reader, role, 'frozen'), version });
  return { version, expires, signedBy, thresholds };
}
