/** The encryption keys of vehicles and of the escrow: read, given, revoked. */
import { atPath } from '../../core/at-path.ts';
import type { KeyId, Vin } from '../../core/brands.ts';
import { quote } from '../../core/brands.ts';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { isKemId, kemAlgorithm } from '../../crypto/kems/index.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import {
  addVehicleKey,
  encryptionKeyOf,
  revokeVehicleKey,
  vehicleKeys,
  vehicleKeysById,
  vehicleOfVin,
} from '../../store/fleet.ts';
import type { Vehicle, VehicleKey } from '../../store/fleet.ts';
import { findKey } from '../../store/keys.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { countEnvelopesOfKey } from '../../store/sealed.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';

const PUBLIC_FILE_BYTES_MAX = 64 * 1024;

/** A public key that envelopes can go to. */
export interface EncryptionKey {
  readonly keyId: KeyId;
  readonly kem: KemId;
  /** Raw. */
  readonly publicKey: Uint8Array;
  /** The public file it came in. */
  readonly text: string;
}

/** A key to give to a vehicle, in place of the one it has. */
export interface VehicleKeySetInput {
  readonly repository: RepositoryChoice;
  readonly vin: Vin;
  /** The `.pub` file. */
  readonly encryptionKey: string;
  readonly dryRun?: boolean | undefined;
}

/** A key to take from a vehicle. */
export interface VehicleKeyRevokeInput {
  readonly repository: RepositoryChoice;
  readonly vin: Vin;
  /** The key's id or an unambiguous beginning of it; the current key where it is left out. */
  readonly keyId?: string | undefined;
  readonly reason: string;
  readonly dryRun?: boolean | undefined;
}

/** Reads a `.pub` file with one encryption key. @throws KEY_MALFORMED, KEY_UNSUITABLE, FILE_* */
export async function readEncryptionKey(io: Io, path: string): Promise<EncryptionKey> {
  const bytes = await io.files.read(path, PUBLIC_FILE_BYTES_MAX);
  return await atPath(path, () => decodeEncryptionKey(io, bytes, path));
}

/** Decodes a public file that a vehicle or the repository has on record. @throws KEY_MALFORMED, KEY_UNSUITABLE */
export function encryptionKeyOfText(io: Io, text: string): EncryptionKey {
  return decodeEncryptionKey(io, utf8(text), 'the key on record');
}

function decodeEncryptionKey(io: Io, bytes: Uint8Array, from: string): EncryptionKey {
  const { keys, purpose } = decodePublicFile(bytes);
  const [key] = keys;
  if (purpose !== 'encryption' || key === undefined || keys.length !== 1 || !isKemId(key.algorithm)) {
    throw new SecureevError('KEY_UNSUITABLE', {
      message: `no encryption key: ${quote(from)}`,
      hint: 'make one with `secureev keygen NAME --purpose encryption`',
    });
  }
  kemAlgorithm(key.algorithm).checkPublicKey(io.engine, key.bytes);
  return { keyId: key.keyId, kem: key.algorithm, publicKey: key.bytes, text: fromUtf8(bytes, 'public key file') };
}

/** Gives a vehicle a key that nobody else has. @throws KEY_SERVES_ANOTHER, VEHICLE_KEY_EXISTS */
export function giveKey(tx: Tx, vehicle: Vehicle, key: EncryptionKey): void {
  const holder = findKey(tx, key.keyId)?.kind ?? (otherHolder(tx, vehicle, key) ? 'another vehicle' : undefined);
  if (holder !== undefined) {
    throw failure(
      'KEY_SERVES_ANOTHER',
      `key ${key.keyId} serves ${holder} already; every vehicle has a key of its own`,
      {
        keyId: key.keyId,
        found: holder,
      },
    );
  }
  const { keyId, kem, text } = key;
  addVehicleKey(tx, { vehicle: vehicle.id, keyId, purpose: 'encryption', algorithm: kem, public: text });
}

function otherHolder(reader: Reader, vehicle: Vehicle, key: EncryptionKey): boolean {
  return vehicleKeysById(reader, key.keyId).some((known) => known.vehicle !== vehicle.id);
}

/** Gives a vehicle a new encryption key; the one it had is revoked in the same step. @throws VEHICLE_UNKNOWN, KEY_SERVES_ANOTHER, VEHICLE_KEY_EXISTS */
export async function setVehicleKey(
  input: VehicleKeySetInput,
  io: Io,
): Promise<{ vin: Vin; keyId: KeyId; kem: KemId; replaced: string | null }> {
  using repository = await openChosen(io, input.repository);
  const key = await readEncryptionKey(io, input.encryptionKey);
  const summary = `vehicle ${input.vin} has the encryption key ${key.keyId}`;
  return repository.transact({ command: 'vehicle key set', summary, dryRun: input.dryRun }, (tx) => {
    const vehicle = vehicleOfVin(tx, input.vin);
    tx.about(`vehicle:${input.vin}`);
    const old = encryptionKeyOf(tx, vehicle.id);
    giveKey(tx, vehicle, key);
    if (old !== undefined) revokeVehicleKey(tx, { vehicle: vehicle.id, keyId: old.keyId, reason: 'replaced' });
    return { vin: input.vin, keyId: key.keyId, kem: key.kem, replaced: old?.keyId ?? null };
  });
}

/** Revokes a vehicle's key from now on: nothing more is encrypted to it. @throws VEHICLE_UNKNOWN, VEHICLE_KEY_UNKNOWN */
export async function revokeKey(
  input: VehicleKeyRevokeInput,
  io: Io,
): Promise<{ vin: Vin; keyId: string; envelopes: number }> {
  using repository = await openChosen(io, input.repository);
  const { vin, reason, dryRun } = input;
  return repository.transact({ command: 'vehicle key revoke', summary: '', dryRun }, (tx) => {
    const vehicle = vehicleOfVin(tx, vin);
    const { keyId } = keyToRevoke(tx, vehicle, input.keyId);
    revokeVehicleKey(tx, { vehicle: vehicle.id, keyId, reason });
    const envelopes = countEnvelopesOfKey(tx, vehicle.id, keyId);
    tx.about(`vehicle:${vin}`);
    tx.summarize(`revoked the key ${keyId} of vehicle ${vin}, which ${envelopes} envelopes went to: ${reason}`);
    return { vin, keyId, envelopes };
  });
}

function keyToRevoke(reader: Reader, vehicle: Vehicle, wanted: string | undefined): VehicleKey {
  const current = vehicleKeys(reader, vehicle.id).filter((key) => key.revokedAt === null);
  const found = current.filter((key) =>
    wanted === undefined ? key.purpose === 'encryption' : key.keyId.startsWith(wanted),
  );
  const [key] = found;
  if (key !== undefined && found.length === 1) return key;
  const what = wanted === undefined ? 'encryption key' : `key ${quote(wanted)}`;
  throw new SecureevError('VEHICLE_KEY_UNKNOWN', {
    message: `vehicle ${vehicle.vin} has ${found.length === 0 ? 'no' : 'more than one'} ${what} that is not revoked`,
    hint: `see them with \`secureev vehicle show ${vehicle.vin}\``,
    details: { vin: vehicle.vin, keys: current.map((one) => one.keyId) },
  });
}
