/**
 * ECDSA on P-256 with SHA-256. Secret: the 32-byte big-endian scalar. Public key: the 65-byte uncompressed point.
 * Signature: r || s, 64 bytes; both halves of s are accepted, as FIPS 186-5 does.
 *
 * @see FIPS 186-5; RFC 6979 for deterministic signatures
 */
import * as nodeCrypto from 'node:crypto';
import type { EngineName } from '../../core/ports.ts';
import { sha256 } from '../hash.ts';
import { demandBytes, keyMalformed, orThrow, plainBytes, signatureInvalid } from '../key-bytes.ts';
import { nativePublicKey, nativeSecretKey } from '../native-keys.ts';
import { noble } from '../noble.ts';
import type { HeldKey, SignatureAlgorithm, SignRequest, VerifyRequest } from './algorithm.ts';

const ID = 'ecdsa-p256';
const SCALAR_BYTES = 32;
const POINT_BYTES = 65;
const SIGNATURE_BYTES = 64;
const RANDOMNESS_BYTES = 32;
const UNCOMPRESSED = 0x04;

function keygen(engine: EngineName, seed: Uint8Array): { secret: Uint8Array; publicKey: Uint8Array } {
  demandBytes(seed, SCALAR_BYTES, { algorithm: ID, part: 'seed' });
  let secret = seed.slice();
  // One seed in 2^32 is no scalar; its hash is the next candidate.
  while (!noble().p256.utils.isValidSecretKey(secret)) secret = sha256(engine, secret);
  return { secret, publicKey: publicKeyOf(engine, secret) };
}

function publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array {
  demandBytes(secret, SCALAR_BYTES, { algorithm: ID, part: 'secret' });
  return orThrow(() => {
    if (engine === 'noble') return noble().p256.getPublicKey(secret, false);
    const ecdh = nodeCrypto.createECDH('prime256v1');
    ecdh.setPrivateKey(secret);
    return plainBytes(ecdh.getPublicKey());
  }, scalarMalformed);
}

function checkPublicKey(engine: EngineName, publicKey: Uint8Array): void {
  demandPoint(publicKey);
  orThrow(() => {
    if (engine === 'native') nativePublicKey('p-256', publicKey);
    else noble().p256.Point.fromBytes(publicKey).assertValidity();
  }, pointMalformed);
}

function sign({ engine, secret, message, randomness }: SignRequest): Uint8Array {
  demandBytes(secret, SCALAR_BYTES, { algorithm: ID, part: 'secret' });
  if (randomness !== undefined) demandBytes(randomness, RANDOMNESS_BYTES, { algorithm: ID, part: 'randomness' });
  return orThrow(() => {
    // The runtime's signatures are always random, and OpenSSL would sign with a scalar over the group's order.
    if (engine === 'native' && randomness !== undefined && noble().p256.utils.isValidSecretKey(secret)) {
      const key = nativeSecretKey('p-256', secret);
      return plainBytes(nodeCrypto.sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }));
    }
    return noble().p256.sign(message, secret, { lowS: false, extraEntropy: randomness ?? false });
  }, scalarMalformed);
}

function hold(secret: Uint8Array, publicKey: Uint8Array): HeldKey {
  demandBytes(secret, SCALAR_BYTES, { algorithm: ID, part: 'secret' });
  checkPublicKey('native', publicKey);
  if (!noble().p256.utils.isValidSecretKey(secret)) throw scalarMalformed();
  const dsaEncoding = 'ieee-p1363';
  const privateKey = orThrow(() => nativeSecretKey('p-256', secret), scalarMalformed);
  const key = nativePublicKey('p-256', publicKey);
  return {
    sign: (message) => plainBytes(nodeCrypto.sign('sha256', message, { key: privateKey, dsaEncoding })),
    isGood: (message, signature) => nodeCrypto.verify('sha256', message, { key, dsaEncoding }, signature),
  };
}

function verify({ engine, publicKey, message, signature }: VerifyRequest): void {
  demandPoint(publicKey);
  const good = engine === 'native' ? nativeVerify : nobleVerify;
  if (signature.length !== SIGNATURE_BYTES || !good(publicKey, message, signature)) throw signatureInvalid(ID);
}

function nativeVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = orThrow(() => nativePublicKey('p-256', publicKey), pointMalformed);
  return nodeCrypto.verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

function nobleVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  checkPublicKey('noble', publicKey);
  return noble().p256.verify(signature, message, publicKey, { lowS: false });
}

/** OpenSSL also reads the 65-byte "hybrid" form (first byte 6 or 7), which nothing should write. */
function demandPoint(publicKey: Uint8Array): void {
  demandBytes(publicKey, POINT_BYTES, { algorithm: ID, part: 'public key' });
  if (publicKey[0] !== UNCOMPRESSED) throw keyMalformed(ID, 'its public key is not an uncompressed point');
}

function pointMalformed() {
  return keyMalformed(ID, 'its public key is not a point of the curve');
}

function scalarMalformed() {
  return keyMalformed(ID, 'its secret is not a scalar of the curve');
}

/** ECDSA P-256 with SHA-256. */
export const ecdsaP256 = {
  id: ID,
  family: 'classical',
  secretBytes: SCALAR_BYTES,
  publicKeyBytes: POINT_BYTES,
  signatureBytes: SIGNATURE_BYTES,
  engines: ['noble', 'native'],
  keygen,
  publicKeyOf,
  checkPublicKey,
  sign,
  hold,
  verify,
} as const satisfies SignatureAlgorithm;
