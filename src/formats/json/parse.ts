/**
 * A strict, bounded JSON parser for files that an attacker may have written.
 *
 * Refused beyond RFC 8259: duplicate members, fractions, exponents, `-0`, integers beyond 2^53-1, lone surrogates,
 * control characters (escaped ones too), a byte order mark, anything after the value, more depth or values than allowed.
 */
import { fromUtf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { Json } from './json.ts';

/** How much a document may hold. */
export interface JsonLimits {
  readonly bytesMax: number;
  readonly depthMax: number;
  readonly valuesMax: number;
}

/** For metadata files: 64 MiB, 32 deep, 4 million values. */
export const METADATA_JSON_LIMITS: JsonLimits = { bytesMax: 64 * 1024 * 1024, depthMax: 32, valuesMax: 4_000_000 };

interface State {
  readonly text: string;
  readonly limits: JsonLimits;
  at: number;
  values: number;
  readonly path: (string | number)[];
}

/**
 * Parses one JSON document.
 *
 * @throws JSON_MALFORMED with byte-exact place and JSON path; JSON_TOO_LARGE
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = METADATA_JSON_LIMITS): Json {
  if (bytes.length > limits.bytesMax) throw failure('JSON_TOO_LARGE', `JSON of over ${limits.bytesMax} bytes`);
  const state: State = { text: decodeText(bytes), limits, at: 0, values: 0, path: [] };
  const value = readValue(state);
  skipSpace(state);
  if (state.at < state.text.length) throw malformed(state, 'something follows the value');
  return value;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes, 'JSON');
  } catch {
    throw failure('JSON_MALFORMED', 'malformed JSON: not UTF-8');
  }
}

function readValue(state: State): Json {
  skipSpace(state);
  if (++state.values > state.limits.valuesMax) {
    throw failure('JSON_TOO_LARGE', `JSON of over ${state.limits.valuesMax} values`);
  }
  const first = state.text[state.at];
  if (first === '{') return nested(state, readMap);
  if (first === '[') return nested(state, readList);
  if (first === '"') return readString(state);
  const word = WORDS.find(({ text }) => text[0] === first);
  if (word === undefined) return readInteger(state);
  if (!state.text.startsWith(word.text, state.at)) throw malformed(state, 'no JSON value here');
  state.at += word.text.length;
  return word.value;
}

const WORDS = [
  { text: 'true', value: true },
  { text: 'false', value: false },
  { text: 'null', value: null },
] as const;

function nested<T>(state: State, read: (state: State) => T): T {
  if (state.path.length >= state.limits.depthMax) {
    throw failure('JSON_TOO_LARGE', `JSON nested deeper than ${state.limits.depthMax}`);
  }
  state.at++;
  return read(state);
}

function readMap(state: State): Json {
  const map = new Map<string, Json>();
  skipSpace(state);
  if (take(state, '}')) return map;
  for (;;) {
    skipSpace(state);
    if (state.text[state.at] !== '"') throw malformed(state, 'a member name is missing');
    const name = readString(state);
    state.path.push(name);
    if (map.has(name)) throw malformed(state, 'the member is there twice');
    skipSpace(state);
    if (!take(state, ':')) throw malformed(state, 'a colon is missing');
    map.set(name, readValue(state));
    state.path.pop();
    skipSpace(state);
    if (take(state, '}')) return map;
    if (!take(state, ',')) throw malformed(state, 'a comma or closing brace is missing');
  }
}

function readList(state: State): Json {
  const list: Json[] = [];
  skipSpace(state);
  if (take(state, ']')) return list;
  for (;;) {
    state.path.push(list.length);
    list.push(readValue(state));
    state.path.pop();
    skipSpace(state);
    if (take(state, ']')) return list;
    if (!take(state, ',')) throw malformed(state, 'a comma or closing bracket is missing');
  }
}

const INTEGER = /-?(?:0|[1-9][0-9]*)/y;

function readInteger(state: State): number {
  INTEGER.lastIndex = state.at;
  const digits = INTEGER.exec(state.text)?.[0];
  if (digits === undefined) throw malformed(state, 'no JSON value here');
  const next = state.text[state.at + digits.length] ?? '';
  if (/[.eE0-9]/.test(next)) throw malformed(state, 'a number that is not a plain integer');
  const value = Number(digits);
  if (!Number.isSafeInteger(value) || digits === '-0') throw malformed(state, 'an integer out of range, or -0');
  state.at += digits.length;
  return value;
}

/** A backslash, or a control character (C0, DEL, C1). */
const NOT_PLAIN = /[\\\u0000-\u001f\u007f-\u009f]/;
/** Up to the next quote, backslash or control character. */
const PLAIN = /[^"\\\u0000-\u001f\u007f-\u009f]*/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
]);
/** Escaped line feeds stand in PEM keys; tab and carriage return with them. */
const WHITE_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function readString(state: State): string {
  const start = state.at++;
  const quote = state.text.indexOf('"', state.at);
  const whole = state.text.slice(state.at, quote);
  const isPlain = quote >= 0 && !NOT_PLAIN.test(whole);
  if (isPlain) state.at = quote + 1;
  const text = isPlain ? whole : readPieces(state);
  if (text.isWellFormed()) return text;
  state.at = start;
  throw malformed(state, 'a lone surrogate in a string');
}

function readPieces(state: State): string {
  let text = '';
  for (;;) {
    PLAIN.lastIndex = state.at;
    const plain = PLAIN.exec(state.text)?.[0] ?? '';
    text += plain;
    state.at += plain.length;
    if (take(state, '"')) return text;
    if (!take(state, '\\')) throw malformed(state, 'a control character, or the end, inside a string');
    text += readEscape(state);
  }
}

function readEscape(state: State): string {
  const letter = state.text[state.at] ?? '';
  const known = ESCAPES.get(letter) ?? WHITE_ESCAPES.get(letter);
  if (known !== undefined) {
    state.at++;
    return known;
  }
  const digits = letter === 'u' ? state.text.slice(state.at + 1, state.at + 5) : '';
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw malformed(state, 'an unknown escape, or one of a control character');
  const code = Number.parseInt(digits, 16);
  const isWhite = code === 0x0a || code === 0x0d || code === 0x09;
  if ((code < 0x20 && !isWhite) || (code >= 0x7f && code <= 0x9f)) {
    throw malformed(state, 'an escaped control character');
  }
  state.at += 5;
  return String.fromCharCode(code);
}

function take(state: State, character: string): boolean {
  if (state.text[state.at] !== character) return false;
  state.at++;
  return true;
}

function skipSpace(state: State): void {
  for (;;) {
    const code = state.text.charCodeAt(state.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    state.at++;
  }
}

function malformed(state: State, reason: string): SecureevError {
  const path = `$${state.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 64)}`)).join('')}`;
  const offset = new TextEncoder().encode(state.text.slice(0, state.at)).length;
  const clean = path.replaceAll(/[^\x20-\x7e]/g, '?');
  return failure('JSON_MALFORMED', `malformed JSON at byte ${offset}, ${clean}: ${reason}`, { offset, path: clean });
}
