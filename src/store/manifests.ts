/**
 * What vehicles have reported: manifests, the last report of each ECU, and from them what is installed and how far campaigns are.
 *
 * Invariants: all that refuses a manifest is checked before anything of it is written; a report's time never goes back and
 * its counter always rises, so that nonces are kept only of an ECU's newest time; {@link MANIFESTS_KEPT} manifests are kept
 * of a vehicle, and all that tell of an attack.
 */
import { equalBytes } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { EcuReport } from '../formats/manifest/manifest.ts';
import { modelUnits } from './inventory.ts';
import type { Reader, Tx } from './reader.ts';
import { blob, bytesOf } from './versions.ts';

/** How many manifests of one vehicle stay on record, beside those that tell of an attack. */
export const MANIFESTS_KEPT = 32;

/** How far ahead of our clock a report may be, in seconds. */
export const REPORT_AHEAD_SECONDS = 3600;

/** An ECU of a vehicle, as manifests are held against it. */
export interface ReportingUnit {
  /** The model's id of it. */
  readonly ecu: string;
  /** Its serial where it is known, else the model's id. */
  readonly identifier: string;
  readonly isPrimary: boolean;
  /** The text of its public file; null where none is known. */
  readonly key: string | null;
}

/** A vehicle that reports. */
export interface ReportingVehicle {
  readonly id: string;
  readonly vin: string;
  readonly model: string;
}

/** The vehicle of a manifest: that of its Primary's serial, else that of its VIN. */
export function reportingVehicle(
  reader: Reader,
  { vin, primary }: { vin: string | undefined; primary: string },
): ReportingVehicle | undefined {
  const columns = 'SELECT vehicles.id, vin, model FROM vehicles';
  const bySerial = reader
    .sql<ReportingVehicle>(`${columns} JOIN vehicle_ecus ON vehicle = vehicles.id WHERE serial = ?`)
    .get(primary);
  if (bySerial !== undefined || vin === undefined) return bySerial;
  return reader.sql<ReportingVehicle>(`${columns} WHERE vin = ?`).get(vin);
}

interface UnitRow {
  readonly ecu: string;
  readonly serial: string | null;
  readonly kind: string;
  readonly key: string | null;
}

/** The ECUs that report for a vehicle: those on record, or where there are none, all of its model, whose keys are not known. */
export function reportingUnits(reader: Reader, vehicle: ReportingVehicle): readonly ReportingUnit[] {
  const rows = reader
    .sql<UnitRow>('SELECT ecu, serial, kind, key FROM vehicle_ecus WHERE vehicle = ? ORDER BY ecu')
    .all(vehicle.id);
  if (rows.length === 0) {
    return [...modelUnits(reader, vehicle.model).keys()].map((ecu) => {
      return { ecu, identifier: ecu, isPrimary: false, key: null };
    });
  }
  return rows.map(({ ecu, serial, kind, key }) => {
    return { ecu, identifier: serial ?? ecu, isPrimary: kind === 'primary', key };
  });
}

/** A report of an ECU, and what the Image repository knows of the image in it. */
export interface RecordedReport {
  /** The model's id of the ECU. */
  readonly ecu: string;
  readonly report: EcuReport;
  /** Null where no target has this name and content. */
  readonly version: string | null;
  readonly releaseCounter: number | null;
}

/** A manifest that was verified. */
export interface RecordedManifest {
  readonly vehicle: string;
  /** Of the canonical form; 32 bytes. */
  readonly sha256: Uint8Array;
  /** The model's id of the Primary. */
  readonly primary: string;
  readonly reports: readonly RecordedReport[];
}

/** Takes a verified manifest in. @throws MANIFEST_REPLAY, MANIFEST_STALE, MANIFEST_FUTURE */
export function recordManifest(tx: Tx, manifest: RecordedManifest): void {
  const { vehicle, sha256, primary, reports } = manifest;
  const own = reports.find(({ ecu }) => ecu === primary)?.report;
  if (own === undefined) throw failure('INTERNAL', 'a manifest without the report of its Primary');
  const nonce = nonceOf(own);
  requireNew(tx, { vehicle, sha256, nonce });
  for (const { ecu, report } of reports) requireFresh(tx, { vehicle, ecu, report });
  for (const one of reports) recordReport(tx, vehicle, one);
  const attack = attackText(reports);
  tx.sql('INSERT INTO manifests (sha256, vehicle, nonce, time, received_at, attack) VALUES (?, ?, ?, ?, ?, ?)').run(
    blob(sha256),
    vehicle,
    nonce,
    own.time,
    tx.now,
    attack,
  );
  forgetOld(tx, vehicle);
}

