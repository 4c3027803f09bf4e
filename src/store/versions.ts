/**
 * Versions of roles: frozen, complete, cancelled; and the signatures on them.
 *
 * Invariants: a role has at most one frozen version; a number that was frozen and signed is never given again; a frozen
 * version's payload never changes; completing one moves its items into the role's content.
 */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import type { Reader, Tx } from './reader.ts';
import type { StoredRole } from './roles.ts';

/** Which list of an envelope a signature stands in. */
export type SignatureSection = 'classical' | 'post-quantum';

/** A signature on a version, as it stands in the database. */
export interface StoredSignature {
  readonly section: SignatureSection;
  readonly keyId: string;
  /** As the metadata room encodes it: classical in the dialect's raw bytes. */
  readonly signature: Uint8Array;
}

/** A version waiting for signatures. */
export interface FrozenVersion {
  readonly version: number;
  /** The canonical `signed` bytes. */
  readonly payload: Uint8Array;
  readonly expires: Instant;
  readonly frozenAt: Instant;
}

/** A version that met its thresholds. */
export interface CompleteVersion {
  readonly version: number;
  /** The file as it is published. */
  readonly file: Uint8Array;
  readonly sizeBytes: number;
  /** SHA-256 of the file, 32 bytes. */
  readonly sha256: Uint8Array;
  readonly expires: Instant;
}

/** A complete version without its bytes. */
export interface VersionFacts {
  readonly version: number;
  readonly sizeBytes: number;
  readonly expires: Instant;
  readonly frozenAt: Instant;
}

interface VersionRow {
  readonly version: number;
  readonly payload: Uint8Array;
  readonly file: Uint8Array;
  readonly length: number;
  readonly sha256: Uint8Array;
  readonly expires: number;
  readonly frozen_at: number;
}

/** A version about to be frozen. */
export interface NextVersion {
  readonly version: number;
  readonly payload: Uint8Array;
  readonly expires: Instant;
  /** Whether it takes what is staged; a renewal does not. */
  readonly takesStaged: boolean;
}

/** Freezes `next`, whose number must be above every one given before. @throws INTERNAL */
export function freezeVersion(tx: Tx, role: StoredRole, next: NextVersion): void {
  if (role.frozenVersion !== null || next.version <= role.lastVersion) {
    throw failure('INTERNAL', `${role.name}: version ${next.version} cannot be frozen now`);
  }
  tx.sql(
    "INSERT INTO versions (role_id, version, state, payload, expires, frozen_at) VALUES (?, ?, 'frozen', ?, ?, ?)",
  ).run(role.id, next.version, blob(next.payload), next.expires, tx.now);
  if (next.takesStaged) {
    tx.sql('UPDATE staged SET frozen_version = ? WHERE role_id = ? AND frozen_version = 0').run(next.version, role.id);
  }
  tx.sql('UPDATE roles SET frozen_version = ?, last_version = ? WHERE id = ?').run(next.version, next.version, role.id);
}

/** The role's frozen version, if it has one. */
export function frozenVersion(reader: Reader, role: StoredRole): FrozenVersion | undefined {
  const row = reader
    .sql<VersionRow>("SELECT * FROM versions WHERE role_id = ? AND version = ? AND state = 'frozen'")
    .get(role.id, role.frozenVersion);
  if (row === undefined) return undefined;
  const { version, payload, expires, frozen_at: frozenAt } = row;
  return { version, payload: bytesOf(payload), expires: instantOf(expires), frozenAt: instantOf(frozenAt) };
}

