/** Sealed payloads and envelopes. Invariant: no content key is ever stored; a removed envelope stays on record. */
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { encryptionKeyFacts } from './fleet.ts';
import type { Reader, Tx } from './reader.ts';
import { blob, bytesOf } from './versions.ts';

/** A sealed payload file. */
export interface SealedPayload {
  /** SHA-256 of the sealed file, 32 bytes; names it. */
  readonly sha256: Uint8Array;
  /** Its own target, `CLEAR-TARGET.sev`. */
  readonly target: TargetName;
  readonly clearTarget: TargetName;
  readonly length: number;
  readonly clearLength: number;
  /** SHA-256 of the payload's header, 32 bytes, which envelopes are bound to. */
  readonly headerSha256: Uint8Array;
  readonly suite: string;
  /** Without folders, e.g. `ZG_BODY.otap.sev`. */
  readonly fileName: string;
  readonly createdAt: number;
}

/** An envelope: the content key of a payload for one recipient. */
export interface StoredEnvelope {
  readonly keyId: string;
  /** The vehicle's random id; null for the escrow key. */
  readonly vehicle: string | null;
  readonly envelope: Uint8Array;
  readonly expires: number | null;
  readonly addedAt: number;
  readonly removedAt: number | null;
}

/** Adds a payload that was just made. */
export function addSealedPayload(tx: Tx, payload: Omit<SealedPayload, 'createdAt'>): void {
  tx.sql(
    `INSERT INTO sealed_payloads
       (sha256, target, clear_target, length, clear_length, header_sha256, suite, file_name, created_at)
     VALUES (:sha256, :target, :clearTarget, :length, :clearLength, :headerSha256, :suite, :fileName, :now)`,
  ).run({ ...payload, sha256: blob(payload.sha256), headerSha256: blob(payload.headerSha256), now: tx.now });
}

/** A payload by the SHA-256 of its file (32 bytes). */
export function findSealedPayload(reader: Reader, sha256: Uint8Array): SealedPayload | undefined {
  const row = reader.sql<PayloadRow>('SELECT * FROM sealed_payloads WHERE sha256 = ?').get(blob(sha256));
  return row === undefined ? undefined : payloadOf(row);
}

/** All payloads, newest first. */
export function sealedPayloads(reader: Reader): readonly SealedPayload[] {
  return reader.sql<PayloadRow>('SELECT * FROM sealed_payloads ORDER BY created_at DESC, target').all().map(payloadOf);
}

/** Adds an envelope, taking the place of the recipient's earlier one. */
export function addEnvelope(
  tx: Tx,
  added: { payload: Uint8Array; keyId: string; vehicle: string | null; envelope: Uint8Array; expires: number | null },
): void {
  removeEnvelope(tx, added);
  tx.sql('INSERT INTO envelopes (payload, keyid, vehicle, envelope, expires, added_at) VALUES (?, ?, ?, ?, ?, ?)').run(
    blob(added.payload),
    added.keyId,
    added.vehicle,
    blob(added.envelope),
    added.expires,
    tx.now,
  );
}

/** Takes a recipient's envelope away; whether there was one. */
export function removeEnvelope(tx: Tx, from: { payload: Uint8Array; keyId: string }): boolean {
  return (
    tx
      .sql('UPDATE envelopes SET removed_at = ? WHERE payload = ? AND keyid = ? AND removed_at IS NULL')
      .run(tx.now, blob(from.payload), from.keyId).changes > 0
  );
}

/** Takes every envelope of a vehicle away; how many there were. */
export function removeEnvelopesOfVehicle(tx: Tx, from: { payload: Uint8Array; vehicle: string }): number {
  return tx
    .sql('UPDATE envelopes SET removed_at = ? WHERE payload = ? AND vehicle = ? AND removed_at IS NULL')
    .run(tx.now, blob(from.payload), from.vehicle).changes;
}

/** A vehicle's envelopes of a payload that were not taken away, newest first. */
export function envelopesFor(reader: Reader, payload: Uint8Array, vehicle: string): readonly StoredEnvelope[] {
  return reader
    .sql<EnvelopeRow>(
      'SELECT * FROM envelopes WHERE vehicle = ? AND payload = ? AND removed_at IS NULL ORDER BY id DESC',
    )
    .all(vehicle, blob(payload))
    .map(envelopeOf);
}

/** The envelope of a payload for the key that a vehicle uses now; what was made for a key before it opens nothing. */
export function envelopeForUse(reader: Reader, payload: Uint8Array, vehicle: string): StoredEnvelope | undefined {
  const keyId = encryptionKeyFacts(reader, vehicle)?.keyId;
  return envelopesFor(reader, payload, vehicle).find((envelope) => envelope.keyId === keyId);
}

