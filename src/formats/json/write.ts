/** Writes JSON that any parser reads: compact, members sorted by code point, non-ASCII characters kept. */
import { utf8 } from '../../core/bytes.ts';
import { compareCodePoints } from './canonical.ts';
import type { Json } from './json.ts';
import { isJsonMap } from './json.ts';

/** The bytes of a value, without a final newline. */
export function writeJson(value: Json): Uint8Array<ArrayBuffer> {
  return utf8(writeJsonText(value));
}

/** The text of a value. */
export function writeJsonText(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (!isJsonMap(value)) return `[${value.map(writeJsonText).join(',')}]`;
  const members = [...value].sort(([a], [b]) => compareCodePoints(a, b));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeJsonText(member)}`).join(',')}}`;
}
