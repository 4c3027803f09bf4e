/**
 * The one profile of POSIX ustar that backups are written in: regular files, one header block each, no links, no
 * extensions.
 *
 * Invariant: a header is read only if writing what it says gives the same 512 bytes, so there is one spelling of each entry
 * and nothing hides in fields that nobody looks at.
 *
 * @see POSIX.1-2017 pax, "ustar Interchange Format"; sizes from 8 GiB on as GNU tar and libarchive write them
 */
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';

/** Bytes of a header, and of what contents are padded to. */
export const TAR_BLOCK_BYTES = 512;

/** Zero bytes at the end of an archive: two blocks. */
export const TAR_END_BYTES = 2 * TAR_BLOCK_BYTES;

/** A file of an archive. */
export interface TarEntry {
  /** At most 100 characters of `[A-Za-z0-9._/-]`. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Seconds since 1970, below 2^33. */
  readonly modified: number;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;
const OCTAL_SIZE_END = 0o100000000000;
const MODIFIED_END = 0o100000000000;

/** The 512 bytes before a file's content. */
export function encodeTarHeader({ name, sizeBytes, modified }: TarEntry): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(TAR_BLOCK_BYTES);
  block.set(utf8(name), 0);
  block.set(utf8('0000600\0'), 100);
  block.set(utf8('0000000\0'), 108);
  block.set(utf8('0000000\0'), 116);
  block.set(sizeField(sizeBytes), 124);
  block.set(utf8(`${octal(modified, 11)}\0`), 136);
  block.set(utf8('        0'), 148);
  block.set(utf8('ustar\x0000'), 257);
  block.set(
    utf8(
      `${octal(
        block.reduce((sum, byte) => sum + byte, 0),
        6,
      )}\0 `,
    ),
    148,
  );
  return block;
}

/** Zero bytes after `sizeBytes` of content. */
export function tarPadding(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

/** Reads a header. @throws BACKUP_MALFORMED; `offset` is where it begins, for the message */
export function decodeTarHeader(block: Uint8Array, offset: number): TarEntry {
  const name = textIn(block.subarray(0, 100));
  const entry = { name, sizeBytes: sizeIn(block.subarray(124, 136)), modified: octalIn(block.subarray(136, 147)) };
  const isEntry =
    block.length === TAR_BLOCK_BYTES && NAME.test(name) && entry.sizeBytes >= 0 && entry.modified < MODIFIED_END;
  if (isEntry && equalBytes(encodeTarHeader(entry), block)) return entry;
  throw failure('BACKUP_MALFORMED', `no backup, or a damaged one: no entry of one at byte ${offset}`, { offset });
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Octal below 8 GiB, else 0x80 and 11 bytes big-endian. */
function sizeField(sizeBytes: number): Uint8Array {
  if (sizeBytes < OCTAL_SIZE_END) return utf8(`${octal(sizeBytes, 11)}\0`);
  const field = new Uint8Array(12);
  new DataView(field.buffer).setBigUint64(4, BigInt(sizeBytes));
  field[0] = 0x80;
  return field;
}

function sizeIn(field: Uint8Array): number {
  if (field[0] !== 0x80) return octalIn(field.subarray(0, 11));
  const size = new DataView(field.buffer, field.byteOffset, 12).getBigUint64(4);
  return size <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) : -1;
}

/** -1 for what is no octal number. */
function octalIn(field: Uint8Array): number {
  const text = textIn(field);
  return /^[0-7]{11}$/.test(text) ? Number.parseInt(text, 8) : -1;
}

function textIn(field: Uint8Array): string {
  const end = field.indexOf(0);
  return String.fromCharCode(...field.subarray(0, end === -1 ? field.length : end));
}
