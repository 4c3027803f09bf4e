/**
 * The ECUs of single vehicles, and vehicles by the thousand.
 *
 * Invariants: a serial is of one ECU of one vehicle; a vehicle has at most one Primary; `key` is the text of a public file.
 */
import type { Vin } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { markChanged } from './director.ts';
import { ecusOf, gatewaysOf } from './fleet.ts';
import type { Reader, Tx } from './reader.ts';

/** An ECU or gateway of one vehicle. */
export interface VehicleEcu {
  /** The model's id of it. */
  readonly ecu: string;
  /** The unit's own id. */
  readonly serial: string | null;
  readonly hardware: string;
  readonly kind: 'primary' | 'secondary';
  /** The public file of the key it signs its reports with. */
  readonly key: string | null;
  readonly keyId: string | null;
}

/** An ECU or gateway of a model, as every vehicle of it has it unless its own inventory says otherwise. */
export interface ModelUnit {
  readonly id: string;
  /** Empty for a gateway. */
  readonly type: string;
  /** A gateway's is its id. */
  readonly hardware: string;
  /** The gateway it is behind; its own id for a gateway. */
  readonly gateway: string;
  /** Empty where it is not known. */
  readonly factoryVersion: string;
}

const COLUMNS = 'ecu, serial, hardware, kind, key, keyid AS keyId';

/** The ECUs on record for a vehicle, by id; none where only its model says what it has. */
export function vehicleEcus(reader: Reader, vehicle: string): readonly VehicleEcu[] {
  return reader.sql<VehicleEcu>(`SELECT ${COLUMNS} FROM vehicle_ecus WHERE vehicle = ? ORDER BY ecu`).all(vehicle);
}

/** Which vehicle an ECU's serial is of. */
export function vehicleOfSerial(reader: Reader, serial: string): { vin: string; ecu: string } | undefined {
  return reader
    .sql<{ vin: string; ecu: string }>(
      'SELECT vin, ecu FROM vehicle_ecus JOIN vehicles ON vehicles.id = vehicle WHERE serial = ?',
    )
    .get(serial);
}

/** The gateways and ECUs of a model by id. */
export function modelUnits(reader: Reader, model: string): ReadonlyMap<string, ModelUnit> {
  const gateways = gatewaysOf(reader, model).map(({ id }): ModelUnit => {
    return { id, type: '', hardware: id, gateway: id, factoryVersion: '' };
  });
  const ecus = ecusOf(reader, model).map(({ id, type, hardware, gateway, currentVersion }): ModelUnit => {
    return { id, type, hardware, gateway, factoryVersion: currentVersion };
  });
  return new Map([...gateways, ...ecus].map((unit) => [unit.id, unit]));
}

/**
 * Makes these the ECUs of a vehicle; whether anything changed. What was assigned to one that is gone is taken back.
 *
 * @throws INVENTORY_ECU_SHARED with `serial` in its details
 */
export function replaceVehicleEcus(tx: Tx, vehicle: string, ecus: readonly VehicleEcu[]): boolean {
  const before = new Map(vehicleEcus(tx, vehicle).map((ecu) => [ecu.ecu, ecu]));
  const wanted = new Set(ecus.map(({ ecu }) => ecu));
  const changed = ecus.filter((ecu) => !sameEcu(ecu, before.get(ecu.ecu)));
  const gone = [...before.keys()].filter((ecu) => !wanted.has(ecu));
  if (changed.length === 0 && gone.length === 0) return false;
  for (const ecu of [...gone, ...changed.map((one) => one.ecu).filter((id) => before.has(id))]) {
    tx.sql('DELETE FROM vehicle_ecus WHERE vehicle = ? AND ecu = ?').run(vehicle, ecu);
  }
  for (const ecu of changed) insertEcu(tx, vehicle, ecu);
  for (const ecu of gone) tx.sql('DELETE FROM assignments WHERE vehicle = ? AND ecu = ?').run(vehicle, ecu);
  // The Director names ECUs by their serials, so that what it says of this vehicle is to be said anew.
  const isNamed = tx.sql('SELECT 1 FROM director_files WHERE vehicle = ? LIMIT 1').get(vehicle) !== undefined;
  if (isNamed) markChanged(tx, vehicle);
  return true;
}

function sameEcu(ecu: VehicleEcu, known: VehicleEcu | undefined): boolean {
  return (
    known !== undefined &&
    ecu.serial === known.serial &&
    ecu.hardware === known.hardware &&
    ecu.kind === known.kind &&
    ecu.key === known.key
  );
}

function insertEcu(tx: Tx, vehicle: string, ecu: VehicleEcu): void {
  const { changes } = tx
    .sql(
      `INSERT INTO vehicle_ecus (vehicle, ecu, serial, hardware, kind, key, keyid)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (serial) DO NOTHING`,
    )
    .run(vehicle, ecu.ecu, ecu.serial, ecu.hardware, ecu.kind, ecu.key, ecu.keyId);
  if (changes > 0) return;
  const { vin = '', ecu: other = '' } = vehicleOfSerial(tx, ecu.serial ?? '') ?? {};
  throw failure('INVENTORY_ECU_SHARED', `serial ${ecu.serial} is that of ECU ${other} of vehicle ${vin}`, {
    serial: ecu.serial,
    ecu: ecu.ecu,
    vin,
  });
}

/** A vehicle as it is after {@link putVehicles}. */
export interface PutVehicle {
  readonly id: string;
  /** What it was before, for one that was known. */
  readonly model: string;
  readonly isNew: boolean;
}

const INSERT = `INSERT INTO vehicles (id, vin, model, added_at) VALUES (?, ?, ?, ?) ON CONFLICT (vin) DO NOTHING`;

/** Adds those of `vehicles` that are not known, under fresh random ids; says in the same order what each is. */
export function putVehicles(tx: Tx, wanted: readonly { vin: Vin; model: string }[]): readonly PutVehicle[] {
  const insert = tx.sql(INSERT);
  const fresh = freshIds(tx, wanted.length);
  return wanted.map(({ vin, model }, i) => {
    const id = fresh[i] ?? '';
    const isNew = insert.run(id, vin, model, tx.now).changes > 0;
    return isNew ? { id, model, isNew } : known(tx, vin);
  });
}

function known(tx: Tx, vin: Vin): PutVehicle {
  const row = tx.sql<{ id: string; model: string }>('SELECT id, model FROM vehicles WHERE vin = ?').get(vin);
  if (row === undefined) throw failure('INTERNAL', 'a vehicle that was put is not there');
  return { ...row, isNew: false };
}

const ID_BYTES = 16;
/** So many ids at a time: a port gives at most 65,536 random bytes. */
const IDS = 4096;

function freshIds(tx: Tx, count: number): readonly string[] {
  const ids: string[] = [];
  while (ids.length < count) {
    const lot = Math.min(IDS, count - ids.length);
    const hex = Buffer.from(tx.io.random.bytes(ID_BYTES * lot)).toString('hex');
    for (let i = 0; i < lot; i++) ids.push(hex.slice(2 * ID_BYTES * i, 2 * ID_BYTES * (i + 1)));
  }
  return ids;
}
