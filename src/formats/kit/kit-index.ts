/**
 * `kit.json`, the list of what is in a kit. See `FORMAT.md`.
 *
 * Nobody signs it: it says what to look for, never what to believe.
 */
import { formatInstant, parseInstant } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import { parseJson } from '../json/parse.ts';
import { jsonInteger, jsonList, jsonMember, jsonMembers, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import type { Json } from '../json/json.ts';
import { writeJsonText } from '../json/write.ts';
import { encodeMapFile } from '../provisioning/map-file.ts';

/** What a kit says of itself. */
export interface KitIndex {
  readonly created: Instant;
  /** UUID of the repository. */
  readonly repository: string;
  /** The release that it is for; null for everything. */
  readonly release: string | null;
  /** How many vehicles have envelopes in it. */
  readonly vehicles: number;
  /** Every other file, paths within the kit, in the order in which they were written. */
  readonly files: readonly string[];
}

/** The name of the index in the kit's folder. */
export const KIT_INDEX = 'kit.json';

/** The name of the map in the kit's folder. */
export const KIT_MAP = 'map.json';

/** The map of a kit, which says where in it the repositories are; the same bytes for every kit with, or without, a Director. */
export function kitMap(hasDirector: boolean): Uint8Array<ArrayBuffer> {
  const image = { name: 'image', locations: ['image/'] };
  const director = { name: 'director', locations: ['director/'] };
  return encodeMapFile({ repositories: hasDirector ? [image, director] : [image] });
}

/** The most files that a kit may have. */
export const KIT_FILES_MAX = 200_000;

/** The most bytes of an index. */
export const KIT_INDEX_BYTES_MAX = 64 * 1024 * 1024;

const FORMAT = 'secureev/kit/1';
const CODE = 'KIT_MALFORMED';
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const RELEASE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
const PATH = /^(?:map\.json$|(?:image|director)(?:\/[A-Za-z0-9_%~-][A-Za-z0-9._%~-]{0,254})+$)/;
const PATH_CHARACTERS_MAX = 1000;

/** The bytes of an index. */
export function encodeKitIndex({ created, repository, release, vehicles, files }: KitIndex): Uint8Array<ArrayBuffer> {
  const members: readonly (readonly [string, Json])[] = [
    ['format', FORMAT],
    ['created', formatInstant(created)],
    ['repository', repository],
    ['release', release],
    ['vehicles', vehicles],
    ['files', files],
  ];
  return utf8(`${writeJsonText(new Map(members))}\n`);
}

/** Reads an index. @throws KIT_MALFORMED */
export function decodeKitIndex(bytes: Uint8Array): KitIndex {
  const place: JsonPlace = { value: jsonOf(bytes), path: KIT_INDEX, code: CODE };
  const format = jsonText(jsonMember(place, 'format'));
  if (format !== FORMAT) throw failure(CODE, `not a kit of a version that is known here: ${JSON.stringify(format)}`);
  const known = ['created', 'files', 'format', 'release', 'repository', 'vehicles'];
  const stranger = jsonMembers(place, known.length).find(([name]) => !known.includes(name));
  if (stranger !== undefined) throw failure(CODE, `${stranger[1].path} is not known here`);
  const release = jsonMember(place, 'release');
  const files = jsonList(jsonMember(place, 'files'), KIT_FILES_MAX).map((file) => jsonParsed(file, kitPath));
  if (new Set(files).size !== files.length) throw failure(CODE, `${KIT_INDEX} names a file twice`);
  return {
    created: jsonParsed(jsonMember(place, 'created'), parseInstant),
    repository: jsonParsed(jsonMember(place, 'repository'), (text) => matching(text, UUID)),
    release: release.value === null ? null : jsonParsed(release, (text) => matching(text, RELEASE)),
    vehicles: jsonInteger(jsonMember(place, 'vehicles'), { min: 0 }),
    files,
  };
}

/** A path within a kit: below `image` or `director`, and never out of it. @throws KIT_MALFORMED */
function kitPath(text: string): string {
  return text.length <= PATH_CHARACTERS_MAX ? matching(text, PATH) : matching('', PATH);
}

function jsonOf(bytes: Uint8Array): Json {
  try {
    const limits = { bytesMax: KIT_INDEX_BYTES_MAX, depthMax: 3, valuesMax: KIT_FILES_MAX + 16 };
    return parseJson(bytes, limits);
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw failure(CODE, `${KIT_INDEX}: ${thrown.message}`);
  }
}

function matching(text: string, pattern: RegExp): string {
  if (pattern.test(text)) return text;
  throw failure(CODE, 'of another form');
}
