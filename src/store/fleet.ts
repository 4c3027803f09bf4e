/** Gateways and ECUs of models; vehicles and their keys. */
import { instantOf, parseVin } from '../core/brands.ts';
import type { Instant, Vin } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { failure, SecureevError } from '../core/errors.ts';
import { requireProductionKey } from '../formats/keys/rehearsal-keys.ts';
import type { Reader, Tx } from './reader.ts';
import { findSetting } from './settings.ts';

/** A zonal gateway of a model. */
export interface Gateway {
  readonly model: string;
  readonly id: string;
  readonly name: string;
}

/** An ECU of a model, behind a gateway. */
export interface Ecu {
  readonly model: string;
  readonly id: string;
  readonly gateway: string;
  readonly name: string;
  readonly type: string;
  readonly hardware: string;
  readonly currentVersion: string;
}

/** A vehicle; `id` is random (32 hex digits) and the only name of it in published paths. */
export interface Vehicle {
  readonly id: string;
  readonly vin: Vin;
  readonly model: string;
  readonly addedAt: Instant;
}

/** A public key of a vehicle. */
export interface VehicleKey {
  readonly vehicle: string;
  readonly keyId: string;
  readonly purpose: 'encryption' | 'identity';
  readonly algorithm: string;
  /** The public file text. */
  readonly public: string;
  readonly addedAt: number;
  readonly revokedAt: number | null;
  readonly reason: string | null;
}

const ECU_COLUMNS = 'model, id, gateway, name, type, hardware, current_version AS currentVersion';
const KEY_COLUMNS =
  'vehicle, keyid AS keyId, purpose, algorithm, public, added_at AS addedAt, revoked_at AS revokedAt, reason';

/** Adds or replaces a gateway; whether anything changed. */
export function putGateway(tx: Tx, gateway: Gateway): boolean {
  const { model, id, name } = gateway;
  const result = tx
    .sql(
      `INSERT INTO gateways (model, id, name) VALUES (?, ?, ?)
       ON CONFLICT (model, id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`,
    )
    .run(model, id, name);
  return result.changes > 0;
}

/** Adds or replaces an ECU, after its gateway; whether anything changed. */
export function putEcu(tx: Tx, ecu: Ecu): boolean {
  const result = tx
    .sql(
      `INSERT INTO ecus (model, id, gateway, name, type, hardware, current_version)
       VALUES (:model, :id, :gateway, :name, :type, :hardware, :currentVersion)
       ON CONFLICT (model, id) DO UPDATE SET gateway = excluded.gateway, name = excluded.name, type = excluded.type,
         hardware = excluded.hardware, current_version = excluded.current_version
       WHERE (ecus.gateway, ecus.name, ecus.type, ecus.hardware, ecus.current_version) <>
         (excluded.gateway, excluded.name, excluded.type, excluded.hardware, excluded.current_version)`,
    )
    .run({ ...ecu });
  return result.changes > 0;
}

/** Removes an ECU of a model; whether there was one. */
export function removeEcu(tx: Tx, model: string, id: string): boolean {
  return tx.sql('DELETE FROM ecus WHERE model = ? AND id = ?').run(model, id).changes > 0;
}

/** Removes a gateway that has no ECU left; whether there was one. */
export function removeGateway(tx: Tx, model: string, id: string): boolean {
  return tx.sql('DELETE FROM gateways WHERE model = ? AND id = ?').run(model, id).changes > 0;
}

/** The models that have gateways. */
export function models(reader: Reader): readonly string[] {
  return reader
    .sql<{ model: string }>('SELECT DISTINCT model FROM gateways ORDER BY model')
    .all()
    .map((row) => row.model);
}

/** The gateways of a model, by id. */
export function gatewaysOf(reader: Reader, model: string): readonly Gateway[] {
  return reader.sql<Gateway>('SELECT model, id, name FROM gateways WHERE model = ? ORDER BY id').all(model);
}

/** The ECUs of a model, by id. */
export function ecusOf(reader: Reader, model: string): readonly Ecu[] {
  return reader.sql<Ecu>(`SELECT ${ECU_COLUMNS} FROM ecus WHERE model = ? ORDER BY id`).all(model);
}

/** An ECU of a model. */
export function findEcu(reader: Reader, model: string, id: string): Ecu | undefined {
  return reader.sql<Ecu>(`SELECT ${ECU_COLUMNS} FROM ecus WHERE model = ? AND id = ?`).get(model, id);
}

/** Adds a vehicle under a fresh random id. @throws VEHICLE_EXISTS */
export function addVehicle(tx: Tx, vehicle: { vin: Vin; model: string }): Vehicle {
  if (findVehicle(tx, vehicle.vin) !== undefined) {
    throw failure('VEHICLE_EXISTS', `vehicle ${vehicle.vin} is known already`, { vin: vehicle.vin });
  }
  const id = toHex(tx.io.random.bytes(16));
  tx.sql('INSERT INTO vehicles (id, vin, model, added_at) VALUES (?, ?, ?, ?)').run(
    id,
    vehicle.vin,
    vehicle.model,
    tx.now,
  );
  tx.about(`vehicle:${vehicle.vin}`);
  return { id, vin: vehicle.vin, model: vehicle.model, addedAt: tx.now };
}

/** The vehicle of a VIN. */
export function findVehicle(reader: Reader, vin: Vin): Vehicle | undefined {
  const row = reader.sql<VehicleRow>('SELECT * FROM vehicles WHERE vin = ?').get(vin);
  return row === undefined ? undefined : vehicleOf(row);
}

