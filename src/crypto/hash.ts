/**
 * SHA-2 in one shot and streaming, and HMAC-SHA-256.
 *
 * @see FIPS 180-4; RFC 2104
 */
import * as nodeCrypto from 'node:crypto';
import type { EngineName } from '../core/ports.ts';
import { plainBytes } from './key-bytes.ts';
import { noble, type Noble } from './noble.ts';

const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/** A hash that takes its input in pieces. */
export interface StreamingHash {
  update(bytes: Uint8Array): void;
  /** The hash of everything; called once, at the end. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** SHA-256, 32 bytes. */
export function sha256(engine: EngineName, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return engine === 'native' ? plainBytes(nodeCrypto.hash('sha256', bytes, 'buffer')) : noble().sha256(bytes);
}

/** SHA-512, 64 bytes. */
export function sha512(engine: EngineName, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return engine === 'native' ? plainBytes(nodeCrypto.hash('sha512', bytes, 'buffer')) : noble().sha512(bytes);
}

/** Starts a SHA-256 over pieces. */
export function startSha256(engine: EngineName): StreamingHash {
  return engine === 'native' ? nativeHash('sha256') : nobleHash(noble().sha256.create());
}

/** Starts a SHA-512 over pieces. */
export function startSha512(engine: EngineName): StreamingHash {
  return engine === 'native' ? nativeHash('sha512') : nobleHash(noble().sha512.create());
}

/** HMAC-SHA-256 of the parts one after the other, 32 bytes. */
export function hmacSha256(engine: EngineName, key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  return engine === 'native' ? nativeHmac(key, message) : nobleHmac(key, message);
}

/** Two one-shot hashes: a fifth of the time of `createHmac`, which looks its algorithm up at each call. */
function nativeHmac(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const short = key.length > BLOCK_BYTES ? sha256('native', key) : key;
  const inner = new Uint8Array(BLOCK_BYTES + message.length).fill(INNER_PAD, 0, BLOCK_BYTES);
  const outer = new Uint8Array(BLOCK_BYTES + 32).fill(OUTER_PAD, 0, BLOCK_BYTES);
  for (const [i, byte] of short.entries()) {
    inner[i] = byte ^ INNER_PAD;
    outer[i] = byte ^ OUTER_PAD;
  }
  inner.set(message, BLOCK_BYTES);
  outer.set(sha256('native', inner), BLOCK_BYTES);
  return sha256('native', outer);
}

function nativeHash(name: 'sha256' | 'sha512'): StreamingHash {
  const hash = nodeCrypto.createHash(name);
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => plainBytes(hash.digest()),
  };
}

function nobleHmac(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  const { hmac, sha256: hash } = noble();
  return hmac(hash, key, message);
}

function nobleHash(hash: ReturnType<Noble['sha256' | 'sha512']['create']>): StreamingHash {
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => new Uint8Array(hash.digest()),
  };
}
