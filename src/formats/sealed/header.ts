/**
 * The first 88 bytes of a sealed payload: header, salt, commitment.
 *
 * Invariants: every length is bounded before it is believed; what decodes encodes to the same bytes; the size of the whole
 * file follows from the header alone.
 *
 * @see FORMAT.md section 2
 */
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import { GCM_TAG_BYTES } from '../../crypto/aead.ts';
import { suiteOfCode } from './suites.ts';
import type { Suite } from './suites.ts';

const MAGIC = utf8('SEVP');
const VERSION = 1;
/** Bytes of the header proper, which key derivation and envelopes are bound to. */
export const HEADER_BYTES = 24;
/** Bytes of the salt. */
export const SALT_BYTES = 32;
/** Bytes of the commitment. */
export const COMMITMENT_BYTES = 32;
/** Bytes before the first chunk: header, salt, commitment. */
export const PREFIX_BYTES = HEADER_BYTES + SALT_BYTES + COMMITMENT_BYTES;
/** Bytes of a chunk's plaintext where nothing else is asked for. */
export const DEFAULT_CHUNK_BYTES = 64 * 1024;
const CHUNK_BYTES_MIN = 2 * 1024;
const CHUNK_BYTES_MAX = 1024 * 1024;
/** Longest plaintext: 2^38 bytes, under which AES-GCM with one key keeps its margin (RFC 8446 section 5.5: 2^-57). */
export const PLAINTEXT_BYTES_MAX = 2 ** 38;

/** What a payload's header says. */
export interface PayloadHeader {
  readonly suite: Suite;
  /** Plaintext bytes of each chunk but the last: a power of two from 2 KiB to 1 MiB. */
  readonly chunkBytes: number;
  /** Bytes of the whole plaintext, at most 2^38. */
  readonly plaintextBytes: number;
}

/** A payload's beginning, decoded but not checked against any key. */
export interface PayloadPrefix {
  readonly header: PayloadHeader;
  /** The 24 header bytes as they stand. */
  readonly headerBytes: Uint8Array;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
}

/** Encodes a header: 24 bytes. @throws SEALED_MALFORMED, SEALED_TOO_LARGE */
export function encodeHeader(header: PayloadHeader): Uint8Array<ArrayBuffer> {
  demandSizes(header);
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(4, VERSION);
  view.setUint16(6, header.suite.code);
  view.setUint32(8, header.chunkBytes);
  view.setBigUint64(16, BigInt(header.plaintextBytes));
  return bytes;
}

/**
 * Decodes the first 88 bytes of a payload; attacker-controlled.
 *
 * @throws SEALED_TRUNCATED, SEALED_MALFORMED, SEALED_VERSION_UNKNOWN, SEALED_SUITE_UNKNOWN, SEALED_TOO_LARGE
 */
export function decodePrefix(bytes: Uint8Array): PayloadPrefix {
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC.subarray(0, bytes.length))) {
    throw malformed('no sealed payload: it does not begin with SEVP', 0);
  }
  if (bytes.length < PREFIX_BYTES) {
    throw failure('SEALED_TRUNCATED', `the payload ends after ${bytes.length} bytes, inside its first ${PREFIX_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const version = view.getUint16(4);
  if (version !== VERSION) {
    throw failure('SEALED_VERSION_UNKNOWN', `payload version ${version}, this program reads ${VERSION}`, { offset: 4 });
  }
  if (view.getUint32(12) !== 0) throw malformed('reserved bytes are not zero', 12);
  const plaintextBytes = view.getBigUint64(16);
  if (plaintextBytes > BigInt(PLAINTEXT_BYTES_MAX)) throw tooLarge(plaintextBytes);
  const header = {
    suite: suiteOfCode(view.getUint16(6)),
    chunkBytes: view.getUint32(8),
    plaintextBytes: Number(plaintextBytes),
  };
  demandSizes(header);
  return {
    header,
    headerBytes: bytes.slice(0, HEADER_BYTES),
    salt: bytes.slice(HEADER_BYTES, HEADER_BYTES + SALT_BYTES),
    commitment: bytes.slice(HEADER_BYTES + SALT_BYTES, PREFIX_BYTES),
  };
}

/** How many chunks a payload has: at least one, which is empty only for an empty plaintext. */
export function chunkCount(header: PayloadHeader): number {
  return Math.max(1, Math.ceil(header.plaintextBytes / header.chunkBytes));
}

/** Bytes of the whole payload file. */
export function sealedBytes(header: PayloadHeader): number {
  return PREFIX_BYTES + header.plaintextBytes + chunkCount(header) * GCM_TAG_BYTES;
}

/** Refuses a file whose size is not the one its header gives. @throws SEALED_TRUNCATED, SEALED_TRAILING_BYTES */
export function demandFileSize(header: PayloadHeader, fileBytes: number): void {
  const expected = sealedBytes(header);
  if (fileBytes === expected) return;
  const details = { expected, found: fileBytes };
  const message = `the payload has ${fileBytes} bytes where its header promises ${expected}`;
  throw failure(fileBytes < expected ? 'SEALED_TRUNCATED' : 'SEALED_TRAILING_BYTES', message, details);
}

function demandSizes({ chunkBytes, plaintextBytes }: PayloadHeader): void {
  const powerOfTwo = Number.isInteger(chunkBytes) && (chunkBytes & (chunkBytes - 1)) === 0;
  if (!powerOfTwo || chunkBytes < CHUNK_BYTES_MIN || chunkBytes > CHUNK_BYTES_MAX) {
    throw malformed(`chunk size ${chunkBytes} is not a power of two from ${CHUNK_BYTES_MIN} to ${CHUNK_BYTES_MAX}`, 8);
  }
  if (plaintextBytes > PLAINTEXT_BYTES_MAX) throw tooLarge(plaintextBytes);
}

function tooLarge(found: number | bigint): SecureevError {
  return failure('SEALED_TOO_LARGE', `plaintext of ${found} bytes, at most ${PLAINTEXT_BYTES_MAX} fit a payload`, {
    offset: 16,
  });
}

function malformed(message: string, offset: number): SecureevError {
  return failure('SEALED_MALFORMED', message, { offset });
}
