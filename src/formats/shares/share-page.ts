/** One share as a page for an envelope: what it is, its lines, and its QR code. */
import { toHex } from '../../core/bytes.ts';
import { qrText } from '../qr-text.ts';
import { encodeShareQr, encodeShareText } from './key-share.ts';
import type { KeyShare } from './key-share.ts';

/** What a page says beside the share. */
export interface SharePageFacts {
  /** Whose key, e.g. `AL-image-root`. */
  readonly name: string;
  readonly keys: readonly { readonly algorithm: string; readonly keyId: string }[];
  /** `YYYY-MM-DD`. */
  readonly date: string;
}

/** The page, as text to print; `decodeShareText` reads it back as it is. */
export function sharePage(share: KeyShare, facts: SharePageFacts): string {
  const { number, count, threshold, setId } = share;
  return [
    `SECRET: share ${number} of ${count} of the key ${facts.name}`,
    `Any ${threshold} of the ${count} shares restore the key; fewer tell nothing. Keep each in another place.`,
    `Set ${toHex(setId)}, split ${facts.date}`,
    ...facts.keys.map(({ algorithm, keyId }) => `Key ${algorithm} ${keyId}`),
    '',
    encodeShareText(share).trimEnd(),
    '',
    'Restore: secureev key combine SHARE... --out NAME.key (type the numbered lines into a file, or scan the code)',
    '',
    qrText(encodeShareQr(share)),
    '',
  ].join('\n');
}
