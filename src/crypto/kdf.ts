/**
 * Key derivation: HKDF-SHA-256 from keys, scrypt from passphrases.
 *
 * Invariant: scrypt's cost is bounded before anything is allocated, for its parameters come from files.
 *
 * @see RFC 5869; RFC 7914
 */
import * as nodeCrypto from 'node:crypto';
import { concatBytes } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { hmacSha256 } from './hash.ts';
import { plainBytes } from './key-bytes.ts';
import { noble } from './noble.ts';

const HASH_BYTES = 32;
const HKDF_OUTPUT_MAX = 255 * HASH_BYTES;
/** Most memory that scrypt may take: 128 * n * r bytes. */
const SCRYPT_MEMORY_MAX = 256 * 1024 * 1024;
const SCRYPT_PARALLEL_MAX = 64;
const SCRYPT_OUTPUT_MAX = 1024;

/** What HKDF derives from. */
export interface HkdfRequest {
  readonly engine: EngineName;
  readonly ikm: Uint8Array;
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
  /** Bytes to derive, 1 to 8160. */
  readonly length: number;
}

/** HKDF-SHA-256, extract and expand. @throws VALUE_MALFORMED */
export function hkdfSha256(request: HkdfRequest): Uint8Array<ArrayBuffer> {
  const { engine, info, length } = request;
  return hkdfExpand({ engine, prk: hkdfExtract(request), info, length });
}

/** HKDF-Extract, 32 bytes. @see RFC 5869 section 2.2 */
export function hkdfExtract(request: Pick<HkdfRequest, 'engine' | 'ikm' | 'salt'>): Uint8Array<ArrayBuffer> {
  return hmacSha256(request.engine, request.salt, request.ikm);
}

/** HKDF-Expand of a 32-byte `prk`. @throws VALUE_MALFORMED @see RFC 5869 section 2.3 */
export function hkdfExpand(
  request: Pick<HkdfRequest, 'engine' | 'info' | 'length'> & { readonly prk: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const { engine, prk, info, length } = request;
  if (!Number.isInteger(length) || length < 1 || length > HKDF_OUTPUT_MAX) {
    throw failure('VALUE_MALFORMED', `hkdf yields 1 to ${HKDF_OUTPUT_MAX} bytes, not ${length}`);
  }
  const output = new Uint8Array(Math.ceil(length / HASH_BYTES) * HASH_BYTES);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0; offset < length; offset += HASH_BYTES) {
    block = hmacSha256(engine, prk, concatBytes(block, info, Uint8Array.of(offset / HASH_BYTES + 1)));
    output.set(block, offset);
  }
  return output.subarray(0, length);
}

/** What scrypt derives from. */
export interface ScryptRequest {
  readonly engine: EngineName;
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  /** The cost N, a power of two. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
  /** Bytes to derive, 1 to 1024. */
  readonly length: number;
}

/** scrypt; refuses parameters that would take over 256 MiB. @throws VALUE_MALFORMED */
export async function scrypt(request: ScryptRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { engine, password, salt, n, r, p, length } = request;
  demandScryptCost(request);
  const maxmem = 128 * r * (n + p + 2);
  if (engine === 'noble') return await noble().scryptAsync(password, salt, { N: n, r, p, dkLen: length, maxmem });
  return await new Promise((resolve, reject) => {
    nodeCrypto.scrypt(password, salt, length, { N: n, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(plainBytes(key));
      else reject(error);
    });
  });
}

function demandScryptCost({ n, r, p, length }: ScryptRequest): void {
  const whole = [n, r, p, length].every((value) => Number.isSafeInteger(value) && value >= 1);
  const powerOfTwo = n > 1 && n <= SCRYPT_MEMORY_MAX && (n & (n - 1)) === 0;
  const bounded = 128 * n * r <= SCRYPT_MEMORY_MAX && p <= SCRYPT_PARALLEL_MAX && length <= SCRYPT_OUTPUT_MAX;
  if (!whole || !powerOfTwo || !bounded) {
    throw failure('VALUE_MALFORMED', `scrypt parameters out of bounds: N=${n} r=${r} p=${p}, ${length} bytes`);
  }
}
