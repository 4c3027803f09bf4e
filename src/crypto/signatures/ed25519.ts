/**
 * Ed25519 (pure). Secret: the 32-byte seed. Public key: 32 bytes. Signature: 64 bytes, always deterministic.
 *
 * Decision, 2026-11-21: one strict rule in both engines. A public key is canonical (y < p) and not of small order; R is
 * canonical and S < L; and [S]B = R + [k]A holds without the cofactor, which is OpenSSL's equation. So the sets of
 * accepted signatures are the same, and none depends on who looks. Refused: noble's own `verify`, which multiplies by
 * the cofactor and so accepts mixed-order points that OpenSSL does not; and OpenSSL's keys of small order.
 *
 * @see RFC 8032 section 5.1
 */
import * as nodeCrypto from 'node:crypto';
import { concatBytes, equalBytes, fromHex } from '../../core/bytes.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha512 } from '../hash.ts';
import { demandBytes, keyMalformed, orThrow, plainBytes, signatureInvalid } from '../key-bytes.ts';
import { nativePublicKey, nativeSecretKey } from '../native-keys.ts';
import { noble } from '../noble.ts';
import type { HeldKey, SignatureAlgorithm, SignRequest, VerifyRequest } from './algorithm.ts';

const ID = 'ed25519';
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SIGN_BIT = 0x80;
/** Where the raw key begins in its SPKI DER. */
const SPKI_PREFIX_BYTES = 12;
/** y of the eight points of small order, little-endian, without the sign bit: orders 1, 2, 4 and (two values) 8. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => fromHex(hex));
/** p = 2^255 - 19, little-endian. */
const FIELD_ORDER = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');

function keygen(engine: EngineName, seed: Uint8Array): { secret: Uint8Array; publicKey: Uint8Array } {
  return { secret: seed.slice(), publicKey: publicKeyOf(engine, seed) };
}

function publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array {
  demandBytes(secret, KEY_BYTES, { algorithm: ID, part: 'secret' });
  if (engine === 'noble') return noble().ed25519.getPublicKey(secret);
  const key = nodeCrypto.createPublicKey(nativeSecretKey('ed25519', secret));
  return plainBytes(key.export({ format: 'der', type: 'spki' })).slice(SPKI_PREFIX_BYTES);
}

function checkPublicKey(_engine: EngineName, publicKey: Uint8Array): void {
  demandCanonical(publicKey);
  orThrow(() => noble().ed25519.Point.fromBytes(publicKey, false), pointMalformed);
}

function sign({ engine, secret, message }: SignRequest): Uint8Array {
  demandBytes(secret, KEY_BYTES, { algorithm: ID, part: 'secret' });
  if (engine === 'noble') return noble().ed25519.sign(message, secret);
  return plainBytes(nodeCrypto.sign(null, message, nativeSecretKey('ed25519', secret)));
}

function hold(secret: Uint8Array, publicKey: Uint8Array): HeldKey {
  demandBytes(secret, KEY_BYTES, { algorithm: ID, part: 'secret' });
  checkPublicKey('native', publicKey);
  const privateKey = nativeSecretKey('ed25519', secret);
  const key = nativePublicKey('ed25519', publicKey);
  return {
    sign: (message) => plainBytes(nodeCrypto.sign(null, message, privateKey)),
    isGood: (message, signature) => nodeCrypto.verify(null, message, key, signature),
  };
}

function verify({ engine, publicKey, message, signature }: VerifyRequest): void {
  demandCanonical(publicKey);
  if (engine === 'noble') {
    nobleVerify(publicKey, message, signature);
    return;
  }
  const key = nativePublicKey('ed25519', publicKey);
  if (signature.length === SIGNATURE_BYTES && nodeCrypto.verify(null, message, key, signature)) return;
  // OpenSSL does not tell a key that is no point from a bad signature; noble does.
  checkPublicKey(engine, publicKey);
  throw signatureInvalid(ID);
}

/** R = [S]B - [k]A, compared as bytes. @see RFC 8032 section 5.1.7 */
function nobleVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): void {
  const a = orThrow(() => noble().ed25519.Point.fromBytes(publicKey, false), pointMalformed);
  const { Fn, BASE } = noble().ed25519.Point;
  const r = signature.subarray(0, KEY_BYTES);
  const s = littleEndian(signature.subarray(KEY_BYTES));
  if (signature.length !== SIGNATURE_BYTES || s >= Fn.ORDER) throw signatureInvalid(ID);
  const k = Fn.create(littleEndian(sha512('noble', concatBytes(r, publicKey, message))));
  const expected = BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  if (!equalBytes(expected.toBytes(), r)) throw signatureInvalid(ID);
}

function demandCanonical(publicKey: Uint8Array): void {
  demandBytes(publicKey, KEY_BYTES, { algorithm: ID, part: 'public key' });
  const y = publicKey.slice();
  y[KEY_BYTES - 1] = (y[KEY_BYTES - 1] ?? 0) & ~SIGN_BIT;
  if (SMALL_ORDER.some((point) => equalBytes(point, y))) throw keyMalformed(ID, 'its public key is of small order');
  if (littleEndian(y) >= littleEndian(FIELD_ORDER)) throw keyMalformed(ID, 'its public key is not canonical');
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function pointMalformed() {
  return keyMalformed(ID, 'its public key is not a point of the curve');
}

/** Ed25519. */
export const ed25519 = {
  id: ID,
  family: 'classical',
  secretBytes: KEY_BYTES,
  publicKeyBytes: KEY_BYTES,
  signatureBytes: SIGNATURE_BYTES,
  engines: ['noble', 'native'],
  keygen,
  publicKeyOf,
  checkPublicKey,
  sign,
  hold,
  verify,
} as const satisfies SignatureAlgorithm;