/** What the ECUs say of attacks, one line; null where they say nothing. */
export function attackText(reports: readonly RecordedReport[]): string | null {
  const told = reports.filter(({ report }) => report.attack !== undefined);
  return told.length === 0 ? null : told.map(({ ecu, report }) => `${ecu}: ${report.attack ?? ''}`).join('; ');
}

function nonceOf({ nonce, counter }: EcuReport): string {
  return nonce ?? `#${counter ?? ''}`;
}

function requireNew(tx: Tx, { vehicle, sha256, nonce }: { vehicle: string; sha256: Uint8Array; nonce: string }): void {
  const known = tx
    .sql('SELECT 1 FROM manifests WHERE sha256 = ? UNION ALL SELECT 1 FROM manifests WHERE vehicle = ? AND nonce = ?')
    .get(blob(sha256), vehicle, nonce);
  if (known !== undefined) throw failure('MANIFEST_REPLAY', 'this manifest, or its nonce, was here before', { nonce });
}

interface LastReport {
  readonly time: number;
  readonly counter: number | null;
}

interface OwnReport {
  readonly vehicle: string;
  readonly ecu: string;
  readonly report: EcuReport;
}

function requireFresh(tx: Tx, { vehicle, ecu, report }: OwnReport): void {
  const last = tx.sql<LastReport>('SELECT time, counter FROM reports WHERE vehicle = ? AND ecu = ?').get(vehicle, ecu);
  const { time, counter, nonce } = report;
  const known = tx.sql('SELECT 1 FROM report_nonces WHERE vehicle = ? AND ecu = ? AND nonce = ?');
  if (nonce !== undefined && known.get(vehicle, ecu, nonce) !== undefined) {
    throw failure('MANIFEST_REPLAY', `the nonce of the report of ECU ${ecu} was here before`, { ecu, nonce });
  }
  if (time > tx.now + REPORT_AHEAD_SECONDS) {
    throw failure('MANIFEST_FUTURE', `the report of ECU ${ecu} is of a time to come`, { ecu, time, now: tx.now });
  }
  if (last === undefined) return;
  if (counter !== undefined && last.counter !== null && counter <= last.counter) {
    const message = `the counter of the report of ECU ${ecu} is ${counter}, after ${last.counter}`;
    throw failure('MANIFEST_REPLAY', message, { ecu, counter, last: last.counter });
  }
  if (time < last.time) {
    throw failure('MANIFEST_STALE', `the report of ECU ${ecu} is older than the one before`, {
      ecu,
      time,
      last: last.time,
    });
  }
  // An ECU that has counted goes on counting: a report without would escape the check.
  if (counter === undefined && last.counter !== null) {
    throw failure('MANIFEST_REPLAY', `the report of ECU ${ecu} has no counter, after ${last.counter}`, { ecu });
  }
}

function recordReport(tx: Tx, vehicle: string, { ecu, report, version, releaseCounter }: RecordedReport): void {
  const { time, counter, nonce, attack, image } = report;
  tx.sql(
    'DELETE FROM report_nonces WHERE vehicle = ? AND ecu = ? AND ? > (SELECT time FROM reports WHERE vehicle = ? AND ecu = ?)',
  ).run(vehicle, ecu, time, vehicle, ecu);
  if (nonce !== undefined) {
    tx.sql('INSERT INTO report_nonces (vehicle, ecu, nonce) VALUES (?, ?, ?)').run(vehicle, ecu, nonce);
  }
  tx.sql(
    `INSERT INTO reports (vehicle, ecu, time, counter, attack) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (vehicle, ecu) DO UPDATE SET time = excluded.time, counter = excluded.counter, attack = excluded.attack`,
  ).run(vehicle, ecu, time, counter ?? null, attack ?? null);
  tx.sql(
    `INSERT INTO installed (vehicle, ecu, target, sha256, length, version, release_counter, reported_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (vehicle, ecu) DO UPDATE SET target = excluded.target, sha256 = excluded.sha256, length = excluded.length,
       version = excluded.version, release_counter = excluded.release_counter, reported_at = excluded.reported_at`,
  ).run(vehicle, ecu, image.name, blob(image.sha256), image.length, version, releaseCounter, tx.now);
}

