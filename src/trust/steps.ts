/**
 * The steps of the client workflow after the roots: bytes in, a larger {@link TrustedSet} out, or one coded refusal.
 *
 * Rules, in this order for each file: listed length and hashes, before parsing; the role's own `_type`; thresholds under
 * the root (or delegator); repository, kind and dialect of the root; listed version; not lower than what was seen
 * before; unexpired.
 *
 * @see TUF 1.0.34 sections 5.4 to 5.6; Uptane 2.1.0 section 5.4.4
 */
import { equalBytes } from '../core/bytes.ts';
import type { Verified } from '../core/verified.ts';
import { decodeRole } from '../formats/metadata/envelope.ts';
import type { Envelope, MetaFile, Signed, Snapshot, Targets, Timestamp } from '../formats/metadata/types.ts';
import { believe } from './believe.ts';
import { requireListedBytes, requireListedVersion } from './listed-file.ts';
import { requireThresholds } from './role-policy.ts';
import type { RolePolicy } from './role-policy.ts';
import { refusal, roleText } from './refusal.ts';
import { requireSameRepository, requireUnexpired, rootPolicy } from './state.ts';
import type { TrustedSet } from './state.ts';

/** What was verified in earlier updates and still is signed by the root's keys; its expiry does not matter. */
export interface SeenBefore {
  readonly timestamp: Verified<Envelope<Timestamp>> | undefined;
  readonly snapshot: Verified<Envelope<Snapshot>> | undefined;
}

/** Reads a file of an earlier update; only good to compare with. @throws as {@link takeTimestamp}, but for expiry */
export function recallRole<R extends 'timestamp' | 'snapshot'>(
  set: TrustedSet,
  role: R,
  bytes: Uint8Array,
): Verified<Envelope<Extract<Signed, { role: R }>>> {
  return signedByRoot(set, role, bytes);
}

/** The same bytes as a file of an earlier update, which the root's keys were found to vouch for a moment ago. */
function knownAs<T extends Signed>(
  before: Verified<Envelope<T>> | undefined,
  bytes: Uint8Array,
): Verified<Envelope<T>> | undefined {
  return before !== undefined && equalBytes(before.verified.bytes, bytes) ? before : undefined;
}

function signedByRoot<R extends Signed['role']>(
  set: TrustedSet,
  role: R,
  bytes: Uint8Array,
): Verified<Envelope<Extract<Signed, { role: R }>>> {
  const envelope = decodeRole(bytes, role).unverified;
  const root = set.root.verified;
  requireThresholds({ engine: set.terms.engine, envelope, policy: rootPolicy(root.signed, role) });
  requireSameRepository(root, envelope, role);
  return believe(envelope);
}

/**
 * Takes a Timestamp; one of the same version as before leaves the one before in place (T5).
 *
 * @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD, TRUST_WRONG_REPOSITORY, TRUST_ROLLBACK, TRUST_EXPIRED
 */
export function takeTimestamp(set: TrustedSet, bytes: Uint8Array, before: SeenBefore['timestamp']): TrustedSet {
  const found = knownAs(before, bytes) ?? signedByRoot(set, 'timestamp', bytes);
  const next = before?.verified.signed.version === found.verified.signed.version ? before : found;
  const { signed } = next.verified;
  if (before !== undefined) {
    requireNotLower({ role: 'timestamp', what: 'timestamp' }, before.verified.signed.version, signed.version);
    const listed = before.verified.signed.snapshot.version;
    requireNotLower({ role: 'timestamp', what: 'snapshot listed in timestamp' }, listed, signed.snapshot.version);
  }
  requireUnexpired(set.terms, signed, 'timestamp');
  return { ...set, timestamp: next, snapshot: undefined, targets: new Map() };
}

/**
 * Takes the Snapshot that the set's Timestamp lists (T6).
 *
 * @throws TRUST_MIX_AND_MATCH, TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD, TRUST_WRONG_REPOSITORY, TRUST_ROLLBACK,
 * TRUST_EXPIRED
 */
