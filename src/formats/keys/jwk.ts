/**
 * JSON Web Keys of type AKP, for the KEMs without an object identifier: MLKEM768-P256 and MLKEM1024-P384.
 *
 * Written as canonical JSON: `{"alg":...,"kty":"AKP","priv":...,"pub":...}` (the public key without `priv`), base64url without padding; nothing else is
 * read. So the public JWK's SHA-256 is its RFC 7638 thumbprint.
 *
 * @see RFC 7517, RFC 7638; key type AKP: draft-ietf-cose-dilithium
 */
import { fromBase64Url, toBase64Url } from '../../core/base64.ts';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import { KEM_PUBLIC_KEY_BYTES } from '../../crypto/kems/public-key-sizes.ts';
import { canonicalJson } from '../json/canonical.ts';
import { isJsonMap, jsonMap } from '../json/json.ts';
import type { JsonMap } from '../json/json.ts';
import { parseJson } from '../json/parse.ts';
import type { KeyAlgorithm } from './algorithms.ts';
import type { RawPublicKey } from './spki.ts';

const ALGORITHMS = ['MLKEM768-P256', 'MLKEM1024-P384'] as const;
const LIMITS = { bytesMax: 8192, depthMax: 2, valuesMax: 8 };

/** Whether keys of an algorithm are written as JWK. */
export function hasJwk(algorithm: KeyAlgorithm): boolean {
  return ALGORITHMS.some((known) => known === algorithm);
}

/** The public JWK. */
export function encodePublicJwk({ algorithm, bytes }: RawPublicKey): Uint8Array<ArrayBuffer> {
  return canonicalJson(jsonMap({ alg: algorithm, kty: 'AKP', pub: toBase64Url(bytes) }));
}

/** Reads a public JWK. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodePublicJwk(json: Uint8Array): RawPublicKey {
  const { algorithm, publicKey } = decodeJwk(json, ['alg', 'kty', 'pub']);
  return { algorithm, bytes: publicKey };
}

/** A JWK read. */
export interface JwkRead {
  readonly map: JsonMap;
  readonly algorithm: KeyAlgorithm;
  readonly publicKey: Uint8Array;
}

/** Reads a JWK of exactly these members, sorted. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodeJwk(json: Uint8Array, members: readonly string[]): JwkRead {
  const map = parsed(json);
  const text = map.get('alg');
  const algorithm = ALGORITHMS.find((known) => known === text);
  if ([...map.keys()].sort().join() !== members.join() || map.get('kty') !== 'AKP') throw malformed('other members');
  if (algorithm === undefined) throw failure('ALGORITHM_UNKNOWN', 'a JWK of an algorithm that is not written so here');
  const publicKey = jwkBytes(map, 'pub', KEM_PUBLIC_KEY_BYTES[algorithm]);
  if (!equalBytes(canonicalJson(map), json)) throw malformed('not canonical');
  return { map, algorithm, publicKey };
}

/** What the parser says of text that may be a secret is not passed on. */
function parsed(json: Uint8Array): JsonMap {
  try {
    const value = parseJson(json, LIMITS);
    if (isJsonMap(value)) return value;
  } catch {
    throw malformed('not JSON');
  }
  throw malformed('not an object');
}

/** The bytes of a member, `count` of them. @throws KEY_MALFORMED */
export function jwkBytes(map: JsonMap, name: string, count: number): Uint8Array {
  const text = map.get(name);
  try {
    const bytes = fromBase64Url(typeof text === 'string' ? text : '');
    if (bytes.length === count) return bytes;
  } catch {
    throw malformed(`${name} is not base64url`);
  }
  throw malformed(`${name} is not of ${count} bytes`);
}

function malformed(reason: string): SecureevError {
  return failure('KEY_MALFORMED', `malformed JWK: ${reason}`);
}
