/**
 * OLPC canonical JSON, the form that TUF signatures cover: members sorted by code point, no space, and in strings only
 * `"` and `\` escaped. So a canonical text is not always JSON: line feeds stand in it as they are.
 *
 * @see https://wiki.laptop.org/go/Canonical_JSON and TUF 1.0.34 section 4.2.1
 */
import { utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Json, JsonMap } from './json.ts';
import { isJsonMap } from './json.ts';

/** The canonical bytes of a value. @throws JSON_MALFORMED for numbers that are not safe integers */
export function canonicalJson(value: Json): Uint8Array<ArrayBuffer> {
  return utf8(compactText(value, canonicalString));
}

function canonicalString(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

/**
 * A value without space, members sorted by code point, its strings quoted by `quoted` where that needs thought.
 *
 * @throws JSON_MALFORMED for numbers that are not safe integers
 */
export function compactText(value: Json, quoted: (text: string) => string): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quotedFast(value, quoted);
  if (typeof value === 'number') return integerText(value);
  let text = '';
  if (isJsonMap(value)) {
    for (const [name, member] of sortedMembers(value)) {
      text += `${text === '' ? '' : ','}${quotedFast(name, quoted)}:${compactText(member, quoted)}`;
    }
    return `{${text}}`;
  }
  for (const item of value) text += `${text === '' ? '' : ','}${compactText(item, quoted)}`;
  return `[${text}]`;
}

/** Printable ASCII without `"` and `\`: the same under every way to quote. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quotedFast(text: string, quoted: (text: string) => string): string {
  return PLAIN.test(text) ? `"${text}"` : quoted(text);
}

function integerText(value: number): string {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw failure('JSON_MALFORMED', `${value} is not an integer from -(2^53-1) to 2^53-1`);
  }
  return String(value);
}

/** The members in order; most maps are in order already. */
function sortedMembers(map: JsonMap): Iterable<readonly [string, Json]> {
  let before: string | undefined;
  for (const name of map.keys()) {
    if (before !== undefined && compareCodePoints(before, name) > 0) {
      return [...map].sort(([a], [b]) => compareCodePoints(a, b));
    }
    before = name;
  }
  return map;
}

/** Orders by Unicode code point, which differs from UTF-16 order beyond U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  const inUnits = a < b ? -1 : 1;
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return inUnits;
  let at = 0;
  while (a.charCodeAt(at) === b.charCodeAt(at)) at++;
  const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
  // Only a surrogate against a unit above all surrogates stands the wrong way round; past an end both are NaN.
  const isReversed = isSurrogate(left) ? right > LAST_SURROGATE : isSurrogate(right) && left > LAST_SURROGATE;
  return isReversed ? -inUnits : inUnits;
}

const SURROGATE = /[\ud800-\udfff]/;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;

function isSurrogate(unit: number): boolean {
  return unit >= FIRST_SURROGATE && unit <= LAST_SURROGATE;
}
