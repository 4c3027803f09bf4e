/**
 * `map.json`: which repositories there are, where, and which of them must sign for which targets. See `FORMAT.md`.
 *
 * Nobody signs it: a vehicle has its own from the factory and never takes one from a server or a stick.
 *
 * @see TAP 4; Uptane 2.1.0 section 5.4.2.1 (U18)
 */
import { quote } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { Json } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import { jsonBoolean, jsonInteger, jsonList, jsonMember, jsonMembers, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { writeJsonText } from '../json/write.ts';

/** Where a repository is: http(s) addresses, or folders relative to the map. */
export interface MappedRepository {
  readonly name: string;
  /** At least one, tried in order. */
  readonly locations: readonly string[];
}

/** A map in which every repository must sign for every target. */
export interface MapFile {
  /** At least one, names unique. */
  readonly repositories: readonly MappedRepository[];
}

/** The most bytes of a map. */
export const MAP_BYTES_MAX = 65_536;

const CODE = 'MAP_MALFORMED';
const REPOSITORIES_MAX = 8;
const LOCATIONS_MAX = 16;
const LOCATION_CHARACTERS_MAX = 2000;
const NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;
const FOLDER = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)+$/;

/** How many segments of a name patterns are listed for, since `*` does not cross `/`. */
const DEPTH = 8;

/** Patterns for every target name of up to 8 segments: `*`, `*` + `/*`, and so on. */
export const ALL_PATHS: readonly string[] = Array.from({ length: DEPTH }, (_, i) =>
  Array(i + 1)
    .fill('*')
    .join('/'),
);

/** The bytes of a map. */
export function encodeMapFile({ repositories }: MapFile): Uint8Array<ArrayBuffer> {
  const names = repositories.map(({ name }) => name);
  const entry = new Map<string, Json>([
    ['paths', ALL_PATHS],
    ['repositories', names],
    ['terminating', true],
    ['threshold', names.length],
  ]);
  const located = new Map(repositories.map(({ name, locations }) => [name, locations]));
  return utf8(
    `${writeJsonText(
      new Map<string, Json>([
        ['mapping', [entry]],
        ['repositories', located],
      ]),
    )}\n`,
  );
}

/** Reads a map of the form that this program writes. @throws MAP_MALFORMED */
export function decodeMapFile(bytes: Uint8Array): MapFile {
  const place: JsonPlace = { value: jsonOf(bytes), path: 'map', code: CODE };
  requireMembers(place, ['mapping', 'repositories']);
  const located = jsonMembers(jsonMember(place, 'repositories'), REPOSITORIES_MAX);
  const repositories = located.map(([name, locations]) => {
    if (!NAME.test(name)) throw failure(CODE, `${locations.path} is no name of a repository`);
    const list = jsonList(locations, LOCATIONS_MAX).map((location) => parseLocation(jsonText(location)));
    if (list.length === 0) throw failure(CODE, `${locations.path} is empty`);
    return { name, locations: list };
  });
  const [entry, ...more] = jsonList(jsonMember(place, 'mapping'), LOCATIONS_MAX);
  if (entry === undefined || more.length > 0) throw failure(CODE, 'map.mapping has another number of entries than one');
  requireAll(entry, repositories);
  return { repositories };
}

/** An http(s) address without credentials, or a folder relative to the map. @throws MAP_MALFORMED */
export function parseLocation(text: string): string {
  const url = text.length <= LOCATION_CHARACTERS_MAX && URL.canParse(text) ? new URL(text) : undefined;
  const isWeb =
    url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
  if (isWeb || FOLDER.test(text)) return text;
  throw failure(CODE, `not an http or https address, nor a folder: ${quote(text)}`);
}

/** Every repository must sign for every target: a map that asks less is none of ours. */
function requireAll(entry: JsonPlace, repositories: readonly MappedRepository[]): void {
  requireMembers(entry, ['paths', 'repositories', 'terminating', 'threshold']);
  const names = jsonList(jsonMember(entry, 'repositories'), REPOSITORIES_MAX).map(jsonText);
  const paths = jsonList(jsonMember(entry, 'paths'), 64).map(jsonText);
  const threshold = jsonInteger(jsonMember(entry, 'threshold'), { min: 1 });
  const all =
    repositories.length > 0 &&
    same(
      names,
      repositories.map(({ name }) => name),
    ) &&
    same(paths, ALL_PATHS);
  if (all && threshold === names.length && jsonBoolean(jsonMember(entry, 'terminating'))) return;
  throw failure(CODE, 'map.mapping does not demand that every repository signs for every target');
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && [...a].sort().join() === [...b].sort().join();
}

function requireMembers(place: JsonPlace, names: readonly string[]): void {
  const stranger = jsonMembers(place, names.length).find(([name]) => !names.includes(name));
  if (stranger !== undefined) throw failure(CODE, `${stranger[1].path} is not known here`);
}

function jsonOf(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { bytesMax: MAP_BYTES_MAX, depthMax: 5, valuesMax: 256 });
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw failure(CODE, `map: ${thrown.message}`);
  }
}
