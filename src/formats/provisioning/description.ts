/**
 * `provisioning.json`: what a provisioning set is and what it pins. See `FORMAT.md`.
 *
 * Nobody signs it: it is for the factory to read, never for an ECU to believe.
 */
import { formatInstant, parseInstant, parseVersion, parseVin } from '../../core/brands.ts';
import type { Instant, Version, Vin } from '../../core/brands.ts';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import { jsonMap } from '../json/json.ts';
import type { Json } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import { jsonInteger, jsonMember, jsonMembers, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { writeJsonText } from '../json/write.ts';

/** A root of trust that a set holds. */
export interface ProvisionedRoot {
  readonly version: Version;
  /** Of the root file, 32 bytes. */
  readonly sha256: Uint8Array;
}

/** What a set says of itself. */
export interface ProvisioningDescription {
  /** When it was made: the first time that an ECU without a clock may believe. */
  readonly time: Instant;
  /** UUID of the repository. */
  readonly repository: string;
  readonly dialect: string;
  readonly imageRoot: ProvisionedRoot;
  /** Null without a Director. */
  readonly directorRoot: ProvisionedRoot | null;
  /** Null where the set holds what all vehicles have in common; the random id is 32 hex digits. */
  readonly vehicle: { readonly id: string; readonly vin: Vin } | null;
}

/** The name of the description in a set. */
export const DESCRIPTION_NAME = 'provisioning.json';

/** The most bytes of a description. */
export const DESCRIPTION_BYTES_MAX = 4096;

const FORMAT = 'secureev/provisioning/1';
const CODE = 'PROVISIONING_MALFORMED';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DIALECT = /^[a-z][a-z0-9-]{0,31}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const VEHICLE_ID = /^[0-9a-f]{32}$/;

/** The bytes of a description. */
export function encodeDescription(description: ProvisioningDescription): Uint8Array<ArrayBuffer> {
  const { time, repository, dialect, imageRoot, directorRoot, vehicle } = description;
  const json = jsonMap({
    format: FORMAT,
    time: formatInstant(time),
    repository,
    dialect,
    imageRoot: rootJson(imageRoot),
    directorRoot: directorRoot === null ? null : rootJson(directorRoot),
    vehicle: vehicle === null ? null : jsonMap({ ...vehicle }),
  });
  return utf8(`${writeJsonText(json)}\n`);
}

function rootJson({ version, sha256 }: ProvisionedRoot): Json {
  return jsonMap({ version, sha256: toHex(sha256) });
}

/** Reads a description. @throws PROVISIONING_MALFORMED */
export function decodeDescription(bytes: Uint8Array): ProvisioningDescription {
  const place: JsonPlace = { value: jsonOf(bytes), path: DESCRIPTION_NAME, code: CODE };
  const format = jsonText(jsonMember(place, 'format'));
  if (format !== FORMAT) throw failure(CODE, `not a set of a version that is known here: ${JSON.stringify(format)}`);
  requireMembers(place, ['format', 'time', 'repository', 'dialect', 'imageRoot', 'directorRoot', 'vehicle']);
  const directorRoot = jsonMember(place, 'directorRoot');
  const vehicle = jsonMember(place, 'vehicle');
  return {
    time: jsonParsed(jsonMember(place, 'time'), parseInstant),
    repository: matching(jsonMember(place, 'repository'), UUID),
    dialect: matching(jsonMember(place, 'dialect'), DIALECT),
    imageRoot: rootAt(jsonMember(place, 'imageRoot')),
    directorRoot: directorRoot.value === null ? null : rootAt(directorRoot),
    vehicle: vehicle.value === null ? null : vehicleAt(vehicle),
  };
}

function rootAt(place: JsonPlace): ProvisionedRoot {
  requireMembers(place, ['version', 'sha256']);
  const version = parseVersion(jsonInteger(jsonMember(place, 'version'), { min: 1 }));
  return { version, sha256: fromHex(matching(jsonMember(place, 'sha256'), SHA256)) };
}

function vehicleAt(place: JsonPlace): { id: string; vin: Vin } {
  requireMembers(place, ['id', 'vin']);
  return { id: matching(jsonMember(place, 'id'), VEHICLE_ID), vin: jsonParsed(jsonMember(place, 'vin'), parseVin) };
}

function requireMembers(place: JsonPlace, names: readonly string[]): void {
  const stranger = jsonMembers(place, names.length).find(([name]) => !names.includes(name));
  if (stranger !== undefined) throw failure(CODE, `${stranger[1].path} is not known here`);
}

function matching(place: JsonPlace, pattern: RegExp): string {
  return jsonParsed(place, (text) => {
    if (pattern.test(text)) return text;
    throw failure(CODE, 'of another form');
  });
}

function jsonOf(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { bytesMax: DESCRIPTION_BYTES_MAX, depthMax: 3, valuesMax: 32 });
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw failure(CODE, `${DESCRIPTION_NAME}: ${thrown.message}`);
  }
}
