/**
 * `vehicle import`: vehicles, their ECUs and keys from a CSV file or JSON lines of any length.
 *
 * Invariants: one transaction with one audit entry that names the file by its hash; memory does not grow with the file;
 * the same file again changes nothing.
 *
 * @see src/formats/inventory/FORMAT.md, requirements U21
 */
import type { Vin } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import { INVENTORY_FORMATS } from '../../formats/inventory/index.ts';
import type { InventoryFormat } from '../../formats/inventory/index.ts';
import { inventoryFailure } from '../../formats/inventory/vehicle.ts';
import type { InventoryVehicle } from '../../formats/inventory/vehicle.ts';
import { encryptionKeyOf, revokeVehicleKey } from '../../store/fleet.ts';
import { putVehicles, replaceVehicleEcus } from '../../store/inventory.ts';
import type { PutVehicle, VehicleEcu } from '../../store/inventory.ts';
import type { Tx } from '../../store/reader.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { atPlace, keyReader } from './inventory-keys.ts';
import type { KeyReader } from './inventory-keys.ts';
import { giveKey } from './vehicles-keys.ts';
import type { EncryptionKey } from './vehicles-keys.ts';
import { registered } from './vehicle-units.ts';
import type { Registered } from './vehicle-units.ts';
import { vinLedger } from './vin-ledger.ts';

