/**
 * Takes one role a step further: freezes its next version where one is needed, adds signatures, completes it.
 *
 * Invariants: nothing is frozen unless a key at hand may sign it or a request asks for it; what is completed has met every threshold of the root in
 * force, and a root those of its predecessor too.
 */
import type { Instant } from '../../core/brands.ts';
import { sha256 } from '../../crypto/hash.ts';
import { assembleEnvelope, encodeSigned } from '../../formats/metadata/envelope.ts';
import type { KeySignature } from '../../formats/metadata/envelope.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import { reasonsFor } from '../../plan/next-version.ts';
import type { Purpose } from '../../plan/next-version.ts';
import { isComplete, maySign, thresholdStates } from '../../plan/quorum.ts';
import type { Authority, SignedBy, ThresholdState } from '../../plan/quorum.ts';
import type { Member } from '../../plan/role-definition.ts';
import type { SignerKey } from '../../signers/signer.ts';
import { delegatorOf, imageRoleAt } from '../../store/delegations.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import type { Identity } from '../../store/repository.ts';
import { findRole, roleAt } from '../../store/roles.ts';
import type { RoleAddress, StoredRole } from '../../store/roles.ts';
import {
  completeVersion,
  freezeVersion,
  frozenVersion,
  lastCompleteFacts,
  signaturesOn,
} from '../../store/versions.ts';
import type { FrozenVersion } from '../../store/versions.ts';
import { collectSignatures, sectionOf } from './collect-signatures.ts';
import { authoritiesFor, authorityOf, holderOf, isTopLevel, membersFor, previousDefinitions } from './definitions.ts';
import type { Definitions } from './definitions.ts';
import { nextBody } from './next-body.ts';
import { delegationDepth, requireKnown, roleText } from './role-address.ts';
import { requireReadableSize } from './readable-size.ts';
import { situationOf } from './situation.ts';
import { verifyComplete } from './verify-complete.ts';

/** A key and who holds it. */
export interface NamedKey {
  readonly keyId: string;
  readonly holder: string;
}

/** A threshold that is not met. */
export interface OpenThreshold {
  readonly authority: string;
  readonly section: 'classical' | 'post-quantum';
  readonly needed: number;
  readonly signed: number;
  readonly missing: readonly NamedKey[];
}

/** What became of a role. */
export interface RoleOutcome {
  readonly role: string;
  readonly version: number | null;
  readonly state: 'complete' | 'waiting' | 'unchanged' | 'blocked';
  readonly expires: Instant | null;
  readonly made: boolean;
  readonly added: readonly NamedKey[];
  readonly thresholds: readonly OpenThreshold[];
  readonly reason: string | null;
  /** Of hashed bins, which are signed together: how many there are, and how many of them got a version. */
  readonly bins?: { readonly total: number; readonly signed: number } | undefined;
}

/** What a run of `sign` or `renew` has at hand. */
export interface Signing {
  readonly identity: Identity;
  readonly keys: readonly SignerKey[];
  readonly purpose: Purpose;
  readonly withinSeconds?: number | undefined;
  /** Freeze the next version even where no key at hand may sign it: it goes out in a request. */
  readonly forRequest?: boolean | undefined;
  /** A dry run counts keys as if they had signed, but uses none. */
  readonly pretend: boolean;
}

/** Takes a role one step further. @throws ROLE_UNKNOWN, ROLE_KEYS_MISSING, HYBRID_*, SIGNATURE_INVALID */
export async function advanceRole(tx: Tx, address: RoleAddress, signing: Signing): Promise<RoleOutcome> {
  requireKnown(tx, address);
  const role = findRole(tx, address) ?? absentRole(address);
  const pending = frozenVersion(tx, role);
  if (pending !== undefined) return await finish(tx, { role, frozen: pending, made: false }, signing);
  const situation = situationOf(tx, role, { now: tx.now, withinSeconds: signing.withinSeconds });
  if (reasonsFor(situation, signing.purpose).length === 0) return unchanged(tx, role);
  const authorities = authoritiesFor(tx, role, 'next');
  if (authorities.length === 0 && role.name !== 'root') return blocked(role, withoutAuthority(tx, role));
  const tooDeep = beyondDepth(tx, role, signing);
  if (tooDeep !== undefined) return blocked(role, tooDeep);
  const made = makeVersion(tx, role, { signing, authorities });
  if (made === undefined) return waiting(tx, { role, authorities, version: null, added: [], made: false });
  if ('blocked' in made) return blocked(role, made.blocked);
  return await finish(tx, { role: storedRole(tx, address), frozen: made, made: true }, signing);
}

