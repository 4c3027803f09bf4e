/**
 * OLPC canonical JSON, the form that TUF signatures cover: members sorted by code point, no space, and in strings only
 * `"` and `\` escaped.
 *
 * @see https://wiki.laptop.org/go/Canonical_JSON and TUF 1.0.34 section 4.2.1
 */
import { utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Json } from './json.ts';
import { isJsonMap } from './json.ts';

/** The canonical bytes of a value. @throws JSON_MALFORMED for numbers that are not safe integers */
export function canonicalJson(value: Json): Uint8Array<ArrayBuffer> {
  return utf8(canonicalText(value));
}

/** The canonical text of a value. @throws JSON_MALFORMED for numbers that are not safe integers */
export function canonicalText(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') return canonicalInteger(value);
  if (!isJsonMap(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = [...value].sort(([a], [b]) => compareCodePoints(a, b));
  return `{${members.map(([name, member]) => `${canonicalString(name)}:${canonicalText(member)}`).join(',')}}`;
}

function canonicalString(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function canonicalInteger(value: number): string {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw failure('JSON_MALFORMED', `${value} is not an integer from -(2^53-1) to 2^53-1`);
  }
  return String(value);
}

/** Orders by Unicode code point, which differs from UTF-16 order beyond U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  if (ASCII.test(a) && ASCII.test(b)) return a < b ? -1 : Number(a > b);
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((point, index) => point !== right[index]);
  if (at < 0) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? -1);
}

const ASCII = /^[\x00-\x7f]*$/;
