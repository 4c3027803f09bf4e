/**
 * What the Director says of each vehicle: its ECUs with what is assigned to them, and its last complete files, byte for byte.
 *
 * Invariant: a vehicle's Targets, Snapshot and Timestamp change together in one transaction, each number above the last.
 */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import type { Reader, Tx } from './reader.ts';
import { blob, bytesOf } from './versions.ts';

/** The roles that each vehicle has of its own. */
export const VEHICLE_ROLES = ['targets', 'snapshot', 'timestamp'] as const;
/** One of {@link VEHICLE_ROLES}. */
export type VehicleRole = (typeof VEHICLE_ROLES)[number];

/** For this connection: a fleet is walked through once, in the order of its tables, and what was written is not read again. */
export function keepCacheSmall(reader: Reader): void {
  reader.sql('PRAGMA cache_size = -8192').run();
}

/** What is known of a file without its bytes. */
export interface DirectorFileFacts {
  readonly role: VehicleRole;
  readonly version: number;
  readonly expires: Instant;
  readonly length: number;
  readonly sha256: Uint8Array;
}

/** A complete file of a vehicle. */
export interface DirectorFile extends DirectorFileFacts {
  readonly file: Uint8Array;
}

interface FileRow {
  readonly role: VehicleRole;
  readonly version: number;
  readonly expires: number;
  readonly length: number;
  readonly sha256: Uint8Array;
}

/** A vehicle's files without their bytes, by role. */
export function directorFileFacts(reader: Reader, vehicle: string): ReadonlyMap<VehicleRole, DirectorFileFacts> {
  const rows = reader
    .sql<FileRow>('SELECT role, version, expires, length, sha256 FROM director_files WHERE vehicle = ?')
    .all(vehicle);
  return new Map(rows.map((row) => [row.role, factsOf(row)]));
}

/** A file of a vehicle. */
export function directorFile(reader: Reader, vehicle: string, role: VehicleRole): DirectorFile | undefined {
  const row = reader
    .sql<FileRow & { file: Uint8Array }>('SELECT * FROM director_files WHERE vehicle = ? AND role = ?')
    .get(vehicle, role);
  return row === undefined ? undefined : { ...factsOf(row), file: bytesOf(row.file) };
}

/** Puts a newer file in the place of a vehicle's last. */
export function putDirectorFile(tx: Tx, vehicle: string, made: DirectorFile): void {
  const { role, version, expires, length, sha256, file } = made;
  tx.sql(
    `INSERT INTO director_files (vehicle, role, version, expires, length, sha256, file) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (vehicle, role) DO UPDATE SET version = excluded.version, expires = excluded.expires,
       length = excluded.length, sha256 = excluded.sha256, file = excluded.file`,
  ).run(vehicle, role, version, expires, length, blob(sha256), blob(file));
}

/** What one ECU is assigned; `serial` and `hardware` are null where only the model is known. */
export interface AssignedTarget {
  readonly ecu: string;
  readonly target: string;
  readonly serial: string | null;
  readonly hardware: string | null;
}

/** What a vehicle's ECUs are assigned, by ECU; gateways are their own hardware. */
export function assignedTargets(reader: Reader, vehicle: string): readonly AssignedTarget[] {
  return reader
    .sql<AssignedTarget>(
      `SELECT a.ecu, a.target, v.serial, coalesce(v.hardware, e.hardware, g.id) AS hardware
       FROM assignments AS a JOIN vehicles ON vehicles.id = a.vehicle
       LEFT JOIN vehicle_ecus AS v ON v.vehicle = a.vehicle AND v.ecu = a.ecu
       LEFT JOIN ecus AS e ON e.model = vehicles.model AND e.id = a.ecu
       LEFT JOIN gateways AS g ON g.model = vehicles.model AND g.id = a.ecu
       WHERE a.vehicle = ? ORDER BY a.ecu`,
    )
    .all(vehicle);
}

/** Marks a vehicle whose Targets are to be signed anew. */
export function markChanged(tx: Tx, vehicle: string): void {
  tx.sql('INSERT INTO director_changes (vehicle) VALUES (?) ON CONFLICT DO NOTHING').run(vehicle);
}

/** Marks every vehicle that has signed files: the Director's keys have changed. How many were not marked before. */
export function markAllSigned(tx: Tx): number {
  return tx
    .sql(
      `INSERT INTO director_changes (vehicle) SELECT vehicle FROM director_files WHERE role = 'timestamp'
     ON CONFLICT DO NOTHING`,
    )
    .run().changes;
}

