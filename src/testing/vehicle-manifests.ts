/** Vehicle version manifests as vehicles would send them, signed by test keys. */
import { instantOf, parseName, parseVin } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { encodeEcuReport, encodeVehicleManifest } from '../formats/manifest/encode.ts';
import { dialectOf } from '../formats/metadata/index.ts';
import { assembleEnvelope, canonicalOf, signatureMessage } from '../formats/metadata/envelope.ts';
import type { KeySignature } from '../formats/metadata/envelope.ts';
import type { SignerKey } from '../signers/signer.ts';

/** One ECU of a vehicle that reports. */
export interface ReportingEcu {
  /** Serial, or the model's id. */
  readonly ecu: string;
  readonly keys: readonly SignerKey[];
  readonly image: { readonly name: string; readonly content: Uint8Array };
  readonly attack?: string | undefined;
}

/** A vehicle that reports. */
export interface ReportingCar {
  readonly vin?: string | undefined;
  /** Seconds since 1970. */
  readonly time: number;
  /** Makes each report's nonce; without it there are counters alone. */
  readonly nonce?: string | undefined;
  readonly counter?: number | undefined;
  /** The first one is the Primary. */
  readonly ecus: readonly ReportingEcu[];
  readonly dialect?: 'tuf' | 'aktualizr';
}

/** The manifest of a vehicle, as its bytes. */
export async function vehicleManifest(car: ReportingCar): Promise<Uint8Array<ArrayBuffer>> {
  const reports = new Map<string, Uint8Array>();
  for (const ecu of car.ecus) reports.set(ecu.ecu, await ecuReport(car, ecu));
  return await manifestOfReports(car, reports);
}

/** The manifest around reports that were signed before. */
export async function manifestOfReports(
  car: ReportingCar,
  reports: ReadonlyMap<string, Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const [primary] = car.ecus;
  if (primary === undefined) throw new Error('a vehicle without ECUs');
  const vin = car.vin === undefined ? undefined : parseVin(car.vin);
  const signed = encodeVehicleManifest({ vin, primary: parseName(primary.ecu) }, reports);
  return await signedBy(signed, primary.keys, car);
}

/** The report of one ECU. */
export async function ecuReport(car: ReportingCar, ecu: ReportingEcu): Promise<Uint8Array<ArrayBuffer>> {
  const { name, content } = ecu.image;
  const signed = encodeEcuReport({
    ecu: parseName(ecu.ecu),
    image: { name, length: content.length, sha256: sha256('native', content) },
    attack: ecu.attack,
    time: instantOf(car.time),
    nonce:
      car.nonce === undefined ? undefined : `${car.nonce}-${toHex(sha256('native', Buffer.from(ecu.ecu))).slice(0, 8)}`,
    counter: car.counter,
  });
  return await signedBy(signed, ecu.keys, car);
}

async function signedBy(
  signed: Uint8Array,
  keys: readonly SignerKey[],
  { dialect = 'tuf' }: ReportingCar,
): Promise<Uint8Array<ArrayBuffer>> {
  const chosen = dialectOf(dialect);
  const canonical = dialect === 'tuf' ? canonicalOf(signed) : signed;
  const signatures = { classical: new Array<KeySignature>(), postQuantum: new Array<KeySignature>() };
  for (const { publicKey: key, sign } of keys) {
    const isPostQuantum = key.algorithm.startsWith('ml-dsa');
    const message = signatureMessage(isPostQuantum ? 'post-quantum' : 'classical', canonical);
    const signature = await sign(message);
    (isPostQuantum ? signatures.postQuantum : signatures.classical).push({ key, signature });
  }
  return assembleEnvelope(signed, signatures, chosen);
}
