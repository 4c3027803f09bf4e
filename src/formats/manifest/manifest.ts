/**
 * Vehicle version manifests: what a vehicle's Primary reports of all its ECUs, each ECU's report signed by itself.
 *
 * Invariants: sizes are bounded before anything is kept; an ECU stands once, under its own name; what signatures cover is
 * the dialect's canonical form of `signed`, unknown members included.
 *
 * @see FORMAT.md, Uptane Standard 2.1.0 sections 5.4.2.1.1 and 5.4.2.1.2 (U42)
 */
import { parseInstant, parseName, parseVin } from '../../core/brands.ts';
import type { Instant, KeyId, Name, Vin } from '../../core/brands.ts';
import { fromHex } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { Unverified } from '../../core/verified.ts';
import type { Json } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import { jsonInteger, jsonMember, jsonMembers, jsonMisfit, jsonObject, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import type { Dialect } from '../metadata/dialect.ts';
import { decodeHybridSignatures, decodeSignatures } from '../metadata/envelope.ts';
import { EXTENSION_MEMBER } from '../metadata/extension.ts';

/** The limits of a manifest. */
export const MANIFEST_LIMITS = {
  bytesMax: 4 * 1024 * 1024,
  depthMax: 12,
  valuesMax: 65_536,
  ecusMax: 1024,
  /** Characters of an image's name. */
  imageNameMax: 512,
  /** Characters of what an ECU says of an attack. */
  attackMax: 1024,
  nonceMax: 64,
} as const;

/** The image that an ECU says it runs. */
export interface InstalledImage {
  /** As the Targets metadata name it; any printable text, for nothing of it is believed. */
  readonly name: string;
  /** Bytes, not encrypted. */
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** What one ECU reports of itself. */
export interface EcuReport {
  /** Its serial, or the model's id of it. */
  readonly ecu: Name;
  readonly image: InstalledImage;
  /** The attack that it has seen, in its words. */
  readonly attack: string | undefined;
  /** The latest time that it can vouch for. */
  readonly time: Instant;
  /** Fresh for each report; a report has this, the counter, or both. */
  readonly nonce: string | undefined;
  /** Higher in each report. */
  readonly counter: number | undefined;
}

/** What a vehicle's Primary reports. */
export interface VehicleManifest {
  /** Left out by vehicles that are known by their Primary's serial. */
  readonly vin: Vin | undefined;
  /** The Primary: one of the reports is its own. */
  readonly primary: Name;
  /** In the order of the file. */
  readonly reports: ReadonlyMap<Name, SignedPart<EcuReport>>;
}

/** Content with the signatures that stand beside it. */
export interface SignedPart<T> {
  readonly content: T;
  /** What classical signatures cover. */
  readonly canonical: Uint8Array;
  readonly signatures: readonly { readonly keyId: KeyId; readonly encoded: string }[];
  readonly hybridSignatures: readonly { readonly keyId: KeyId; readonly signature: Uint8Array }[];
}

const CODE = 'MANIFEST_MALFORMED';
const NONCE = /^[A-Za-z0-9_.:+/=-]+$/;
const COUNTER = /^(0|[1-9][0-9]{0,15})$/;

/** Reads a manifest; nothing of it is believed. @throws MANIFEST_MALFORMED, MANIFEST_TOO_LARGE */
export function decodeManifest(bytes: Uint8Array, dialect: Dialect): Unverified<SignedPart<VehicleManifest>> {
  const place: JsonPlace = { value: parsed(bytes), path: 'manifest', code: CODE };
  return { unverified: signedPart(place, dialect, (signed) => vehicleManifest(signed, dialect)) };
}

function parsed(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, MANIFEST_LIMITS);
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    const code = isFailure(thrown, 'JSON_TOO_LARGE') ? 'MANIFEST_TOO_LARGE' : CODE;
    throw failure(code, `manifest: ${thrown.message}`, thrown.details);
  }
}

