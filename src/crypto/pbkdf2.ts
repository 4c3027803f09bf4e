/**
 * PBKDF2-HMAC, to read the key files of other tools; ours use scrypt.
 *
 * @see RFC 8018 section 5.2
 */
import * as nodeCrypto from 'node:crypto';
import { failure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { plainBytes } from './key-bytes.ts';
import { noble } from './noble.ts';

/** Most iterations taken from a file: a few seconds of work. */
export const PBKDF2_ITERATIONS_MAX = 10_000_000;
const OUTPUT_MAX = 64;

/** A hash under PBKDF2's HMAC; SHA-1 because OpenSSL wrote it for years, where it is not weak. */
export type Pbkdf2Hash = 'sha1' | 'sha256' | 'sha512';

/** What PBKDF2 derives from. */
export interface Pbkdf2Request {
  readonly engine: EngineName;
  readonly hash: Pbkdf2Hash;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  /** 1 to 10,000,000. */
  readonly iterations: number;
  /** Bytes to derive, 1 to 64. */
  readonly length: number;
}

/** Derives `length` bytes. @throws VALUE_MALFORMED */
export async function pbkdf2(request: Pbkdf2Request): Promise<Uint8Array<ArrayBuffer>> {
  const { engine, hash, password, salt, iterations, length } = request;
  const whole = [iterations, length].every((value) => Number.isSafeInteger(value) && value >= 1);
  if (!whole || iterations > PBKDF2_ITERATIONS_MAX || length > OUTPUT_MAX) {
    throw failure('VALUE_MALFORMED', `pbkdf2 parameters out of bounds: ${iterations} iterations, ${length} bytes`);
  }
  if (engine === 'noble') {
    const { pbkdf2Async, [hash]: hasher } = noble();
    return Uint8Array.from(await pbkdf2Async(hasher, password, salt, { c: iterations, dkLen: length }));
  }
  return await new Promise((resolve, reject) => {
    nodeCrypto.pbkdf2(password, salt, iterations, length, hash, (error, key) => {
      if (error === null) resolve(plainBytes(key));
      else reject(error);
    });
  });
}