/** The escrow's envelopes of a payload, newest first. */
export function escrowEnvelopes(reader: Reader, payload: Uint8Array): readonly StoredEnvelope[] {
  return reader
    .sql<EnvelopeRow>(
      'SELECT * FROM envelopes WHERE vehicle IS NULL AND payload = ? AND removed_at IS NULL ORDER BY id DESC',
    )
    .all(blob(payload))
    .map(envelopeOf);
}

/** The envelopes of a payload, in the order they were added, row by row; removed ones only if `everyone`. */
export function* envelopesOf(reader: Reader, payload: Uint8Array, everyone = false): Iterable<StoredEnvelope> {
  const rows = reader
    .sql<EnvelopeRow>('SELECT * FROM envelopes WHERE payload = ? AND (removed_at IS NULL OR ?) ORDER BY id')
    .iterate(blob(payload), everyone ? 1 : 0);
  for (const row of rows) yield envelopeOf(row);
}

/** How many recipients a payload has, and how many it ever had. */
export function countEnvelopes(reader: Reader, payload: Uint8Array): { now: number; ever: number } {
  const row = reader
    .sql<{ now: number; ever: number }>(
      `SELECT count(*) FILTER (WHERE removed_at IS NULL) AS now, count(DISTINCT keyid) AS ever
       FROM envelopes WHERE payload = ?`,
    )
    .get(blob(payload));
  return row ?? { now: 0, ever: 0 };
}

interface PayloadRow {
  readonly sha256: Uint8Array;
  readonly target: string;
  readonly clear_target: string;
  readonly length: number;
  readonly clear_length: number;
  readonly header_sha256: Uint8Array;
  readonly suite: string;
  readonly file_name: string;
  readonly created_at: number;
}

interface EnvelopeRow {
  readonly keyid: string;
  readonly vehicle: string | null;
  readonly envelope: Uint8Array;
  readonly expires: number | null;
  readonly added_at: number;
  readonly removed_at: number | null;
}

function payloadOf(row: PayloadRow): SealedPayload {
  return {
    sha256: bytesOf(row.sha256),
    target: parseTargetName(row.target),
    clearTarget: parseTargetName(row.clear_target),
    length: row.length,
    clearLength: row.clear_length,
    headerSha256: bytesOf(row.header_sha256),
    suite: row.suite,
    fileName: row.file_name,
    createdAt: row.created_at,
  };
}

function envelopeOf(row: EnvelopeRow): StoredEnvelope {
  const { keyid: keyId, vehicle, expires, added_at: addedAt, removed_at: removedAt } = row;
  return { keyId, vehicle, envelope: bytesOf(row.envelope), expires, addedAt, removedAt };
}

/** An envelope from its vehicle's side. */
export interface DeliveredEnvelope {
  readonly target: TargetName;
  readonly keyId: string;
  readonly expires: number | null;
  readonly addedAt: number;
  readonly removedAt: number | null;
}

/** The envelopes a vehicle was given, removed ones too, newest first, at most `limit`. */
export function envelopesOfVehicle(reader: Reader, vehicle: string, limit: number): readonly DeliveredEnvelope[] {
  return reader
    .sql<Omit<DeliveredEnvelope, 'target'> & { target: string }>(
      `SELECT target, keyid AS keyId, expires, added_at AS addedAt, removed_at AS removedAt
       FROM envelopes JOIN sealed_payloads ON sha256 = payload WHERE vehicle = ? ORDER BY id DESC LIMIT ?`,
    )
    .all(vehicle, limit)
    .map((row) => ({ ...row, target: parseTargetName(row.target) }));
}

/** How many envelopes ever went to a vehicle's key. */
export function countEnvelopesOfKey(reader: Reader, vehicle: string, keyId: string): number {
  const sql = 'SELECT count(*) AS n FROM envelopes WHERE vehicle = ? AND keyid = ?';
  return reader.sql<{ n: number }>(sql).get(vehicle, keyId)?.n ?? 0;
}

/** The newest payload whose own target is `target`. */
export function sealedPayloadOfTarget(reader: Reader, target: TargetName): SealedPayload | undefined {
  const row = reader
    .sql<PayloadRow>('SELECT * FROM sealed_payloads WHERE target = ? ORDER BY created_at DESC LIMIT 1')
    .get(target);
  return row === undefined ? undefined : payloadOf(row);
}

/** Whether a key has an envelope of a payload that was not taken away. */
export function hasEnvelope(reader: Reader, payload: Uint8Array, keyId: string): boolean {
  const sql = 'SELECT 1 FROM envelopes WHERE payload = ? AND keyid = ? AND removed_at IS NULL';
  return reader.sql(sql).get(blob(payload), keyId) !== undefined;
}