/** Why nobody may sign a role yet. */
function withoutAuthority(tx: Tx, role: StoredRole): string {
  if (isTopLevel(role.name)) return 'root has no complete version yet';
  const delegator = delegatorOf(tx, role.name)?.role.name ?? 'targets';
  return `${delegator} has no complete version that delegates to ${role.name}`;
}

/** Why vehicles of the repository's dialect would never come to a delegated role. */
function beyondDepth(tx: Tx, role: StoredRole, { identity }: Signing): string | undefined {
  const limit = dialectOf(identity.dialect).delegationDepthMax;
  if (limit === undefined || isTopLevel(role.name)) return undefined;
  const depth = delegationDepth(tx, role.name);
  return depth > limit ? `it is ${depth} delegations below targets, and vehicles follow ${limit}` : undefined;
}

/** A role that nothing was ever stored for. */
function absentRole({ repository, name }: RoleAddress): StoredRole {
  return { id: 0, repository, vehicle: null, name, lastVersion: 0, completeVersion: null, frozenVersion: null };
}

function storedRole(tx: Tx, address: RoleAddress): StoredRole {
  return address.repository === 'image' ? imageRoleAt(tx, address.name) : roleAt(tx, address);
}

/** Whether a key at hand may sign the role as it stands. */
export function anyMaySign(authorities: readonly Authority[], keys: readonly SignerKey[]): boolean {
  return keys.some((key) => maySign(authorities, sectionOf(key.publicKey)));
}

/** Freezes the next version, unless no key at hand may sign it. */
function makeVersion(
  tx: Tx,
  role: StoredRole,
  { signing, authorities }: { signing: Signing; authorities: readonly Authority[] },
): FrozenVersion | { readonly blocked: string } | undefined {
  const takesStaged = signing.purpose === 'sign';
  const body = nextBody({ reader: tx, identity: signing.identity, role, now: tx.now, takesStaged });
  if ('blocked' in body) return body;
  if (signing.forRequest !== true && !anyMaySign(authorities, signing.keys)) return undefined;
  const { version, expires } = body;
  const frozen = {
    version,
    expires,
    payload: encodeSigned(body, dialectOf(signing.identity.dialect)),
    frozenAt: tx.now,
  };
  requireReadableSize(signing.identity, role, frozen.payload);
  freezeVersion(tx, storedRole(tx, role), { ...frozen, takesStaged });
  return frozen;
}

interface Pending {
  readonly role: StoredRole;
  readonly frozen: FrozenVersion;
  readonly made: boolean;
}

async function finish(tx: Tx, { role, frozen, made }: Pending, signing: Signing): Promise<RoleOutcome> {
  if (role.name !== 'root' && frozen.expires <= tx.now) {
    return blocked(role, `version ${frozen.version} expired while it waited: \`secureev discard ${roleText(role)}\``);
  }
  const authorities = authoritiesFor(tx, role, 'frozen');
  const previous = previousDefinitions(tx, role.repository);
  const members = membersFor(tx, role);
  const { keys, pretend } = signing;
  const eligible = [...authorities, ...previousAuthority(role, previous)];
  const added = await collectSignatures(tx, { role, frozen, authorities: eligible, members, keys, pretend });
  tx.about(`role:${roleText(role)}`);
  const { version } = frozen;
  const states = thresholdStates(authorities, signaturesOn(tx, role, version));
  if (!isComplete(states)) return waiting(tx, { role, authorities, version, added, made, expires: frozen.expires });
  const file = assemble(tx, role, { frozen, members, signing });
  requireReadableSize(signing.identity, role, file);
  if (!pretend) verifyComplete(tx, role, file);
  completeVersion(tx, role, { version, file, sha256: sha256(tx.io.engine, file) });
  const { expires } = frozen;
  return { ...base(role), version, state: 'complete', expires, made, added: named(members, added) };
}