/** Adds a signature to a frozen version; the same key's earlier one stays. */
export function addSignature(tx: Tx, role: StoredRole, added: StoredSignature & { version: number }): void {
  tx.sql(
    `INSERT INTO signatures (role_id, version, section, keyid, signature, signed_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  ).run(role.id, added.version, added.section, added.keyId, blob(added.signature), tx.now);
}

/** The signatures on a version, in a fixed order. */
export function signaturesOn(reader: Reader, role: StoredRole, version: number): readonly StoredSignature[] {
  return reader
    .sql<{ section: SignatureSection; keyid: string; signature: Uint8Array }>(
      'SELECT section, keyid, signature FROM signatures WHERE role_id = ? AND version = ? ORDER BY section, keyid',
    )
    .all(role.id, version)
    .map((row) => ({ section: row.section, keyId: row.keyid, signature: bytesOf(row.signature) }));
}

/** Makes the frozen version complete with `file`, and its items the role's content. */
export function completeVersion(
  tx: Tx,
  role: StoredRole,
  done: { version: number; file: Uint8Array; sha256: Uint8Array },
): void {
  const { version, file, sha256 } = done;
  const updated = tx
    .sql(
      `UPDATE versions SET state = 'complete', payload = NULL, file = ?, length = ?, sha256 = ?, completed_at = ?
       WHERE role_id = ? AND version = ? AND state = 'frozen'`,
    )
    .run(blob(file), file.length, blob(sha256), tx.now, role.id, version);
  if (updated.changes !== 1) throw failure('INTERNAL', `${role.name}: version ${version} is not frozen`);
  moveItems(tx, role, { version, frozen: version });
  tx.sql('UPDATE roles SET complete_version = ?, frozen_version = NULL WHERE id = ?').run(version, role.id);
}

/** A version that has all its signatures as soon as it is made. */
export interface SignedVersion extends Omit<NextVersion, 'payload'> {
  readonly file: Uint8Array;
  readonly sha256: Uint8Array;
  readonly signatures: readonly StoredSignature[];
}

/** Freezes and completes a version in one step. @throws INTERNAL */
export function addCompleteVersion(tx: Tx, role: StoredRole, made: SignedVersion): void {
  const { version, file, sha256, expires, signatures, takesStaged } = made;
  if (role.frozenVersion !== null || version <= role.lastVersion) {
    throw failure('INTERNAL', `${role.name}: version ${version} cannot be completed now`);
  }
  tx.sql(
    `INSERT INTO versions (role_id, version, state, file, length, sha256, expires, frozen_at, completed_at)
     VALUES (?, ?, 'complete', ?, ?, ?, ?, ?, ?)`,
  ).run(role.id, version, blob(file), file.length, blob(sha256), expires, tx.now, tx.now);
  for (const signature of signatures) addSignature(tx, role, { ...signature, version });
  if (takesStaged) moveItems(tx, role, { version, frozen: 0 });
  tx.sql('UPDATE roles SET complete_version = ?, last_version = ? WHERE id = ?').run(version, version, role.id);
}

/** Takes what an earlier version had of the items out of the content, and keeps it. */
function keepReplaced(tx: Tx, role: StoredRole, { version, frozen }: { version: number; frozen: number }): void {
  tx.sql(
    `INSERT INTO replaced (role_id, item, version, value)
     SELECT role_id, item, ?, content.value FROM staged JOIN content USING (role_id, item)
     WHERE role_id = ? AND staged.frozen_version = ?`,
  ).run(version, role.id, frozen);
  tx.sql(
    `DELETE FROM content WHERE role_id = ? AND item IN
       (SELECT item FROM staged WHERE role_id = ? AND frozen_version = ?)`,
  ).run(role.id, role.id, frozen);
}

/**
 * The Director repeats what Targets says of what it assigns, and of the sealed payload: where that changes, the vehicles
 * concerned are to be signed anew.
 */
function markAssigned(tx: Tx, role: StoredRole, frozen: number): void {
  if (role.repository !== 'image' || tx.sql('SELECT 1 FROM assignments LIMIT 1').get() === undefined) return;
  for (const target of ['substr(item, 9)', 'substr(item, 9, length(item) - 12)']) {
    tx.sql(
      `INSERT INTO director_changes (vehicle)
       SELECT DISTINCT vehicle FROM staged JOIN assignments ON target = ${target}
       WHERE role_id = ? AND frozen_version = ? AND item >= 'targets/' AND item < 'targets0'
         AND (length(target) = length(item) - 8 OR item LIKE '%.sev')
       ON CONFLICT DO NOTHING`,
    ).run(role.id, frozen);
  }
}

/** Makes the items that version `version` takes the role's content; they are staged under `frozen`. */
function moveItems(tx: Tx, role: StoredRole, { version, frozen }: { version: number; frozen: number }): void {
  markAssigned(tx, role, frozen);
  if (role.completeVersion !== null) keepReplaced(tx, role, { version, frozen });
  tx.sql(
    `INSERT INTO content (role_id, item, value)
     SELECT role_id, item, value FROM staged WHERE role_id = ? AND frozen_version = ? AND value IS NOT NULL`,
  ).run(role.id, frozen);
  tx.sql('DELETE FROM staged WHERE role_id = ? AND frozen_version = ?').run(role.id, frozen);
}

/** Cancels the frozen version and drops its items; its number is given again only if `reuse` (nobody signed it). */
export function cancelVersion(tx: Tx, role: StoredRole, reuse: boolean): void {
  const version = role.frozenVersion;
  if (version === null) return;
  tx.sql('DELETE FROM staged WHERE role_id = ? AND frozen_version = ?').run(role.id, version);
  if (reuse) tx.sql('DELETE FROM versions WHERE role_id = ? AND version = ?').run(role.id, version);
  else tx.sql("UPDATE versions SET state = 'cancelled' WHERE role_id = ? AND version = ?").run(role.id, version);
  const last = reuse ? version - 1 : version;
  tx.sql('UPDATE roles SET frozen_version = NULL, last_version = ? WHERE id = ?').run(last, role.id);
}

/** The last complete version, if there is one. */
export function lastComplete(reader: Reader, role: StoredRole): CompleteVersion | undefined {
  return role.completeVersion === null ? undefined : completeAt(reader, role, role.completeVersion);
}

/** The complete version of number `version`, if there is one. */
export function completeAt(reader: Reader, role: StoredRole, version: number): CompleteVersion | undefined {
  const row = reader
    .sql<VersionRow>("SELECT * FROM versions WHERE role_id = ? AND version = ? AND state = 'complete'")
    .get(role.id, version);
  if (row === undefined) return undefined;
  const { file, sha256, expires, length: sizeBytes } = row;
  return { version, file: bytesOf(file), sizeBytes, sha256: bytesOf(sha256), expires: instantOf(expires) };
}

/** The numbers of all complete versions, rising. */
export function completeVersions(reader: Reader, role: StoredRole): readonly number[] {
  return reader
    .sql<{ version: number }>("SELECT version FROM versions WHERE role_id = ? AND state = 'complete' ORDER BY version")
    .all(role.id)
    .map((row) => row.version);
}

/** Size, expiry and date of the last complete version, without its bytes. */
export function lastCompleteFacts(reader: Reader, role: StoredRole): VersionFacts | undefined {
  const row = reader
    .sql<Omit<VersionRow, 'payload' | 'file' | 'sha256'>>(
      `SELECT version, length, expires, frozen_at FROM versions
       WHERE role_id = ? AND version = ? AND state = 'complete'`,
    )
    .get(role.id, role.completeVersion);
  if (row === undefined) return undefined;
  const { version, length: sizeBytes, expires, frozen_at: frozenAt } = row;
  return { version, sizeBytes, expires: instantOf(expires), frozenAt: instantOf(frozenAt) };
}

/** A byte string as SQLite takes it. */
export function blob(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A BLOB as a plain byte string. */
export function bytesOf(value: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(value);
}
