/**
 * Raw keys as key objects of `node:crypto`: SPKI DER around public keys, PKCS#8 DER around secrets.
 *
 * Invariants: each prefix is constant, for the lengths of its algorithm are; what follows is the raw key alone. Nothing
 * is cached: a key object lives as long as the call that needs it.
 * ML-DSA and ML-KEM secrets are in the seed form (RFC 9881 section 6, RFC 9935 section 6).
 */
import * as nodeCrypto from 'node:crypto';
import { toBase64Url } from '../core/base64.ts';
import { fromHex } from '../core/bytes.ts';

/** Prefixes before a raw public key (SPKI) and a raw secret (PKCS#8), in hex. */
const PREFIXES = {
  'p-256': {
    spki: '3059301306072a8648ce3d020106082a8648ce3d030107034200',
    pkcs8: '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420',
  },
  ed25519: { spki: '302a300506032b6570032100', pkcs8: '302e020100300506032b657004220420' },
  x25519: { spki: '302a300506032b656e032100', pkcs8: '302e020100300506032b656e04220420' },
  'ml-dsa-44': {
    spki: '30820532300b06096086480165030403110382052100',
    pkcs8: '3034020100300b060960864801650304031104228020',
  },
  'ml-dsa-65': {
    spki: '308207b2300b0609608648016503040312038207a100',
    pkcs8: '3034020100300b060960864801650304031204228020',
  },
  'ml-dsa-87': {
    spki: '30820a32300b060960864801650304031303820a2100',
    pkcs8: '3034020100300b060960864801650304031304228020',
  },
  'ml-kem-512': {
    spki: '30820332300b06096086480165030404010382032100',
    pkcs8: '3054020100300b060960864801650304040104428040',
  },
  'ml-kem-768': {
    spki: '308204b2300b0609608648016503040402038204a100',
    pkcs8: '3054020100300b060960864801650304040204428040',
  },
  'ml-kem-1024': {
    spki: '30820632300b06096086480165030404030382062100',
    pkcs8: '3054020100300b060960864801650304040304428040',
  },
} as const;

/** A key type of `node:crypto` that we hand raw keys to. */
export type NativeKeyType = keyof typeof PREFIXES;

/** The key object of a raw public key of exactly its algorithm's length; throws `node:crypto`'s error for a bad one. */
export function nativePublicKey(type: NativeKeyType, raw: Uint8Array): nodeCrypto.KeyObject {
  if (type === 'p-256') return p256PublicKey(raw);
  const key = Buffer.concat([fromHex(PREFIXES[type].spki), raw]);
  return nodeCrypto.createPublicKey({ key, format: 'der', type: 'spki' });
}

/** As JWK, which the runtime reads in two thirds of the time of DER; `raw` is an uncompressed point, 65 bytes. */
function p256PublicKey(raw: Uint8Array): nodeCrypto.KeyObject {
  if (raw.length !== 65 || raw[0] !== 0x04) throw new RangeError('not an uncompressed point');
  const [x, y] = [toBase64Url(raw.subarray(1, 33)), toBase64Url(raw.subarray(33))];
  return nodeCrypto.createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

/** The key object of a raw secret of exactly its algorithm's length; throws `node:crypto`'s error for a bad one. */
export function nativeSecretKey(type: NativeKeyType, raw: Uint8Array): nodeCrypto.KeyObject {
  const key = Buffer.concat([fromHex(PREFIXES[type].pkcs8), raw]);
  return nodeCrypto.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}
