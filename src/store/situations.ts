/** Vehicles as planning sees them: ECUs, last known configuration, what is assigned; a few indexed reads for each. */
import type { Vin } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { modelUnits } from './inventory.ts';
import type { ModelUnit } from './inventory.ts';
import type { Reader } from './reader.ts';

/** What an ECU reported last. */
export interface ReportedInstall {
  readonly target: string;
  /** In hex. */
  readonly sha256: string;
  readonly version: string | null;
  readonly releaseCounter: number | null;
  /** Seconds since 1970. */
  readonly reportedAt: number;
}

/** An ECU or gateway of a vehicle. */
export interface EcuSituation {
  /** The model's id of it. */
  readonly id: string;
  /** Empty for a gateway. */
  readonly type: string;
  readonly hardware: string;
  readonly serial: string | null;
  /** What the model's registry says; empty where that is not known. */
  readonly factoryVersion: string;
  readonly installed: ReportedInstall | undefined;
  /** The target that the Director says now. */
  readonly assigned: string | undefined;
}

/** A vehicle. */
export interface Situation {
  readonly id: string;
  readonly vin: string;
  readonly model: string;
  readonly hasEncryptionKey: boolean;
  /** Where the vehicle's own inventory is known: what it lists, and the gateways of that; else all of its model. */
  readonly ecus: readonly EcuSituation[];
}

interface VehicleRow {
  readonly id: string;
  readonly vin: string;
  readonly model: string;
  readonly hasKey: number;
}

interface InstalledRow extends Omit<ReportedInstall, 'sha256'> {
  readonly ecu: string;
  readonly sha256: Uint8Array;
}

const VEHICLE = `SELECT id, vin, model, EXISTS (SELECT 1 FROM vehicle_keys
    WHERE vehicle = vehicles.id AND purpose = 'encryption' AND revoked_at IS NULL) AS hasKey
  FROM vehicles WHERE vin = ?`;
const ECUS = 'SELECT ecu, serial, hardware FROM vehicle_ecus WHERE vehicle = ?';
const ASSIGNED = 'SELECT ecu, target FROM assignments WHERE vehicle = ?';
const INSTALLED = `SELECT ecu, target, sha256, version, release_counter AS releaseCounter, reported_at AS reportedAt
  FROM installed WHERE vehicle = ?`;

/** Gives a function from VIN to situation that keeps what the models have; undefined for a vehicle that is not known. */
export function situationReader(reader: Reader): (vin: Vin) => Situation | undefined {
  const models = new Map<string, ReadonlyMap<string, ModelUnit>>();
  const unitsOf = (model: string): ReadonlyMap<string, ModelUnit> => {
    const units = models.get(model) ?? modelUnits(reader, model);
    models.set(model, units);
    return units;
  };
  return (vin) => {
    const row = reader.sql<VehicleRow>(VEHICLE).get(vin);
    if (row === undefined) return undefined;
    const { id, model } = row;
    const assigned = new Map(
      reader
        .sql<{ ecu: string; target: string }>(ASSIGNED)
        .all(id)
        .map(({ ecu, target }) => [ecu, target]),
    );
    const installed = new Map(
      reader
        .sql<InstalledRow>(INSTALLED)
        .all(id)
        .map((one) => [one.ecu, one]),
    );
    const ecus = unitsIn(reader, id, unitsOf(model)).map((unit): EcuSituation => {
      return { ...unit, installed: reported(installed.get(unit.id)), assigned: assigned.get(unit.id) };
    });
    return { id, vin: row.vin, model, hasEncryptionKey: row.hasKey === 1, ecus };
  };
}

type Unit = Omit<EcuSituation, 'installed' | 'assigned'>;

function unitsIn(reader: Reader, vehicle: string, units: ReadonlyMap<string, ModelUnit>): readonly Unit[] {
  const own = reader.sql<{ ecu: string; serial: string | null; hardware: string }>(ECUS).all(vehicle);
  if (own.length === 0) return [...units.values()].map((unit) => unitOf(unit));
  const listed = new Map(own.map((ecu) => [ecu.ecu, ecu]));
  const wanted = new Set(listed.keys());
  for (const id of listed.keys()) wanted.add(units.get(id)?.gateway ?? id);
  const had = [...units.values()].filter(({ id }) => wanted.has(id));
  return had.map((unit) => unitOf(unit, listed.get(unit.id)));
}

function unitOf(unit: ModelUnit, own?: { serial: string | null; hardware: string }): Unit {
  const { id, type, hardware, factoryVersion } = unit;
  return { id, type, factoryVersion, hardware: own?.hardware ?? hardware, serial: own?.serial ?? null };
}

function reported(row: InstalledRow | undefined): ReportedInstall | undefined {
  return row === undefined ? undefined : { ...row, sha256: toHex(row.sha256) };
}