/** A vehicle's signed Targets say what it is assigned. */
export function clearChanged(tx: Tx, vehicle: string): void {
  tx.sql('DELETE FROM director_changes WHERE vehicle = ?').run(vehicle);
}

/** Whether a vehicle's Targets are to be signed anew. */
export function isChanged(reader: Reader, vehicle: string): boolean {
  return reader.sql('SELECT 1 FROM director_changes WHERE vehicle = ?').get(vehicle) !== undefined;
}

/** Whether the Director has signed any vehicle. */
export function anySigned(reader: Reader): boolean {
  return reader.sql('SELECT 1 FROM director_files LIMIT 1').get() !== undefined;
}

/** The ids of vehicles whose Targets are to be signed anew, in order, row by row. */
export function* changedVehicles(reader: Reader): Iterable<string> {
  const rows = reader.sql<{ vehicle: string }>('SELECT vehicle FROM director_changes ORDER BY vehicle').iterate();
  for (const { vehicle } of rows) yield vehicle;
}

/** The ids of vehicles that have signed files, in order, row by row. */
export function* signedVehicles(reader: Reader): Iterable<string> {
  const sql = "SELECT vehicle FROM director_files WHERE role = 'timestamp' ORDER BY vehicle";
  for (const { vehicle } of reader.sql<{ vehicle: string }>(sql).iterate()) yield vehicle;
}

/** The ids of vehicles that have signed files or are changed, in order, row by row. */
export function* everyVehicle(reader: Reader): Iterable<string> {
  const sql = `SELECT vehicle FROM director_files WHERE role = 'timestamp' UNION SELECT vehicle FROM director_changes
    ORDER BY vehicle`;
  for (const { vehicle } of reader.sql<{ vehicle: string }>(sql).iterate()) yield vehicle;
}

/** For each role, the time up to which a file is due. */
export type DueTimes = Readonly<Record<VehicleRole, Instant>>;

/** The ids of vehicles with a file that expires at its role's time or before, in order, row by row. */
export function* dueVehicles(reader: Reader, due: DueTimes): Iterable<string> {
  const each = "SELECT vehicle FROM director_files WHERE role = '?' AND expires <= :?";
  const sql = VEHICLE_ROLES.map((role) => each.replaceAll('?', role)).join(' UNION ');
  for (const { vehicle } of reader.sql<{ vehicle: string }>(`${sql} ORDER BY vehicle`).iterate(due)) yield vehicle;
}

/** Counts of vehicles. */
export interface DirectorCounts {
  readonly signed: number;
  readonly changed: number;
  readonly due: number;
  readonly expired: number;
  /** The soonest time at which a file of any vehicle expires. */
  readonly nextExpiry: Instant | null;
}

/** How many vehicles have signed files, are changed, due or expired at `now`. */
export function directorCounts(reader: Reader, due: DueTimes, now: Instant): DirectorCounts {
  const count = (sql: string, ...given: readonly unknown[]): number =>
    reader.sql<{ n: number }>(sql).get(...given)?.n ?? 0;
  const countDue = (times: DueTimes): number => {
    const each = "SELECT vehicle FROM director_files WHERE role = '?' AND expires <= :?";
    const sql = VEHICLE_ROLES.map((role) => each.replaceAll('?', role)).join(' UNION ');
    return count(`SELECT count(*) AS n FROM (${sql})`, times);
  };
  const next = reader
    .sql<{ expires: number | null }>(
      `SELECT min(expires) AS expires FROM (${VEHICLE_ROLES.map((role) => `SELECT min(expires) AS expires FROM director_files WHERE role = '${role}'`).join(' UNION ALL ')})`,
    )
    .get()?.expires;
  return {
    signed: count("SELECT count(*) AS n FROM director_files WHERE role = 'timestamp'"),
    changed: count('SELECT count(*) AS n FROM director_changes'),
    due: countDue(due),
    expired: countDue({ targets: now, snapshot: now, timestamp: now }),
    nextExpiry: next === null || next === undefined ? null : instantOf(next),
  };
}

function factsOf(row: FileRow): DirectorFileFacts {
  const { role, version, length } = row;
  return { role, version, length, expires: instantOf(row.expires), sha256: bytesOf(row.sha256) };
}