function signedPart<T>(place: JsonPlace, dialect: Dialect, decode: (signed: JsonPlace) => T): SignedPart<T> {
  const signed = jsonMember(place, 'signed');
  return {
    content: decode(signed),
    canonical: dialect.canonical(jsonObject(signed)),
    signatures: decodeSignatures(jsonMember(place, 'signatures'), dialect),
    hybridSignatures: decodeHybridSignatures(jsonMember(place, EXTENSION_MEMBER)),
  };
}

function vehicleManifest(signed: JsonPlace, dialect: Dialect): VehicleManifest {
  const vin = jsonMember(signed, 'vin');
  const listed = jsonMember(signed, 'ecu_version_manifests');
  const primaryPlace = jsonMember(signed, 'primary_ecu_serial');
  const primary = jsonParsed(primaryPlace, ecuName);
  const reports = new Map<Name, SignedPart<EcuReport>>();
  for (const [name, place] of jsonMembers(listed, MANIFEST_LIMITS.ecusMax)) {
    const part = signedPart(place, dialect, ecuReport);
    if (part.content.ecu !== name) throw jsonMisfit(place, 'the report of the ECU that it stands under');
    reports.set(part.content.ecu, part);
  }
  if (!reports.has(primary)) throw jsonMisfit(primaryPlace, 'one of the ECUs that report');
  return { vin: vin.value === undefined ? undefined : jsonParsed(vin, parseVin), primary, reports };
}

function ecuReport(signed: JsonPlace): EcuReport {
  const report = {
    ecu: jsonParsed(jsonMember(signed, 'ecu_serial'), ecuName),
    image: installedImage(jsonMember(signed, 'installed_image')),
    attack: attackText(jsonMember(signed, 'attacks_detected')),
    time: jsonParsed(jsonMember(signed, 'timeserver_time'), (text) => parseInstant(text)),
    nonce: nonceText(jsonMember(signed, 'nonce')),
    counter: counterNumber(jsonMember(signed, 'report_counter')),
  };
  if (report.nonce !== undefined || report.counter !== undefined) return report;
  throw jsonMisfit(jsonMember(signed, 'nonce'), 'there: a report has a nonce or a report_counter');
}

function ecuName(text: string): Name {
  return parseName(text, 'ECU');
}

function installedImage(place: JsonPlace): InstalledImage {
  const file = jsonMember(place, 'fileinfo');
  const sha256 = jsonMember(jsonMember(file, 'hashes'), 'sha256');
  return {
    name: boundedText(jsonMember(place, 'filepath'), MANIFEST_LIMITS.imageNameMax),
    length: jsonInteger(jsonMember(file, 'length'), { min: 0 }),
    sha256: jsonParsed(sha256, hashBytes),
  };
}

/** libaktualizr writes hashes in capitals too. */
function hashBytes(text: string): Uint8Array {
  const bytes = fromHex(text.toLowerCase(), 'hash');
  if (bytes.length !== 32) throw new RangeError('SHA-256 has 32 bytes');
  return bytes;
}

function attackText(place: JsonPlace): string | undefined {
  if (place.value === undefined || place.value === null) return undefined;
  const text = boundedText(place, MANIFEST_LIMITS.attackMax);
  return text === '' ? undefined : text;
}

function nonceText(place: JsonPlace): string | undefined {
  if (place.value === undefined) return undefined;
  const text = boundedText(place, MANIFEST_LIMITS.nonceMax);
  if (!NONCE.test(text)) throw jsonMisfit(place, 'a nonce of letters, digits and -_.:+/=');
  return text;
}

/** libaktualizr writes the counter as text. */
function counterNumber(place: JsonPlace): number | undefined {
  if (place.value === undefined) return undefined;
  if (typeof place.value === 'number') return jsonInteger(place, { min: 0 });
  const number = Number(COUNTER.exec(jsonText(place))?.[0] ?? Number.NaN);
  if (!Number.isSafeInteger(number)) throw jsonMisfit(place, 'a counter from 0 to 2^53-1');
  return number;
}

function boundedText(place: JsonPlace, max: number): string {
  const text = jsonText(place);
  if (text.length > max) throw jsonMisfit(place, `text of at most ${max} characters`);
  return text;
}
