/**
 * YAML as people write it for us, read strictly: every scalar is text, and each value knows its place.
 *
 * Invariants: no duplicate keys, anchors, aliases, tags, merge keys or second documents; bounded size, depth and number
 * of values; every error names line and column.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Node } from 'yaml';
import { fromUtf8 } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { ErrorCode, SecureevError } from '../core/errors.ts';

/** Largest YAML file, in bytes. */
export const YAML_BYTES_MAX = 4 * 1024 * 1024;
const DEPTH_MAX = 12;
const VALUES_MAX = 200_000;

/** A value and where it stands. */
export interface YamlNode {
  /** Text as written (unquoted), `null` for nothing at all. */
  readonly value: string | null | readonly YamlNode[] | ReadonlyMap<string, YamlNode>;
  /** E.g. `images[2].file`. */
  readonly path: string;
  /** E.g. `release.yaml:12:7`. */
  readonly place: string;
  /** What a misfit throws. */
  readonly code: ErrorCode;
}

/** Whether a value is a map. */
export function isYamlMap(value: YamlNode['value']): value is ReadonlyMap<string, YamlNode> {
  return value instanceof Map;
}

/** Whether a value is a list. */
export function isYamlList(value: YamlNode['value']): value is readonly YamlNode[] {
  return Array.isArray(value);
}

/** How to name the file, and what a value that does not fit throws. */
export interface YamlSource {
  readonly name: string;
  readonly code: ErrorCode;
}

/**
 * Parses one YAML document.
 *
 * @throws YAML_MALFORMED, FILE_TOO_LARGE
 */
export function parseYaml(bytes: Uint8Array, source: YamlSource): YamlNode {
  if (bytes.length > YAML_BYTES_MAX) throw failure('FILE_TOO_LARGE', `${source.name} is over ${YAML_BYTES_MAX} bytes`);
  const lines = new LineCounter();
  const text = decodeText(bytes, source);
  const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: true, strict: true, lineCounter: lines });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const [reason] = problem.message.split(/ at line|\n/);
    throw refused(`${source.name}${placeOf(lines, problem.pos[0])}`, reason ?? problem.code);
  }
  const walk: Walk = { source, lines, values: 0 };
  return convert(document.contents, { path: '', depth: 0, walk });
}

interface Walk {
  readonly source: YamlSource;
  readonly lines: LineCounter;
  values: number;
}

interface Spot {
  readonly path: string;
  readonly depth: number;
  readonly walk: Walk;
}

function decodeText(bytes: Uint8Array, source: YamlSource): string {
  try {
    return fromUtf8(bytes, source.name);
  } catch {
    throw refused(source.name, 'not UTF-8');
  }
}

function convert(node: Node | null, spot: Spot): YamlNode {
  const { walk, path } = spot;
  const place = `${walk.source.name}${placeOf(walk.lines, node?.range?.[0] ?? 0)}`;
  requirePlain(node, place);
  walk.values += 1;
  if (walk.values > VALUES_MAX || spot.depth > DEPTH_MAX) throw refused(place, 'too many values or nested too deep');
  return { value: contentOf(node, { ...spot, depth: spot.depth + 1 }), path, place, code: walk.source.code };
}

function requirePlain(node: Node | null, place: string): void {
  if (isAlias(node)) throw refused(place, 'an alias; write the value out');
  if (node !== null && 'anchor' in node && node.anchor !== undefined) throw refused(place, 'an anchor');
  if (node !== null && node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
    throw refused(place, 'a tag');
  }
}

function contentOf(node: Node | null, spot: Spot): YamlNode['value'] {
  if (isScalar(node)) return typeof node.value === 'string' ? node.value : null;
  if (isSeq(node)) return node.items.map((item, i) => convert(nodeOf(item), { ...spot, path: `${spot.path}[${i}]` }));
  if (!isMap(node)) return null;
  const map = new Map<string, YamlNode>();
  for (const { key, value } of node.items) {
    const name = convert(nodeOf(key), spot);
    if (typeof name.value !== 'string') throw refused(name.place, 'a key that is not text');
    if (name.value === '<<') throw refused(name.place, 'a merge key');
    map.set(name.value, convert(nodeOf(value), { ...spot, path: joined(spot.path, name.value) }));
  }
  return map;
}

function nodeOf(value: unknown): Node | null {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null;
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function placeOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `:${line}:${col}`;
}

function refused(place: string, reason: string): SecureevError {
  return failure('YAML_MALFORMED', `${place}: ${reason}`, { place });
}
