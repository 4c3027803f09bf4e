/**
 * The lines of text before each block of a key file: `name: value`, in ASCII names, so that people and scripts see what
 * a file is. Of other lines nothing is believed.
 */
import { failure } from '../../core/errors.ts';

/** What the text before a block may say. */
export interface KeyText {
  readonly keyId?: string | undefined;
  readonly algorithm?: string | undefined;
  readonly purpose?: string | undefined;
  readonly holder?: string | undefined;
  readonly created?: string | undefined;
}

const NAMES = [
  ['key id', 'keyId'],
  ['algorithm', 'algorithm'],
  ['purpose', 'purpose'],
  ['holder', 'holder'],
  ['created', 'created'],
] as const;

/** A holder's name is at most this many characters, printable. */
export const HOLDER_CHARS_MAX = 128;
const HOLDER = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u;

/** Writes the lines. */
export function encodeKeyText(text: KeyText): string {
  return NAMES.flatMap(([label, name]) => (text[name] === undefined ? [] : [`${label}: ${text[name]}\n`])).join('');
}

/** Reads the lines before a block. @throws KEY_MALFORMED where one is there twice */
export function decodeKeyText(lines: readonly string[]): KeyText {
  const found: Record<string, string> = {};
  for (const line of lines) {
    const [label = '', value] = line.split(/: (.*)/s);
    const name = NAMES.find(([known]) => known === label)?.[1];
    if (name === undefined || value === undefined) continue;
    if (found[name] !== undefined) throw failure('KEY_MALFORMED', `malformed key file: "${label}" is there twice`);
    found[name] = value;
  }
  return found;
}

/** A holder's name, as `--holder` gives it. @throws USAGE */
export function parseHolder(text: string): string {
  if (!HOLDER.test(text)) throw failure('USAGE', `a holder is 1 to ${HOLDER_CHARS_MAX} printable characters`);
  return text;
}
