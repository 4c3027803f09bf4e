/** Vehicles of the repository: added one by one, listed, shown. */
import type { Instant, KeyId, Name, Vin } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import { requireFitting } from '../../formats/inventory/vehicle.ts';
import type { InventoryEcu } from '../../formats/inventory/vehicle.ts';
import { addVehicle, countVehicles, encryptionKeyOf, vehicleKeys, vehicleOfVin, vehicles } from '../../store/fleet.ts';
import type { Vehicle, VehicleKey } from '../../store/fleet.ts';
import { replaceVehicleEcus, vehicleEcus } from '../../store/inventory.ts';
import type { VehicleEcu } from '../../store/inventory.ts';
import type { Reader } from '../../store/reader.ts';
import { situationReader } from '../../store/situations.ts';
import type { EcuSituation } from '../../store/situations.ts';
import { envelopesOfVehicle } from '../../store/sealed.ts';
import type { DeliveredEnvelope } from '../../store/sealed.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { keyReader } from './inventory-keys.ts';
import { registered } from './vehicle-units.ts';
import { giveKey, readEncryptionKey } from './vehicles-keys.ts';

/** A vehicle to add. */
export interface VehicleAddInput {
  readonly repository: RepositoryChoice;
  readonly vin: Vin;
  readonly model: Name;
  /** The `.pub` file of its encryption key. */
  readonly encryptionKey?: string | undefined;
  /** Its own ECUs; what the model has, where there are none. */
  readonly ecus?: readonly InventoryEcu[] | undefined;
  readonly dryRun?: boolean | undefined;
}

/** A vehicle that was added. */
export interface AddedVehicle {
  readonly vin: Vin;
  readonly model: string;
  /** Random; stands for the vehicle in published paths. */
  readonly id: string;
  readonly encryptionKey: { readonly keyId: KeyId; readonly kem: KemId } | null;
  /** How many ECUs of its own it was given. */
  readonly ecus: number;
}

/** Which vehicles to list. */
export interface VehicleListInput {
  readonly repository: RepositoryChoice;
  readonly model?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A vehicle in a list. */
export interface ListedVehicle {
  readonly vin: Vin;
  readonly model: string;
  readonly addedAt: Instant;
  readonly encryptionKeyId: string | null;
}

/** An ECU of a vehicle: what is on record, what it reported last, what it is told to install. */
export interface VehicleEcuDetails extends EcuSituation {
  /** Null where the vehicle's own inventory does not list it. */
  readonly kind: 'primary' | 'secondary' | null;
  readonly keyId: string | null;
  /** Seconds since it reported what it runs. */
  readonly ageSeconds: number | null;
}

/** All there is to know of a vehicle. */
export interface VehicleDetails {
  readonly vehicle: Vehicle;
  readonly keys: readonly VehicleKey[];
  readonly ecus: readonly VehicleEcuDetails[];
  readonly envelopes: readonly DeliveredEnvelope[];
}

const ENVELOPES_SHOWN = 100;

/** Adds a vehicle of a known model. @throws VEHICLE_EXISTS, VEHICLE_MODEL_UNKNOWN, KEY_SERVES_ANOTHER, KEY_* */
export async function addOneVehicle(input: VehicleAddInput, io: Io): Promise<AddedVehicle> {
  using repository = await openChosen(io, input.repository);
  const { vin, model, dryRun } = input;
  const key = input.encryptionKey === undefined ? undefined : await readEncryptionKey(io, input.encryptionKey);
  const summary = `added vehicle ${vin}, model ${model}`;
  const registry = registered(repository, keyReader(io, '.'));
  registry.requireModel(model);
  const ecus: VehicleEcu[] = [];
  for (const ecu of input.ecus ?? []) ecus.push(await registry.resolve(ecu, model));
  requireFitting(input.ecus ?? []);
  return repository.transact({ command: 'vehicle add', summary, dryRun }, (tx) => {
    const vehicle = addVehicle(tx, { vin, model });
    if (key !== undefined) giveKey(tx, vehicle, key);
    replaceVehicleEcus(tx, vehicle.id, ecus);
    const encryptionKey = key === undefined ? null : { keyId: key.keyId, kem: key.kem };
    return { vin, model, id: vehicle.id, encryptionKey, ecus: ecus.length };
  });
}

/** A page of vehicles by VIN, and how many there are in all. */
export async function listVehicles(
  input: VehicleListInput,
  io: Io,
): Promise<{ vehicles: readonly ListedVehicle[]; total: number; more: boolean }> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const { model, after, limit } = input;
  const filter = { ...(model === undefined ? {} : { model }), ...(after === undefined ? {} : { afterVin: after }) };
  const page: Vehicle[] = [];
  let more = false;
  for (const vehicle of vehicles(repository, filter)) {
    more = page.length === limit;
    if (more) break;
    page.push(vehicle);
  }
  const listed = page.map((vehicle) => ({
    vin: vehicle.vin,
    model: vehicle.model,
    addedAt: vehicle.addedAt,
    encryptionKeyId: encryptionKeyOf(repository, vehicle.id)?.keyId ?? null,
  }));
  return { vehicles: listed, total: countVehicles(repository), more };
}

/** A vehicle, its keys, and the newest envelopes it was given. @throws VEHICLE_UNKNOWN */
export async function showVehicle(input: { repository: RepositoryChoice; vin: Vin }, io: Io): Promise<VehicleDetails> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const vehicle = vehicleOfVin(repository, input.vin);
  return {
    vehicle,
    keys: vehicleKeys(repository, vehicle.id),
    ecus: ecuDetails(repository, vehicle),
    envelopes: envelopesOfVehicle(repository, vehicle.id, ENVELOPES_SHOWN),
  };
}

function ecuDetails(reader: Reader, vehicle: Vehicle): readonly VehicleEcuDetails[] {
  const own = new Map(vehicleEcus(reader, vehicle.id).map((ecu) => [ecu.ecu, ecu]));
  const now = reader.io.clock.now();
  return (situationReader(reader)(vehicle.vin)?.ecus ?? []).map((ecu) => {
    const listed = own.get(ecu.id);
    const ageSeconds = ecu.installed === undefined ? null : Math.max(0, now - ecu.installed.reportedAt);
    return { ...ecu, kind: listed?.kind ?? null, keyId: listed?.keyId ?? null, ageSeconds };
  });
}
