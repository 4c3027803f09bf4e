/**
 * Whom a payload is sealed to: the escrow key, and vehicles by VIN with the keys the repository has of them.
 *
 * Invariants: nothing is sealed to a revoked key or to a KEM that was not asked for; vehicles are looked up one by one, so
 * that memory does not grow with their keys.
 */
import type { Vin } from '../../core/brands.ts';
import { parseVin } from '../../core/brands.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { isKemId } from '../../crypto/kems/index.ts';
import type { KemId } from '../../crypto/kems/index.ts';
import type { Recipient } from '../../formats/sealed/envelope-seal.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import { encryptionKeyOf, vehicleKeys, vehicleOfVin } from '../../store/fleet.ts';
import type { Vehicle, VehicleKey } from '../../store/fleet.ts';
import type { Reader } from '../../store/reader.ts';
import { findSetting } from '../../store/settings.ts';
import { encryptionKeyOfText } from '../fleet/vehicles-keys.ts';

/** A recipient with its place in the store. */
export interface StoredRecipient extends Recipient {
  /** The vehicle's random id; null for the escrow key. */
  readonly vehicle: string | null;
}

/** Which vehicles' keys may be used. */
export interface RecipientRules {
  readonly suite: Suite;
  /** KEMs that are allowed beside the suite's. */
  readonly allowedKems: readonly KemId[];
  /** The model that the content is for, where it is for one. */
  readonly model: string | undefined;
}

const LIST_BYTES_MAX = 64 * 1024 * 1024;

/** The names of KEMs that a flag allows. @throws USAGE */
export function parseKems(names: readonly string[]): readonly KemId[] {
  return names.map((name) => {
    if (isKemId(name)) return name;
    throw failure('USAGE', `no such KEM: ${name}`, { flag: '--allow-kem', found: name });
  });
}

/** VINs named one by one and in a file (one a line; `#` begins a comment), each once, in order. @throws VEHICLE_LIST_MALFORMED, VALUE_MALFORMED */
export async function readVins(io: Io, named: readonly Vin[], listFile: string | undefined): Promise<readonly Vin[]> {
  if (listFile === undefined) return [...new Set(named)];
  const text = fromUtf8(await io.files.read(listFile, LIST_BYTES_MAX), 'the list of vehicles');
  const vins = new Set(named);
  for (const [index, line] of text.split('\n').entries()) {
    const vin = line.replace(/#.*/, '').trim();
    if (vin !== '') vins.add(vinInLine(vin, `${listFile}:${index + 1}`));
  }
  return [...vins];
}

function vinInLine(text: string, at: string): Vin {
  try {
    return parseVin(text);
  } catch (cause) {
    const message = `${at}: ${cause instanceof Error ? cause.message : 'not a VIN'}`;
    throw new SecureevError('VEHICLE_LIST_MALFORMED', { message, details: { at }, cause });
  }
}

/** The repository's escrow key. @throws ESCROW_MISSING */
export function escrowRecipient(reader: Reader): StoredRecipient {
  const text = findSetting(reader, 'escrow');
  if (text === undefined) {
    throw new SecureevError('ESCROW_MISSING', {
      message: 'the repository has no escrow key, and nothing is encrypted without one',
      hint: 'set it with `secureev role set escrow --key keys/escrow.pub`',
    });
  }
  const { keyId, kem, publicKey } = encryptionKeyOfText(reader.io, text);
  return { vin: null, vehicle: null, keyId, kem, publicKey };
}

/** A vehicle as recipient. @throws VEHICLE_UNKNOWN, VEHICLE_KEY_MISSING, VEHICLE_KEY_REVOKED, SEALED_KEM_NOT_ALLOWED, VEHICLE_OF_ANOTHER_MODEL */
export function vehicleRecipient(reader: Reader, vin: Vin, rules: RecipientRules): StoredRecipient {
  const vehicle = vehicleOfVin(reader, vin);
  refuseOtherModel(vehicle, rules.model);
  const key = encryptionKeyOf(reader, vehicle.id);
  if (key === undefined) throw keyMissing(vehicle, vehicleKeys(reader, vehicle.id));
  const { keyId, kem, publicKey } = encryptionKeyOfText(reader.io, key.public);
  if (kem !== rules.suite.kem && !rules.allowedKems.includes(kem)) throw kemNotAllowed(vehicle, kem, rules.suite);
  return { vin, vehicle: vehicle.id, keyId, kem, publicKey };
}

function refuseOtherModel(vehicle: Vehicle, model: string | undefined): void {
  if (model === undefined || vehicle.model === model) return;
  throw failure(
    'VEHICLE_OF_ANOTHER_MODEL',
    `the bundle is for ${model}, vehicle ${vehicle.vin} is a ${vehicle.model}`,
    {
      vin: vehicle.vin,
      expected: model,
      found: vehicle.model,
    },
  );
}

function keyMissing(vehicle: Vehicle, keys: readonly VehicleKey[]): SecureevError {
  const revoked = keys.some((key) => key.purpose === 'encryption');
  return new SecureevError(revoked ? 'VEHICLE_KEY_REVOKED' : 'VEHICLE_KEY_MISSING', {
    message: `vehicle ${vehicle.vin} has ${revoked ? 'only revoked encryption keys' : 'no encryption key'}`,
    hint: `give it one with \`secureev vehicle key set ${vehicle.vin} --encryption-key FILE.pub\``,
    details: { vin: vehicle.vin },
  });
}

function kemNotAllowed(vehicle: Vehicle, kem: KemId, suite: Suite): SecureevError {
  return new SecureevError('SEALED_KEM_NOT_ALLOWED', {
    message: `vehicle ${vehicle.vin} has a key of ${kem}, suite ${suite.name} wants ${suite.kem}`,
    hint: `choose another --suite, or allow this KEM beside the suite's with --allow-kem ${kem}`,
    details: { vin: vehicle.vin, expected: suite.kem, found: kem },
  });
}
