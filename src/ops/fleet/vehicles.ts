/** Vehicles of the repository: added one by one, listed, shown. */
import type { Instant, KeyId, Name, Vin } from '../../core/brands.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import {
  addVehicle,
  countVehicles,
  encryptionKeyOf,
  models,
  vehicleKeys,
  vehicleOfVin,
  vehicles,
} from '../../store/fleet.ts';
import type { Vehicle, VehicleKey } from '../../store/fleet.ts';
import type { Reader } from '../../store/reader.ts';
import { envelopesOfVehicle } from '../../store/sealed.ts';
import type { DeliveredEnvelope } from '../../store/sealed.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { giveKey, readEncryptionKey } from './vehicles-keys.ts';

/** A vehicle to add. */
export interface VehicleAddInput {
  readonly repository: RepositoryChoice;
  readonly vin: Vin;
  readonly model: Name;
  /** The `.pub` file of its encryption key. */
  readonly encryptionKey?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** A vehicle that was added. */
export interface AddedVehicle {
  readonly vin: Vin;
  readonly model: string;
  /** Random; stands for the vehicle in published paths. */
  readonly id: string;
  readonly encryptionKey: { readonly keyId: KeyId; readonly kem: KemId } | null;
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

/** All there is to know of a vehicle. */
export interface VehicleDetails {
  readonly vehicle: Vehicle;
  readonly keys: readonly VehicleKey[];
  readonly envelopes: readonly DeliveredEnvelope[];
}

const ENVELOPES_SHOWN = 100;

/** Adds a vehicle of a known model. @throws VEHICLE_EXISTS, VEHICLE_MODEL_UNKNOWN, KEY_SERVES_ANOTHER, KEY_* */
export async function addOneVehicle(input: VehicleAddInput, io: Io): Promise<AddedVehicle> {
  using repository = await openChosen(io, input.repository);
  const { vin, model, dryRun } = input;
  const key = input.encryptionKey === undefined ? undefined : await readEncryptionKey(io, input.encryptionKey);
  const summary = `added vehicle ${vin}, model ${model}`;
  return repository.transact({ command: 'vehicle add', summary, dryRun }, (tx) => {
    refuseUnknownModel(tx, model);
    const vehicle = addVehicle(tx, { vin, model });
    if (key !== undefined) giveKey(tx, vehicle, key);
    const encryptionKey = key === undefined ? null : { keyId: key.keyId, kem: key.kem };
    return { vin, model, id: vehicle.id, encryptionKey };
  });
}

function refuseUnknownModel(reader: Reader, model: string): void {
  const known = models(reader);
  if (known.includes(model)) return;
  throw new SecureevError('VEHICLE_MODEL_UNKNOWN', {
    message: `no model ${model} in the repository`,
    hint:
      known.length === 0
        ? 'import its gateways and ECUs first: `secureev ecu import registry.yaml`'
        : `the models are ${known.join(', ')}; another comes with \`secureev ecu import\``,
    details: { model, known },
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
    envelopes: envelopesOfVehicle(repository, vehicle.id, ENVELOPES_SHOWN),
  };
}
