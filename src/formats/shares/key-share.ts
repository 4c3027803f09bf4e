/**
 * One share of a split private key: as printable text that a person can type, and as the payload of a QR code.
 *
 * Owns the bytes (FORMAT.md): body, then the first 4 bytes of its SHA-256. Text is Crockford base32 in numbered lines of
 * eight groups of four, each line with its own check group, so that a typing mistake is found in its line.
 */
import { base32crockford } from '@scure/base';
import { sha256 } from '../../crypto/hash.ts';
import { concatBytes, equalBytes, toHex, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';

const FORMAT_VERSION = 1;
const SET_ID_BYTES = 8;
const KEY_DIGEST_BYTES = 8;
const HEADER_BYTES = 1 + SET_ID_BYTES + KEY_DIGEST_BYTES + 3;
const CHECKSUM_BYTES = 4;
/** A share's data is at most this long: a hybrid secret with its labels is about 100 bytes. */
export const SHARE_DATA_BYTES_MAX = 1024;
const TEXT_CHARS_MAX = 16_384;
const GROUPS_PER_LINE = 8;
const GROUP_CHARS = 4;
const QR_PREFIX = 'SECUREEV-SHARE:';
const LINE = /^\s*(\d{1,3}):\s*([0-9A-Za-z ]+?)\s*\/\s*([0-9A-Za-z]{4})\s*$/;

/** One of `count` shares, any `threshold` of which restore the key. */
export interface KeyShare {
  /** 8 bytes, random, the same in all shares of one splitting. */
  readonly setId: Uint8Array;
  /** First 8 bytes of SHA-256 over the key's ids in order, each followed by a line feed. */
  readonly keyDigest: Uint8Array;
  /** 2 to 255. */
  readonly threshold: number;
  /** `threshold` to 255. */
  readonly count: number;
  /** 1 to `count`. */
  readonly number: number;
  /** The Shamir share, 1 to 1024 bytes. */
  readonly data: Uint8Array;
}

/** The 8 bytes that tie a share to a key, from the key's ids (classical first). */
export function shareKeyDigest(keyIds: readonly string[]): Uint8Array {
  return sha256('noble', utf8(keyIds.map((id) => `${id}\n`).join(''))).slice(0, KEY_DIGEST_BYTES);
}

/** The lines of a share for paper, without heading. */
export function encodeShareText(share: KeyShare): string {
  const text = base32crockford.encode(encodeShare(share));
  const perLine = GROUPS_PER_LINE * GROUP_CHARS;
  const lines = Array.from({ length: Math.ceil(text.length / perLine) }, (_, index) => {
    const content = text.slice(index * perLine, (index + 1) * perLine);
    const groups = content.match(/.{1,4}/g) ?? [];
    return `${String(index + 1).padStart(2, '0')}: ${groups.join(' ')} / ${checkGroup(index + 1, content)}`;
  });
  return `${lines.join('\n')}\n`;
}

/** What goes into the share's QR code: upper-case letters, digits, `-` and `:` alone (alphanumeric mode). */
export function encodeShareQr(share: KeyShare): string {
  return QR_PREFIX + base32crockford.encode(encodeShare(share));
}

/**
 * Reads a share from its lines (other lines are passed over) or its QR payload.
 * @throws SHARE_MALFORMED naming the line with the mistake
 */
export function decodeShareText(text: string): KeyShare {
  if (text.length > TEXT_CHARS_MAX) throw malformed(`a share has at most ${TEXT_CHARS_MAX} characters`);
  const qr = text.trim().toUpperCase();
  return decodeShare(fromBase32(qr.startsWith(QR_PREFIX) ? qr.slice(QR_PREFIX.length) : joinLines(text)));
}

function joinLines(text: string): string {
  const found = text.split(/\r?\n/).flatMap((line) => {
    const match = LINE.exec(line);
    return match === null ? [] : [{ number: Number(match[1]), content: plain(match[2]), check: plain(match[3]) }];
  });
  if (found.length === 0) throw malformed('no line of a share found in the text');
  return found
    .map((line, index) => {
      if (line.number !== index + 1) throw malformed(`line ${index + 1} of the share is missing or out of order`);
      if (checkGroup(line.number, line.content) !== line.check) {
        throw malformed(`line ${line.number} of the share does not match its check group`, { line: line.number });
      }
      return line.content;
    })
    .join('');
}

/** Crockford's reading: no spaces, capitals, O is 0, I and L are 1. */
function plain(text = ''): string {
  return text.replaceAll(' ', '').toUpperCase().replaceAll('O', '0').replaceAll(/[IL]/g, '1');
}

function checkGroup(lineNumber: number, content: string): string {
  return base32crockford.encode(sha256('noble', utf8(`${lineNumber}:${content}`)).slice(0, 5)).slice(0, GROUP_CHARS);
}

function fromBase32(text: string): Uint8Array {
  try {
    return base32crockford.decode(text);
  } catch {
    throw malformed('the share has a character that is not of Crockford base32, or its end is missing');
  }
}

function encodeShare(share: KeyShare): Uint8Array {
  const counts = Uint8Array.of(share.threshold, share.count, share.number);
  const body = concatBytes(Uint8Array.of(FORMAT_VERSION), share.setId, share.keyDigest, counts, share.data);
  return concatBytes(body, sha256('noble', body).slice(0, CHECKSUM_BYTES));
}

function decodeShare(bytes: Uint8Array): KeyShare {
  const dataBytes = bytes.length - HEADER_BYTES - CHECKSUM_BYTES;
  if (dataBytes < 1 || dataBytes > SHARE_DATA_BYTES_MAX) throw malformed('the share is too short or too long');
  const body = bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
  if (!equalBytes(sha256('noble', body).subarray(0, CHECKSUM_BYTES), bytes.subarray(body.length))) {
    throw malformed('the share does not match its checksum');
  }
  if (body[0] !== FORMAT_VERSION) throw malformed(`shares of format ${body[0] ?? 0} are not known here`);
  return checkedCounts({
    setId: body.slice(1, 1 + SET_ID_BYTES),
    keyDigest: body.slice(1 + SET_ID_BYTES, 1 + SET_ID_BYTES + KEY_DIGEST_BYTES),
    threshold: body[HEADER_BYTES - 3] ?? 0,
    count: body[HEADER_BYTES - 2] ?? 0,
    number: body[HEADER_BYTES - 1] ?? 0,
    data: body.slice(HEADER_BYTES),
  });
}

function checkedCounts(share: KeyShare): KeyShare {
  const { threshold, count, number } = share;
  if (threshold < 2 || count < threshold || number < 1 || number > count) {
    throw malformed(`share ${number} of ${count} with threshold ${threshold} cannot be`);
  }
  return share;
}

/** Refuses shares that do not belong together, and says which. @throws SHARE_MIXED, SHARE_SHORT */
export function requireOneSet(shares: readonly KeyShare[]): void {
  const [first] = shares;
  if (first === undefined) throw failure('SHARE_SHORT', 'no share given');
  for (const share of shares) {
    const same = equalBytes(share.setId, first.setId) && equalBytes(share.keyDigest, first.keyDigest);
    if (!same || share.threshold !== first.threshold || share.count !== first.count) {
      const message = `share ${share.number} is of set ${toHex(share.setId)}, share ${first.number} of ${toHex(first.setId)}`;
      throw failure('SHARE_MIXED', message);
    }
  }
  const numbers = new Set(shares.map((share) => share.number));
  if (numbers.size !== shares.length) throw failure('SHARE_MIXED', 'the same share was given twice');
  if (numbers.size < first.threshold) {
    throw failure('SHARE_SHORT', `${numbers.size} of the ${first.threshold} needed shares given`);
  }
}

function malformed(message: string, details?: Readonly<Record<string, unknown>>): Error {
  return failure('SHARE_MALFORMED', message, details);
}