function forgetOld(tx: Tx, vehicle: string): void {
  tx.sql(
    `DELETE FROM manifests WHERE vehicle = :vehicle AND attack IS NULL AND received_at <
       (SELECT received_at FROM manifests WHERE vehicle = :vehicle ORDER BY received_at DESC LIMIT 1 OFFSET :kept)`,
  ).run({ vehicle, kept: MANIFESTS_KEPT - 1 });
}

/** A vehicle's part in a campaign that a report may change. */
interface CampaignRow {
  readonly campaign: string;
  readonly state: string;
  readonly reason: string | null;
}

interface ProgressRow {
  readonly target: string;
  readonly installed: string | null;
  readonly sha256: Uint8Array | null;
}

/** What a vehicle's reports are held against. */
export interface ReportContext {
  /** What its ECUs say of an attack. */
  readonly attack: string | null;
  /** Of a target of the Image repository. */
  readonly sha256Of: (target: string) => Uint8Array | undefined;
}

/**
 * Brings a vehicle's part in its campaigns up to what it reports: `installed` when every assigned target is, else `signed`, with
 * the attack that it tells of as the reason. One that has nothing from a campaign, or no longer, stays there as it is.
 * Gives the campaigns that it has now gone through.
 */
export function followCampaigns(tx: Tx, vehicle: string, context: ReportContext): readonly string[] {
  const rows = tx
    .sql<CampaignRow>(
      `SELECT campaign, state, reason FROM campaign_vehicles WHERE vehicle = ? AND state IN ('signed', 'installed')`,
    )
    .all(vehicle);
  const done: string[] = [];
  for (const { campaign, state, reason: before } of rows) {
    const isInstalled = progressIn(tx, { vehicle, campaign, sha256Of: context.sha256Of });
    if (isInstalled === undefined) continue;
    const next = isInstalled ? 'installed' : 'signed';
    const reason = isInstalled || context.attack === null ? null : `an attack is reported: ${context.attack}`;
    if (next === state && reason === before) continue;
    tx.sql('UPDATE campaign_vehicles SET state = ?, reason = ? WHERE campaign = ? AND vehicle = ?').run(
      next,
      reason,
      campaign,
      vehicle,
    );
    if (next === 'installed' && state !== 'installed') done.push(campaign);
  }
  return done;
}

/**
 * Whether all that a campaign assigned to ECUs that report is installed; undefined where it assigned nothing to them. What an
 * ECU that does not report is assigned, such as a gateway that the inventory leaves out, is not waited for.
 */
function progressIn(
  tx: Tx,
  at: { vehicle: string; campaign: string; sha256Of: ReportContext['sha256Of'] },
): boolean | undefined {
  const rows = tx
    .sql<ProgressRow>(
      `SELECT a.target, i.target AS installed, i.sha256 FROM assignments AS a
       JOIN reports AS r ON r.vehicle = a.vehicle AND r.ecu = a.ecu
       LEFT JOIN installed AS i ON i.vehicle = a.vehicle AND i.ecu = a.ecu
       WHERE a.vehicle = ? AND a.campaign = ?`,
    )
    .all(at.vehicle, at.campaign);
  if (rows.length === 0) return undefined;
  return rows.every(({ target, installed, sha256 }) => {
    const wanted = at.sha256Of(target);
    return installed === target && sha256 !== null && wanted !== undefined && equalBytes(bytesOf(sha256), wanted);
  });
}

/** A manifest on record. */
export interface ManifestOnRecord {
  readonly vin: string;
  /** What the Primary vouches for, and when it came; seconds since 1970. */
  readonly time: number;
  readonly receivedAt: number;
  readonly nonce: string;
  /** What ECUs say of an attack. */
  readonly attack: string | null;
}

/** Manifests on record, the newest first, at most `limit`. */
export function manifestsOnRecord(
  reader: Reader,
  { vin, attacks, limit }: { vin: string | undefined; attacks: boolean; limit: number },
): readonly ManifestOnRecord[] {
  const where = [...(vin === undefined ? [] : ['vin = :vin']), ...(attacks ? ['attack IS NOT NULL'] : [])];
  return reader
    .sql<ManifestOnRecord>(
      `SELECT vin, time, received_at AS receivedAt, nonce, attack FROM manifests JOIN vehicles ON vehicles.id = vehicle
       ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`} ORDER BY received_at DESC, nonce DESC LIMIT :limit`,
    )
    .all({ limit, ...(vin === undefined ? {} : { vin }) });
}
