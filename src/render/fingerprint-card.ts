/** A fingerprint for people: to compare by eye, to read aloud, to scan. */
import { fromHex } from '../core/bytes.ts';
import { qrText } from '../formats/qr-text.ts';
import { fingerprint } from './fingerprint.ts';
import { pgpWords } from './pgp-words.ts';

/** Lines of each form of a fingerprint. */
export interface FingerprintCard {
  /** Eight groups of four hex digits a line. */
  readonly groups: readonly string[];
  /** Four PGP words a line, so that each line is four bytes. */
  readonly words: readonly string[];
  /** The hex digits in capitals. */
  readonly qr: string;
}

/** The card of a key id of 64 hex digits. */
export function fingerprintCard(keyId: string): FingerprintCard {
  return {
    groups: inLines(fingerprint(keyId).split(' '), 8),
    words: inLines(pgpWords(fromHex(keyId, 'key id')).split(' '), 4),
    qr: qrText(keyId.toUpperCase()),
  };
}

function inLines(items: readonly string[], perLine: number): readonly string[] {
  return Array.from({ length: Math.ceil(items.length / perLine) }, (_, line) =>
    items.slice(line * perLine, (line + 1) * perLine).join(' '),
  );
}
