/**
 * The chunks of a sealed payload: AES-256-GCM under one file key, nonce = counter (11 bytes) || last-chunk flag, no AAD.
 *
 * Invariants: chunks are sealed and opened in order, each once; which chunk is the last follows from the header; nothing of
 * a chunk is given out before its tag is checked.
 *
 * @see FORMAT.md section 4
 */
import { failure, isFailure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { GCM_TAG_BYTES, aes256Gcm } from '../../crypto/aead.ts';
import { chunkCount } from './header.ts';
import type { PayloadHeader } from './header.ts';

const NONCE_BYTES = 12;

/** What chunks are sealed and opened with. */
export interface ChunkKey {
  readonly engine: EngineName;
  /** The file key, 32 bytes. */
  readonly fileKey: Uint8Array;
  readonly header: PayloadHeader;
}

/** Turns a plaintext into chunks, batch by batch. */
export interface ChunkSealer {
  /**
   * Seals whole chunks (only the plaintext's last batch may end within one) to the start of `target`, and gives the bytes
   * written. @throws INTERNAL where the batch does not fit the header
   */
  seal(target: Uint8Array, plaintext: Uint8Array): number;
  /** @throws INTERNAL where plaintext is missing */
  finish(): void;
}

/** Turns chunks back into the plaintext, batch by batch. */
export interface ChunkOpener {
  /**
   * Opens whole sealed chunks (the last one may be shorter) to the start of `target`, and gives the bytes written; on a
   * failure `target` holds the chunks before, nothing of the bad one.
   * @throws SEALED_CHUNK, SEALED_TRUNCATED, SEALED_TRAILING_BYTES
   */
  open(target: Uint8Array, sealed: Uint8Array): number;
  /** @throws SEALED_TRUNCATED where chunks are missing */
  finish(): void;
}

/** Bytes of `chunks` whole sealed chunks. */
export function sealedChunkBytes(header: PayloadHeader, chunks: number): number {
  return chunks * (header.chunkBytes + GCM_TAG_BYTES);
}

/** Starts sealing; an empty plaintext takes one empty batch. */
export function startSealing({ engine, fileKey, header }: ChunkKey): ChunkSealer {
  const aead = aes256Gcm(engine, fileKey);
  const place = chunkPlaces(header);
  return {
    seal(target, plaintext) {
      let written = 0;
      let read = 0;
      do {
        if (place.done()) throw failure('INTERNAL', 'more plaintext than the payload header says');
        const piece = plaintext.subarray(read, read + place.plaintextBytes());
        if (piece.length !== place.plaintextBytes()) throw failure('INTERNAL', 'a batch ends inside a chunk');
        written += aead.sealTo(target.subarray(written), place.nonce(), piece);
        read += piece.length;
        place.next();
      } while (read < plaintext.length);
      return written;
    },
    finish() {
      if (!place.done()) throw failure('INTERNAL', 'less plaintext than the payload header says');
    },
  };
}

/** Starts opening. */
export function startOpening({ engine, fileKey, header }: ChunkKey): ChunkOpener {
  const aead = aes256Gcm(engine, fileKey);
  const place = chunkPlaces(header);
  function openOne(target: Uint8Array, sealed: Uint8Array): number {
    try {
      return aead.openTo(target, place.nonce(), sealed);
    } catch (cause) {
      if (!isFailure(cause, 'DECRYPT_FAILED')) throw cause;
      throw failure('SEALED_CHUNK', `chunk ${place.index()} of the payload was altered or moved`, {
        chunk: place.index(),
      });
    }
  }
  return {
    open(target, sealed) {
      let written = 0;
      for (let read = 0; read < sealed.length;) {
        if (place.done()) throw failure('SEALED_TRAILING_BYTES', 'bytes after the last chunk of the payload');
        const piece = sealed.subarray(read, read + place.plaintextBytes() + GCM_TAG_BYTES);
        if (piece.length < place.plaintextBytes() + GCM_TAG_BYTES) throw truncated(place.index());
        written += openOne(target.subarray(written), piece);
        read += piece.length;
        place.next();
      }
      return written;
    },
    finish() {
      if (!place.done()) throw truncated(place.index());
    },
  };
}

function truncated(chunk: number): Error {
  return failure('SEALED_TRUNCATED', `the payload ends in chunk ${chunk}`, { chunk });
}

/** Walks over a payload's chunks: how long each is, and its nonce. */
function chunkPlaces(header: PayloadHeader): {
  index(): number;
  done(): boolean;
  plaintextBytes(): number;
  nonce(): Uint8Array;
  next(): void;
} {
  const count = chunkCount(header);
  const lastBytes = header.plaintextBytes - (count - 1) * header.chunkBytes;
  const nonce = new Uint8Array(NONCE_BYTES);
  const view = new DataView(nonce.buffer);
  let index = 0;
  return {
    index: () => index,
    done: () => index === count,
    plaintextBytes: () => (index === count - 1 ? lastBytes : header.chunkBytes),
    nonce() {
      // At most 2^27 chunks fit a payload: the counter's upper seven bytes stay zero.
      view.setUint32(7, index);
      nonce[NONCE_BYTES - 1] = index === count - 1 ? 1 : 0;
      return nonce;
    },
    next() {
      index += 1;
    },
  };
}
