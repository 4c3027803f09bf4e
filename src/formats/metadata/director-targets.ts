/**
 * What a Director's Targets says of one vehicle, read out of `custom`: whose it is, and which ECU is to install what.
 *
 * Layout: `signed.custom = {vin, vehicleId}`; each target's `custom.ecuIdentifiers = {ID: {hardwareId}}` and, where it is
 * downloaded sealed, `custom.encryptedTarget = {filename, length, hashes, method}`. All of it is an attacker's until verified.
 *
 * @see Uptane 2.1.0 section 5.2.3.1
 */
import { parseTargetName, parseVin } from '../../core/brands.ts';
import type { TargetName, Vin } from '../../core/brands.ts';
import { jsonInteger, jsonMember, jsonMembers, jsonMisfit, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { decodeHashes } from './body.ts';
import { METADATA_CODE } from './limits.ts';
import type { TargetFile, Targets } from './types.ts';

/** ECUs of one vehicle that one image may be for. */
export const ECUS_MAX = 1024;
/** Characters of an ECU identifier or a hardware id. */
export const ECU_IDENTIFIER_CHARS_MAX = 255;

const VEHICLE_ID = /^[0-9a-f]{32}$/;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** The file that a target is downloaded as where it is sealed (U10). */
export interface EncryptedTarget {
  readonly name: TargetName;
  readonly length: number;
  readonly hashes: ReadonlyMap<string, string>;
  readonly method: string;
}

/** One image and the ECUs that are to install it. */
export interface DirectorEntry {
  readonly name: TargetName;
  readonly target: TargetFile;
  /** ECU identifier -> hardware id; at least one. */
  readonly ecus: ReadonlyMap<string, string>;
  readonly encrypted: EncryptedTarget | undefined;
}

/** What a Director says of one vehicle. */
export interface DirectorTargets {
  /** Undefined where the file does not say. */
  readonly vin: Vin | undefined;
  /** The vehicle's random id: 32 hex digits. */
  readonly vehicleId: string | undefined;
  readonly entries: readonly DirectorEntry[];
}

/** Reads a Director's Targets. @throws METADATA_MALFORMED */
export function readDirectorTargets(body: Targets): DirectorTargets {
  return { ...readVehicle(body), entries: [...body.targets].map(([name, target]) => readEntry(name, target)) };
}

/** Whose Targets it says it is. @throws METADATA_MALFORMED */
export function readVehicle({ custom }: Targets): Pick<DirectorTargets, 'vin' | 'vehicleId'> {
  if (custom === undefined) return { vin: undefined, vehicleId: undefined };
  const place: JsonPlace = { value: custom, path: 'signed.custom', code: METADATA_CODE };
  const [vin, id] = [jsonMember(place, 'vin'), jsonMember(place, 'vehicleId')];
  return {
    vin: vin.value === undefined ? undefined : jsonParsed(vin, parseVin),
    vehicleId: id.value === undefined ? undefined : matching(id, VEHICLE_ID, '32 hex digits'),
  };
}

function readEntry(listed: string, target: TargetFile): DirectorEntry {
  const path = `signed.targets.${listed}`;
  const name = jsonParsed({ value: listed, path, code: METADATA_CODE }, parseTargetName);
  const custom: JsonPlace = { value: target.custom, path: `${path}.custom`, code: METADATA_CODE };
  const identifiers = jsonMember(custom, 'ecuIdentifiers');
  const ecus = jsonMembers(identifiers, ECUS_MAX).map(([id, ecu]) => {
    const hardware = matching(jsonMember(ecu, 'hardwareId'), PRINTABLE, 'printable');
    return [matching({ ...ecu, value: id }, PRINTABLE, 'printable'), hardware] as const;
  });
  if (ecus.length === 0) throw jsonMisfit(identifiers, 'an object with at least one ECU');
  return { name, target, ecus: new Map(ecus), encrypted: readEncrypted(jsonMember(custom, 'encryptedTarget')) };
}

function readEncrypted(place: JsonPlace): EncryptedTarget | undefined {
  if (place.value === undefined) return undefined;
  return {
    name: jsonParsed(jsonMember(place, 'filename'), parseTargetName),
    length: jsonInteger(jsonMember(place, 'length'), { min: 1 }),
    hashes: decodeHashes(jsonMember(place, 'hashes')),
    method: matching(jsonMember(place, 'method'), PRINTABLE, 'printable'),
  };
}

function matching(place: JsonPlace, form: RegExp, what: string): string {
  const text = jsonText(place);
  if (text.length > ECU_IDENTIFIER_CHARS_MAX || !form.test(text)) throw jsonMisfit(place, what);
  return text;
}
