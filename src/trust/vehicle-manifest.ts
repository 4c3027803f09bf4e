/**
 * Whether a vehicle's manifest may be believed: it is of this vehicle, of all its ECUs and of no other, signed by the
 * Primary, and each report by the ECU that it is of. Replays and times are the store's to know.
 *
 * @see Uptane Standard 2.1.0 section 5.4.2.1 (U22, U23)
 */
import { failure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import type { Unverified, Verified } from '../core/verified.ts';
import type { PublicKey } from '../formats/keys/public-key.ts';
import type { SignedPart, VehicleManifest } from '../formats/manifest/manifest.ts';
import type { Dialect } from '../formats/metadata/dialect.ts';
import { signatureMessage } from '../formats/metadata/envelope.ts';
import { believe } from './believe.ts';
import { countSigners, familyOf } from './role-policy.ts';
import type { CountedSignature } from './role-policy.ts';

/** An ECU as the inventory has it. */
export interface InventoryUnit {
  /** What it goes by in manifests: its serial, or the model's id of it. */
  readonly identifier: string;
  readonly isPrimary: boolean;
  /** Its own key; with a second, post-quantum one, both must sign. Empty where none is known. */
  readonly keys: readonly PublicKey[];
}

/** A vehicle as the inventory has it. */
export interface InventoryOfVehicle {
  readonly vin: string;
  readonly units: readonly InventoryUnit[];
}

/** A manifest, and what it is held against. */
export interface ManifestCheck {
  readonly engine: EngineName;
  readonly dialect: Dialect;
  readonly vehicle: InventoryOfVehicle;
}

/**
 * Demands that a manifest is the vehicle's own and complete, with every signature in order.
 *
 * @throws MANIFEST_OTHER_VEHICLE, MANIFEST_PRIMARY_OTHER, MANIFEST_ECU_UNKNOWN, MANIFEST_ECU_MISSING, MANIFEST_KEY_MISSING,
 * MANIFEST_SIGNATURE
 */
export function requireManifest(
  { unverified: part }: Unverified<SignedPart<VehicleManifest>>,
  check: ManifestCheck,
): Verified<VehicleManifest> {
  const { vehicle } = check;
  const { vin, primary, reports } = part.content;
  if (vin !== undefined && vin !== vehicle.vin) {
    throw failure(
      'MANIFEST_OTHER_VEHICLE',
      `the manifest says vehicle ${vin}, but its Primary is that of ${vehicle.vin}`,
    );
  }
  const units = new Map(vehicle.units.map((unit) => [unit.identifier, unit]));
  const signer = primaryUnit(units, primary);
  for (const ecu of reports.keys()) {
    if (!units.has(ecu)) throw failure('MANIFEST_ECU_UNKNOWN', `the vehicle has no ECU ${ecu}`, { ecu });
  }
  const missing = vehicle.units.filter(({ identifier }) => !isIn(reports, identifier));
  if (missing.length > 0) throw missingEcus(missing);
  requireSigned(part, signer, { ...check, what: `the manifest by Primary ${primary}` });
  for (const [ecu, report] of reports) {
    requireSigned(report, units.get(ecu) ?? signer, { ...check, what: `the report of ECU ${ecu}` });
  }
  return believe(part.content);
}

function isIn(reports: ReadonlyMap<string, unknown>, ecu: string): boolean {
  return reports.has(ecu);
}

function missingEcus(missing: readonly InventoryUnit[]): Error {
  const names = missing.map(({ identifier }) => identifier);
  const shown = names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');
  return failure('MANIFEST_ECU_MISSING', `no report of ${shown}`, { missing: names.slice(0, 100) });
}

/** Where the inventory names a Primary it is the one; else any ECU of the vehicle whose key is known. */
function primaryUnit(units: ReadonlyMap<string, InventoryUnit>, primary: string): InventoryUnit {
  const unit = units.get(primary);
  if (unit === undefined) throw failure('MANIFEST_ECU_UNKNOWN', `the vehicle has no ECU ${primary}`, { ecu: primary });
  const known = [...units.values()].find(({ isPrimary }) => isPrimary);
  if (known === undefined || known === unit) return unit;
  throw failure('MANIFEST_PRIMARY_OTHER', `${primary} is not the Primary of this vehicle: ${known.identifier} is`, {
    expected: known.identifier,
    found: primary,
  });
}

function requireSigned(
  part: SignedPart<unknown>,
  { identifier, keys }: InventoryUnit,
  { engine, dialect, what }: ManifestCheck & { readonly what: string },
): void {
  if (keys.length === 0) {
    throw failure('MANIFEST_KEY_MISSING', `${what}: the inventory has no key of it`, { ecu: identifier });
  }
  for (const key of keys) {
    const family = familyOf(key) ?? 'classical';
    const signatures = family === 'classical' ? classicalOf(part, key, dialect) : postQuantumOf(part, key, engine);
    const wanted = { family, keys: new Map([[key.keyId, key]]), threshold: 1 };
    if (countSigners(engine, wanted, signatures) === 0) throw unsigned(what, key, signatures.length > 0);
  }
}

/** The dialect may have another id for the key than we. */
function classicalOf(part: SignedPart<unknown>, key: PublicKey, dialect: Dialect): readonly CountedSignature[] {
  const { keyId } = key;
  const ids = [keyId, dialect.listedId(keyId, key)];
  const own = part.signatures.filter((signature) => ids.includes(signature.keyId));
  const message = signatureMessage('classical', part.canonical);
  return own.map(({ encoded }) => ({ keyId, message, raw: () => dialect.decodeSignature(key.algorithm, encoded) }));
}

function postQuantumOf(
  part: SignedPart<unknown>,
  { keyId }: PublicKey,
  engine: EngineName,
): readonly CountedSignature[] {
  const own = part.hybridSignatures.filter((signature) => signature.keyId === keyId);
  const message = signatureMessage('post-quantum', part.canonical, engine);
  return own.map(({ signature }) => ({ keyId, message, raw: () => signature }));
}

function unsigned(what: string, key: PublicKey, isThere: boolean): Error {
  const reason = isThere ? 'its signature is wrong' : 'it is not signed';
  return failure('MANIFEST_SIGNATURE', `${what}: ${reason} with its ${key.algorithm} key`, { keyId: key.keyId });
}
