/**
 * The lines of text before each block of a key file: `name: value`, in ASCII names, so that people and scripts see what
 * a file is. Of other lines nothing is believed.
 */
import { parseInstant } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import { isKeyAlgorithm, purposeOf } from './algorithms.ts';
import type { KeyPurpose } from './algorithms.ts';

/** What the text before a block may say. */
export interface KeyText {
  readonly keyId?: string | undefined;
  /** `1 of 2`, `2 of 2`: shows that nothing is cut off; of a single key undefined. */
  readonly part?: string | undefined;
  readonly algorithm?: string | undefined;
  readonly purpose?: string | undefined;
  readonly holder?: string | undefined;
  readonly created?: string | undefined;
}

const NAMES = [
  ['key id', 'keyId'],
  ['part', 'part'],
  ['algorithm', 'algorithm'],
  ['purpose', 'purpose'],
  ['holder', 'holder'],
  ['created', 'created'],
] as const;

/** A holder's name is at most this many characters, printable. */
export const HOLDER_CHARS_MAX = 128;
const HOLDER = /^[^\p{C}\p{Zl}\p{Zp}]{1,128}$/u;

/** Writes the lines. */
export function encodeKeyText(text: KeyText): string {
  return NAMES.flatMap(([label, name]) => (text[name] === undefined ? [] : [`${label}: ${text[name]}\n`])).join('');
}

/** Reads the lines before a block. @throws KEY_FILE_MALFORMED where one is there twice */
export function decodeKeyText(lines: readonly string[]): KeyText {
  const found: Record<string, string> = {};
  for (const line of lines) {
    const [label = '', value] = line.split(/: (.*)/s);
    const name = NAMES.find(([known]) => known === label)?.[1];
    if (name === undefined || value === undefined) continue;
    if (found[name] !== undefined) throw failure('KEY_FILE_MALFORMED', `malformed key file: "${label}" is there twice`);
    found[name] = value;
  }
  return found;
}

/** The text of block number `index` of `count`. */
export function partText(index: number, count: number): string | undefined {
  return count === 1 ? undefined : `${index + 1} of ${count}`;
}

/** The texts of all blocks of a file: parts in order, none missing, and one owner. @throws KEY_FILE_MALFORMED */
export function requireWhole(texts: readonly KeyText[]): void {
  if (texts.some(({ part }, index) => part !== partText(index, texts.length))) {
    throw failure('KEY_FILE_MALFORMED', 'malformed key file: parts of it are missing, or not in their order');
  }
  const owners = texts.map(({ purpose, holder, created }) => JSON.stringify([purpose, holder, created]));
  if (new Set(owners).size > 1) {
    throw failure('KEY_FILE_MALFORMED', 'malformed key file: its two keys have not the same purpose, holder and time');
  }
}

/** Who holds the keys and since when, as the text of a file says. @throws KEY_FILE_MALFORMED */
export function ownerIn({ holder, created }: KeyText): { holder: string | undefined; created: Instant | undefined } {
  if (holder !== undefined && !HOLDER.test(holder)) {
    throw failure('KEY_FILE_MALFORMED', 'malformed key file: its holder is not 1 to 128 printable characters');
  }
  try {
    return { holder, created: created === undefined ? undefined : parseInstant(created) };
  } catch {
    throw failure('KEY_FILE_MALFORMED', 'malformed key file: it was not created at a time YYYY-MM-DDTHH:MM:SSZ');
  }
}

/** What the text says that the keys are for. @throws KEY_FILE_MALFORMED */
export function purposeIn({ purpose, algorithm }: KeyText): KeyPurpose | undefined {
  if (purpose === undefined)
    return algorithm !== undefined && isKeyAlgorithm(algorithm) ? purposeOf(algorithm) : undefined;
  if (purpose === 'signing' || purpose === 'encryption') return purpose;
  throw failure('KEY_FILE_MALFORMED', 'malformed key file: its purpose is not signing or encryption');
}

/** A holder's name, as `--holder` gives it. @throws USAGE */
export function parseHolder(text: string): string {
  if (!HOLDER.test(text)) throw failure('USAGE', `a holder is 1 to ${HOLDER_CHARS_MAX} printable characters`);
  return text;
}
