/**
 * What is split into shares: the raw secrets of a signer's or recipient's keys with their algorithms.
 *
 * Owns the bytes (FORMAT.md): deterministic CBOR of `[[algorithm, secret], ...]`, classical first.
 */
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { decodeCbor, encodeCbor, isCborArray } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { isKeyAlgorithm } from '../keys/algorithms.ts';
import type { KeyAlgorithm } from '../keys/algorithms.ts';
import { SHARE_DATA_BYTES_MAX } from './key-share.ts';

/** One key of what is split. */
export interface SharedSecret {
  readonly algorithm: KeyAlgorithm;
  /** As key files store it; at most 512 bytes. */
  readonly secret: Uint8Array;
}

const KEYS_MAX = 2;
/** Longest secret; an expanded ML-DSA key is longer and not worth typing in. */
const SECRET_BYTES_MAX = 512;

/** The bytes to split. @throws KEY_UNSUITABLE for secrets too long to share */
export function encodeShareSecret(keys: readonly SharedSecret[]): Uint8Array<ArrayBuffer> {
  const long = keys.find(({ secret }) => secret.length > SECRET_BYTES_MAX);
  if (long !== undefined) {
    throw failure('KEY_UNSUITABLE', `a ${long.algorithm} key without its seed is too long for shares`);
  }
  return encodeCbor(keys.map(({ algorithm, secret }): Cbor => [algorithm, secret]));
}

/** Reads what shares were joined to. Nothing of it is told in an error. @throws SHARE_MALFORMED */
export function decodeShareSecret(bytes: Uint8Array): readonly SharedSecret[] {
  const list = decoded(bytes);
  if (!isCborArray(list) || list.length === 0 || list.length > KEYS_MAX) throw malformed();
  return list.map(decodeOne);
}

function decodeOne(item: Cbor): SharedSecret {
  const [algorithm, secret, ...more] = isCborArray(item) ? item : [];
  if (typeof algorithm !== 'string' || !isKeyAlgorithm(algorithm) || more.length > 0) throw malformed();
  if (!(secret instanceof Uint8Array) || secret.length === 0 || secret.length > SECRET_BYTES_MAX) throw malformed();
  return { algorithm, secret: Uint8Array.from(secret) };
}

function decoded(bytes: Uint8Array): Cbor {
  try {
    const value = decodeCbor(bytes, { maxBytes: SHARE_DATA_BYTES_MAX, maxDepth: 3, maxItems: 16 });
    if (equalBytes(encodeCbor(value), bytes)) return value;
  } catch {
    // What the decoder says of a secret is not passed on.
  }
  throw malformed();
}

function malformed(): Error {
  return failure('SHARE_MALFORMED', 'the shares do not join to a key: one of them is wrong');
}