/** What to bring in. */
export interface VehicleImportInput {
  readonly repository: RepositoryChoice;
  readonly file: string;
  /** The id of an inventory format; by the file's name where it is left out. */
  readonly format?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What an import did. */
export interface VehicleImportAnswer {
  readonly added: number;
  readonly changed: number;
  readonly same: number;
  /** Of the file, in hex. */
  readonly sha256: string;
}

/** The most vehicles that the audit entry names one by one; a longer list is in the file that it names by hash. */
const NAMED_MAX = 1000;

/** What is read at a time: its vehicles are in memory together, and outlive fewer collections the fewer they are. */
const CHUNK_BYTES = 32 * 1024;

/** Pages of the database in memory; other commands need few. */
const CACHE_KIB = 64 * 1024;

/**
 * Brings in an inventory file.
 *
 * @throws INVENTORY_*, VEHICLE_MODEL_UNKNOWN, VEHICLE_OF_ANOTHER_MODEL, KEY_*, FILE_*, DISK_FULL, INTERRUPTED
 */
export async function importVehicles(input: VehicleImportInput, io: Io): Promise<VehicleImportAnswer> {
  const { file, dryRun } = input;
  const format = formatOf(input);
  using repository = await openChosen(io, input.repository);
  repository.sql(`PRAGMA cache_size = -${CACHE_KIB}`).run();
  return await repository.transactAsync({ command: 'vehicle import', summary: '', dryRun }, async (tx) => {
    const answer = await importInto(tx, { file, format });
    const { added, changed, same, sha256 } = answer;
    const name = file.slice(file.lastIndexOf('/') + 1);
    tx.summarize(
      `imported vehicles from ${name} (SHA-256 ${sha256}): ${added} added, ${changed} changed, ${same} same`,
    );
    return answer;
  });
}

function formatOf({ file, format }: VehicleImportInput): InventoryFormat {
  const found = INVENTORY_FORMATS.find(({ id, endings }) =>
    format === undefined ? endings.some((ending) => file.toLowerCase().endsWith(ending)) : id === format,
  );
  if (found !== undefined) return found;
  const ids = INVENTORY_FORMATS.map(({ id }) => id).join(' or ');
  throw failure('USAGE', `the form of ${file} is not known from its name: give --format ${ids}`, { file });
}

interface Importing {
  readonly tx: Tx;
  readonly keys: KeyReader;
  readonly registry: Registered;
  readonly count: { added: number; changed: number; same: number };
}

async function importInto(tx: Tx, from: { file: string; format: InventoryFormat }): Promise<VehicleImportAnswer> {
  const { io } = tx;
  const { file, format } = from;
  await using source = await io.files.open(file);
  const task = io.progress.start(`importing ${file}`, source.sizeBytes, 'bytes');
  const hash = startSha256(io.engine);
  const keys = keyReader(io, /^.*(?=\/)/.exec(file)?.[0] ?? '.');
  // The audit entry names the vehicles itself: one of a million keys would be no entry but a second inventory.
  const quiet: Tx = { ...tx, about: () => undefined };
  const work: Importing = { tx: quiet, keys, registry: registered(tx, keys), count: { added: 0, changed: 0, same: 0 } };
  const named: Vin[] = [];
  using ledger = vinLedger(() => format.vehicles(source.stream({ chunkBytes: CHUNK_BYTES })));
  async function* bytes(): AsyncIterable<Uint8Array> {
    for await (const chunk of source.stream({ chunkBytes: CHUNK_BYTES })) {
      io.signal.throwIfAborted();
      hash.update(chunk);
      yield chunk;
      task.advance(chunk.length);
    }
  }
  for await (const vehicles of format.vehicles(bytes())) {
    await ledger.add(vehicles);
    const touched = await importLot(work, vehicles);
    if (named.length <= NAMED_MAX) named.push(...touched.slice(0, NAMED_MAX + 1 - named.length));
  }
  task.done();
  if (named.length <= NAMED_MAX) tx.about(...named.map((vin) => `vehicle:${vin}`));
  return { ...work.count, sha256: toHex(hash.digest()) };
}

/** Gives the vehicles that were added or changed. */
async function importLot(work: Importing, vehicles: readonly InventoryVehicle[]): Promise<readonly Vin[]> {
  for (const { model, row } of vehicles) work.registry.requireModel(model, { row, column: 'model' });
  const put = putVehicles(work.tx, vehicles);
  const touched: Vin[] = [];
  for (const [i, vehicle] of vehicles.entries()) {
    const as = put[i];
    if (as === undefined) continue;
    requireModelOf(vehicle, as);
    const hasDetails = vehicle.encryptionKey !== undefined || vehicle.ecus !== undefined;
    const isChanged = hasDetails && (await takeDetails(work, vehicle, as));
    const state = as.isNew ? 'added' : isChanged ? 'changed' : 'same';
    work.count[state] += 1;
    if (state !== 'same') touched.push(vehicle.vin);
  }
  return touched;
}

function requireModelOf(vehicle: InventoryVehicle, { model }: PutVehicle): void {
  if (model === vehicle.model) return;
  const text = `vehicle ${vehicle.vin} is known as a ${model}, not a ${vehicle.model}`;
  throw inventoryFailure('VEHICLE_OF_ANOTHER_MODEL', { row: vehicle.row, column: 'model' }, text);
}

async function takeDetails(work: Importing, vehicle: InventoryVehicle, { id }: PutVehicle): Promise<boolean> {
  let isChanged = false;
  if (vehicle.encryptionKey !== undefined) {
    const place = { row: vehicle.row, column: 'encryption_key' };
    const key = await work.keys.encryptionKey(vehicle.encryptionKey, place);
    isChanged = at(place, () => takeKey(work.tx, { vin: vehicle.vin, id, model: vehicle.model }, key));
  }
  if (vehicle.ecus === undefined) return isChanged;
  const ecus: VehicleEcu[] = [];
  for (const ecu of vehicle.ecus) ecus.push(await work.registry.resolve(ecu, vehicle.model));
  return replaceEcus(work.tx, vehicle, { id, ecus }) || isChanged;
}

function takeKey(tx: Tx, vehicle: { vin: Vin; id: string; model: string }, key: EncryptionKey): boolean {
  const old = encryptionKeyOf(tx, vehicle.id);
  if (old?.keyId === key.keyId) return false;
  giveKey(tx, { ...vehicle, addedAt: tx.now }, key);
  if (old !== undefined) revokeVehicleKey(tx, { vehicle: vehicle.id, keyId: old.keyId, reason: 'replaced' });
  return true;
}

function replaceEcus(tx: Tx, vehicle: InventoryVehicle, to: { id: string; ecus: readonly VehicleEcu[] }): boolean {
  try {
    return replaceVehicleEcus(tx, to.id, to.ecus);
  } catch (thrown) {
    const details = thrown instanceof Error && 'details' in thrown ? thrown.details : {};
    const shared = vehicle.ecus?.find(({ id }) => id === Object(details).ecu);
    throw atPlace(thrown, { row: shared?.row ?? vehicle.row, column: `${shared?.within ?? ''}serial` });
  }
}

function at<T>(place: { row: number; column: string }, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw atPlace(thrown, place);
  }
}
