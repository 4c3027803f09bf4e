/**
 * A public key with its id.
 *
 * The id of a signing key is its TUF key id: SHA-256 over the canonical JSON of `{keytype, keyval, scheme}`; of an
 * encryption key it is SHA-256 over its SPKI DER, or over its JWK (RFC 7638) where it has no object identifier.
 */
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../crypto/hash.ts';
import { canonicalJson } from '../json/canonical.ts';
import { jsonMap } from '../json/json.ts';
import type { JsonMap } from '../json/json.ts';
import { purposeOf } from './algorithms.ts';
import type { KeyAlgorithm } from './algorithms.ts';
import { encodePublicJwk, hasJwk } from './jwk.ts';
import { encodeSpki, encodeSpkiPem } from './spki.ts';
import type { RawPublicKey } from './spki.ts';

/** A public key: its algorithm, its raw bytes (of RSA: SPKI DER) and its id. */
export interface PublicKey extends RawPublicKey {
  readonly keyId: KeyId;
}

/** The bytes that stand for a public key in a `.pub` file: SPKI DER, or a JWK where there is no object identifier. */
export function encodePublicKey(raw: RawPublicKey): Uint8Array {
  return hasJwk(raw.algorithm) ? encodePublicJwk(raw) : encodeSpki(raw);
}

/** Adds the id to a raw public key. */
export function makePublicKey(algorithm: KeyAlgorithm, bytes: Uint8Array): PublicKey {
  const raw = { algorithm, bytes };
  const hashed = purposeOf(algorithm) === 'signing' ? canonicalJson(tufKeyObject(raw)) : encodePublicKey(raw);
  return { ...raw, keyId: parseKeyId(toHex(sha256('native', hashed))) };
}

/** How TUF metadata writes a signing key, in dialect `tuf` (ML-DSA as TAP 21 does). */
export function tufKeyObject(key: RawPublicKey): JsonMap {
  const isHex = key.algorithm === 'ed25519';
  const form = TUF_FORMS.get(key.algorithm) ?? { keytype: 'ml-dsa', scheme: `${key.algorithm}/1` };
  return jsonMap({ ...form, keyval: jsonMap({ public: isHex ? toHex(key.bytes) : encodeSpkiPem(key) }) });
}

const TUF_FORMS: ReadonlyMap<KeyAlgorithm, { keytype: string; scheme: string }> = new Map([
  ['ecdsa-p256', { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256' }],
  ['ed25519', { keytype: 'ed25519', scheme: 'ed25519' }],
  ['rsa-pss-sha256', { keytype: 'rsa', scheme: 'rsassa-pss-sha256' }],
] as const);