/** The vehicle of a random id. */
export function findVehicleById(reader: Reader, id: string): Vehicle | undefined {
  const row = reader.sql<VehicleRow>('SELECT * FROM vehicles WHERE id = ?').get(id);
  return row === undefined ? undefined : vehicleOf(row);
}

/** The vehicle of a VIN. @throws VEHICLE_UNKNOWN */
export function vehicleOfVin(reader: Reader, vin: Vin): Vehicle {
  const vehicle = findVehicle(reader, vin);
  if (vehicle === undefined) throw noVehicle(vin);
  return vehicle;
}

/** Nobody has registered this vehicle. */
export function noVehicle(vin: Vin): SecureevError {
  return new SecureevError('VEHICLE_UNKNOWN', {
    message: `no vehicle ${vin} in the repository`,
    hint: `\`secureev vehicle list\` shows them; \`secureev vehicle add ${vin} --model MODEL\` adds it`,
    details: { vin },
  });
}

/** Vehicles by VIN, of one model where given, row by row, after `afterVin`. */
export function* vehicles(reader: Reader, filter: { model?: string; afterVin?: string } = {}): Iterable<Vehicle> {
  const after = filter.afterVin ?? '';
  const rows =
    filter.model === undefined
      ? reader.sql<VehicleRow>('SELECT * FROM vehicles WHERE vin > ? ORDER BY vin').iterate(after)
      : reader
          .sql<VehicleRow>('SELECT * FROM vehicles WHERE model = ? AND vin > ? ORDER BY vin')
          .iterate(filter.model, after);
  for (const row of rows) yield vehicleOf(row);
}

/** How many vehicles there are. */
export function countVehicles(reader: Reader): number {
  return reader.sql<{ n: number }>('SELECT count(*) AS n FROM vehicles').get()?.n ?? 0;
}

/** Adds a key to a vehicle; one revoked before comes back only by a new key. @throws KEY_REHEARSAL, VEHICLE_KEY_EXISTS */
export function addVehicleKey(
  tx: Tx,
  key: Pick<VehicleKey, 'vehicle' | 'keyId' | 'purpose' | 'algorithm' | 'public'>,
): void {
  requireProductionKey(key, findSetting(tx, 'rehearsal') !== undefined);
  if (vehicleKeys(tx, key.vehicle).some((known) => known.keyId === key.keyId)) {
    throw failure('VEHICLE_KEY_EXISTS', `the vehicle has or had the key ${key.keyId}`, { keyId: key.keyId });
  }
  tx.sql(
    `INSERT INTO vehicle_keys (vehicle, keyid, purpose, algorithm, public, added_at)
     VALUES (:vehicle, :keyId, :purpose, :algorithm, :public, :now)`,
  ).run({ ...key, now: tx.now });
  tx.about(`key:${key.keyId}`);
}

/** Revokes a vehicle's key; whether it was there and not revoked before. */
export function revokeVehicleKey(tx: Tx, key: { vehicle: string; keyId: string; reason: string }): boolean {
  tx.about(`key:${key.keyId}`);
  return (
    tx
      .sql(
        `UPDATE vehicle_keys SET revoked_at = :now, reason = :reason
         WHERE vehicle = :vehicle AND keyid = :keyId AND revoked_at IS NULL`,
      )
      .run({ ...key, now: tx.now }).changes > 0
  );
}

/** All keys of a vehicle, revoked ones too, oldest first. */
export function vehicleKeys(reader: Reader, vehicle: string): readonly VehicleKey[] {
  return reader
    .sql<VehicleKey>(`SELECT ${KEY_COLUMNS} FROM vehicle_keys WHERE vehicle = ? ORDER BY added_at, keyid`)
    .all(vehicle);
}

/** Every vehicle's use of a key. */
export function vehicleKeysById(reader: Reader, keyId: string): readonly VehicleKey[] {
  return reader.sql<VehicleKey>(`SELECT ${KEY_COLUMNS} FROM vehicle_keys WHERE keyid = ?`).all(keyId);
}

/** Keys of vehicles that begin with `prefix` and are not revoked, at most `limit`. */
export function vehicleKeysBeginning(reader: Reader, prefix: string, limit: number): readonly VehicleKey[] {
  return reader
    .sql<VehicleKey>(
      `SELECT ${KEY_COLUMNS} FROM vehicle_keys
       WHERE keyid >= :prefix AND keyid < :end AND revoked_at IS NULL ORDER BY keyid LIMIT :limit`,
    )
    .all({ prefix, end: `${prefix}g`, limit });
}

/** The encryption key envelopes of a vehicle go to: the newest that is not revoked. */
export function encryptionKeyOf(reader: Reader, vehicle: string): VehicleKey | undefined {
  return vehicleKeys(reader, vehicle).findLast((key) => key.purpose === 'encryption' && key.revokedAt === null);
}

/** The id and algorithm of {@link encryptionKeyOf}, for whole fleets. */
export function encryptionKeyFacts(
  reader: Reader,
  vehicle: string,
): { readonly keyId: string; readonly algorithm: string } | undefined {
  return reader
    .sql<{ keyId: string; algorithm: string }>(
      `SELECT keyid AS keyId, algorithm FROM vehicle_keys
       WHERE vehicle = ? AND purpose = 'encryption' AND revoked_at IS NULL ORDER BY added_at DESC, keyid DESC LIMIT 1`,
    )
    .get(vehicle);
}

interface VehicleRow {
  readonly id: string;
  readonly vin: string;
  readonly model: string;
  readonly added_at: number;
}

function vehicleOf(row: VehicleRow): Vehicle {
  return { id: row.id, vin: parseVin(row.vin), model: row.model, addedAt: instantOf(row.added_at) };
}
