/**
 * Keys and signatures as dialect `tuf` writes them.
 *
 * ECDSA P-256: `ecdsa`/`ecdsa-sha2-nistp256`, PEM SPKI, DER signature in hex (the old key type `ecdsa-sha2-nistp256` is
 * read too). Ed25519: hex. RSA: `rsa`/`rsassa-pss-sha256`, PEM. ML-DSA: `ml-dsa`/`ml-dsa-65/1`, PEM (TAP 21).
 *
 * @see TUF 1.0.34 section 4.2
 */
import type { KeyId } from '../../core/brands.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { ecdsaSignatureFromDer, ecdsaSignatureToDer } from '../../crypto/signatures/index.ts';
import type { JsonMap } from '../json/json.ts';
import { jsonMember, jsonObject, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { makePublicKey, tufKeyObject } from '../keys/public-key.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { decodeSpkiPem } from '../keys/spki.ts';
import type { KeyAlgorithm } from '../keys/algorithms.ts';
import type { MetadataKey } from './types.ts';

const ALGORITHMS: ReadonlyMap<string, KeyAlgorithm> = new Map([
  ['ecdsa/ecdsa-sha2-nistp256', 'ecdsa-p256'],
  ['ecdsa-sha2-nistp256/ecdsa-sha2-nistp256', 'ecdsa-p256'],
  ['ed25519/ed25519', 'ed25519'],
  ['rsa/rsassa-pss-sha256', 'rsa-pss-sha256'],
  ['ml-dsa/ml-dsa-44/1', 'ml-dsa-44'],
  ['ml-dsa/ml-dsa-65/1', 'ml-dsa-65'],
  ['ml-dsa/ml-dsa-87/1', 'ml-dsa-87'],
] as const);

/** Reads a key object; one of a type not known here is kept without a public key. @throws METADATA_MALFORMED */
export function decodeTufKey(keyId: KeyId, place: JsonPlace): MetadataKey {
  const keytype = jsonText(jsonMember(place, 'keytype'));
  const scheme = jsonText(jsonMember(place, 'scheme'));
  const publicPlace = jsonMember(jsonMember(place, 'keyval'), 'public');
  jsonObject(jsonMember(place, 'keyval'));
  const algorithm = ALGORITHMS.get(`${keytype}/${scheme}`);
  if (algorithm === undefined) return { keyId, publicKey: undefined };
  const bytes = jsonParsed(publicPlace, (text) => rawPublicKey(algorithm, text));
  return { keyId, publicKey: makePublicKey(algorithm, bytes) };
}

function rawPublicKey(algorithm: KeyAlgorithm, text: string): Uint8Array {
  if (algorithm === 'ed25519') {
    const bytes = fromHex(text, 'public key');
    if (bytes.length !== 32) throw new RangeError('a public key of ed25519 has 32 bytes');
    return bytes;
  }
  const key = decodeSpkiPem(text);
  if (key.algorithm !== algorithm) throw new TypeError(`the key is of ${key.algorithm}, not ${algorithm}`);
  return key.bytes;
}

/** Writes a key object. */
export function encodeTufKey(key: PublicKey): JsonMap {
  return tufKeyObject(key);
}

/** The raw signature of what a file has. @throws SIGNATURE_INVALID, VALUE_MALFORMED */
export function decodeTufSignature(algorithm: KeyAlgorithm, text: string): Uint8Array {
  const bytes = fromHex(text, 'signature');
  return algorithm === 'ecdsa-p256' ? ecdsaSignatureFromDer(bytes) : bytes;
}

/** What a file has of a raw signature. */
export function encodeTufSignature(algorithm: KeyAlgorithm, signature: Uint8Array): string {
  return toHex(algorithm === 'ecdsa-p256' ? ecdsaSignatureToDer(signature) : signature);
}