export function takeSnapshot(set: TrustedSet, bytes: Uint8Array, before: SeenBefore['snapshot']): TrustedSet {
  const timestamp = requireStep(set.timestamp, 'timestamp').verified.signed;
  const by = `timestamp ${timestamp.version}`;
  const listed = { engine: set.terms.engine, role: 'snapshot', listed: timestamp.snapshot, by };
  requireListedBytes(listed, bytes);
  const snapshot = knownAs(before, bytes) ?? signedByRoot(set, 'snapshot', bytes);
  const { signed } = snapshot.verified;
  requireListedVersion(listed, signed);
  requireNoneLower(before?.verified.signed, signed);
  requireUnexpired(set.terms, signed, 'snapshot');
  return { ...set, snapshot, targets: new Map() };
}

/** No Targets file that was listed before may be gone or lower. */
function requireNoneLower(before: Snapshot | undefined, after: Snapshot): void {
  for (const [name, { version }] of before?.meta ?? []) {
    const found = after.meta.get(name)?.version;
    requireNotLower({ role: 'snapshot', what: `${roleText(name)} listed in snapshot` }, version, found);
  }
}

/** A Targets file and under whom it is to be verified. */
export interface TargetsStep {
  readonly role: string;
  readonly bytes: Uint8Array;
  readonly policy: RolePolicy;
}

/**
 * Takes Targets or a delegated role that the set's Snapshot lists, under one delegator (T7).
 *
 * @throws TRUST_FILE_MISSING where Snapshot does not list it, TRUST_MIX_AND_MATCH, TRUST_THRESHOLD,
 * TRUST_HYBRID_THRESHOLD, TRUST_WRONG_REPOSITORY, TRUST_EXPIRED
 */
export function takeTargets(set: TrustedSet, { role, bytes, policy }: TargetsStep): TrustedSet {
  const snapshot = requireStep(set.snapshot, 'snapshot').verified.signed;
  const { engine } = set.terms;
  const listed = { engine, role, listed: listedTargets(set, role), by: `snapshot ${snapshot.version}` };
  requireListedBytes(listed, bytes);
  const envelope = decodeRole(bytes, 'targets').unverified;
  requireThresholds({ engine, envelope, policy });
  requireSameRepository(set.root.verified, envelope, role);
  requireListedVersion(listed, envelope.signed);
  requireUnexpired(set.terms, envelope.signed, role);
  return withTargets(set, { role, envelope: believe(envelope), policy });
}

/**
 * Verifies a role of the set once more, under another delegator than before.
 *
 * @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD
 */
export function retakeTargets(set: TrustedSet, role: string, policy: RolePolicy): TrustedSet {
  const known = requireStep(set.targets.get(role), role);
  if (known.verifiedUnder.has(policy.id)) return set;
  requireThresholds({ engine: set.terms.engine, envelope: known.file.verified, policy });
  return withTargets(set, { role, envelope: known.file, policy });
}

function withTargets(
  set: TrustedSet,
  taken: { role: string; envelope: Verified<Envelope<Targets>>; policy: RolePolicy },
): TrustedSet {
  const { role, envelope, policy } = taken;
  const known = set.targets.get(role);
  const verifiedUnder = new Set([...(known?.verifiedUnder ?? []), policy.id]);
  const isHybrid = policy.postQuantum !== undefined || known?.isHybrid === true;
  return { ...set, targets: new Map(set.targets).set(role, { file: envelope, isHybrid, verifiedUnder }) };
}

/** What Snapshot lists for a role. @throws TRUST_FILE_MISSING */
export function listedTargets(set: TrustedSet, role: string): MetaFile {
  const { signed } = requireStep(set.snapshot, 'snapshot').verified;
  const listed = signed.meta.get(`${role}.json`);
  if (listed !== undefined) return listed;
  throw refusal('TRUST_FILE_MISSING', {
    role,
    message: `snapshot ${signed.version} does not list ${roleText(role)}, which is delegated to`,
  });
}

function requireStep<T>(taken: T | undefined, role: string): T {
  if (taken === undefined) throw new RangeError(`${role} is taken before what it follows`);
  return taken;
}

function requireNotLower(at: { role: string; what: string }, before: number, found: number | undefined): void {
  if (found !== undefined && found >= before) return;
  const now = found === undefined ? 'is gone' : `is version ${found}`;
  throw refusal('TRUST_ROLLBACK', {
    role: at.role,
    message: `${at.what} ${now}, but version ${before} was seen before`,
    details: { expected: before, found },
  });
}