/** Old keys may sign beside the new ones, so that a rotation can be published without a moment in between. */
function previousAuthority(role: StoredRole, previous: Definitions): readonly Authority[] {
  const definition = role.name === 'root' ? undefined : previous.get(role.name);
  return definition === undefined ? [] : [authorityOf('the root before', definition)];
}

function assemble(
  tx: Tx,
  role: StoredRole,
  { frozen, members, signing }: { frozen: FrozenVersion; members: readonly Member[]; signing: Signing },
): Uint8Array {
  const dialect = dialectOf(signing.identity.dialect);
  if (signing.pretend) return assembleEnvelope(frozen.payload, { classical: [], postQuantum: [] }, dialect);
  const keys = members.flatMap(({ classical, postQuantum }) => [classical, ...(postQuantum ? [postQuantum] : [])]);
  const lists = { classical: new Array<KeySignature>(), 'post-quantum': new Array<KeySignature>() };
  for (const { section, keyId, signature } of signaturesOn(tx, role, frozen.version)) {
    const key = keys.find((candidate) => candidate.keyId === keyId);
    // A key that roots have dropped since it signed counts for nothing any more.
    if (key !== undefined) lists[section].push({ key, signature });
  }
  return assembleEnvelope(frozen.payload, { classical: lists.classical, postQuantum: lists['post-quantum'] }, dialect);
}

interface Waiting {
  readonly role: StoredRole;
  readonly authorities: readonly Authority[];
  readonly version: number | null;
  readonly added: readonly SignedBy[];
  readonly made: boolean;
  readonly expires?: Instant;
}

function waiting(tx: Tx, { role, authorities, version, added, made, expires }: Waiting): RoleOutcome {
  const thresholds = openThresholds(tx, role, { authorities, version });
  const members = membersFor(tx, role);
  const facts = { version, expires: expires ?? null, made, added: named(members, added), thresholds };
  return { ...base(role), ...facts, state: 'waiting' };
}

/** Keys with their holders. */
export function named(members: readonly Member[], keys: readonly { readonly keyId: string }[]): readonly NamedKey[] {
  return keys.map(({ keyId }) => ({ keyId, holder: holderOf(members, keyId) }));
}

/** The thresholds that a version (or, for null, a version to come) does not meet yet. */
export function openThresholds(
  tx: Reader,
  role: StoredRole,
  { authorities, version }: { authorities: readonly Authority[]; version: number | null },
): readonly OpenThreshold[] {
  const signatures = version === null ? [] : signaturesOn(tx, role, version);
  const members = membersFor(tx, role);
  return thresholdStates(authorities, signatures)
    .filter((state) => state.signed.length < state.needed)
    .map((state) => openThreshold(members, state));
}

function openThreshold(members: readonly Member[], state: ThresholdState): OpenThreshold {
  const { authority, section, needed, signed, missing } = state;
  const keys = missing.map((keyId) => ({ keyId }));
  return { authority, section, needed, signed: signed.length, missing: named(members, keys) };
}

function unchanged(tx: Tx, role: StoredRole): RoleOutcome {
  const facts = lastCompleteFacts(tx, role);
  return { ...base(role), version: facts?.version ?? null, state: 'unchanged', expires: facts?.expires ?? null };
}

function blocked(role: StoredRole, reason: string): RoleOutcome {
  return { ...base(role), version: role.frozenVersion, state: 'blocked', reason };
}

function base(role: StoredRole): Omit<RoleOutcome, 'state'> {
  const none = { version: null, expires: null, made: false, added: [], thresholds: [], reason: null };
  return { role: roleText(role), ...none };
}
