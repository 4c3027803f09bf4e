/**
 * The Diffie-Hellman groups under the KEMs: P-256 and P-384 (uncompressed points, shared secret = the x coordinate) and
 * X25519.
 *
 * Invariant: a peer's key that is off the curve, of small order or in another encoding is refused by both engines. These
 * functions throw the library's error; the KEM above says what it means.
 *
 * @see RFC 9180 section 7.1; RFC 7748 section 6.1
 */
import * as nodeCrypto from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import { x25519 as nobleX25519 } from '@noble/curves/ed25519.js';
import type { EngineName } from '../../core/ports.ts';
import { failure } from '../../core/errors.ts';
import { plainBytes } from '../key-bytes.ts';
import { nativePublicKey, nativeSecretKey } from '../native-keys.ts';

/** A group; secrets and public keys have exactly the lengths it says. */
export interface Group {
  readonly secretBytes: number;
  readonly publicKeyBytes: number;
  /** Whether `secret` is one: for X25519 any 32 bytes, for the others a scalar. */
  isSecret(secret: Uint8Array): boolean;
  publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array;
  /** Throws for a public key of a peer that {@link Group.shared} would refuse. */
  check(engine: EngineName, publicKey: Uint8Array): void;
  /** The shared secret of `secret` and a peer's public key. */
  shared(engine: EngineName, secret: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

const UNCOMPRESSED = 0x04;
const X25519_BYTES = 32;
const X25519_SPKI_PREFIX_BYTES = 12;

function nistGroup(nativeName: 'prime256v1' | 'secp384r1', noble: typeof p256, scalarBytes: number): Group {
  const publicKeyBytes = 1 + 2 * scalarBytes;

  function demandPoint(publicKey: Uint8Array): void {
    // OpenSSL and noble also read compressed points, and OpenSSL the "hybrid" form.
    if (publicKey.length !== publicKeyBytes || publicKey[0] !== UNCOMPRESSED) {
      throw failure('KEY_MALFORMED', 'not an uncompressed point');
    }
  }

  function check(engine: EngineName, publicKey: Uint8Array): void {
    demandPoint(publicKey);
    if (engine === 'noble') noble.Point.fromBytes(publicKey).assertValidity();
    else nodeCrypto.ECDH.convertKey(publicKey, nativeName);
  }

  function publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array {
    if (engine === 'noble') return noble.getPublicKey(secret, false);
    const ecdh = nodeCrypto.createECDH(nativeName);
    ecdh.setPrivateKey(secret);
    return plainBytes(ecdh.getPublicKey());
  }

  function shared(engine: EngineName, secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
    demandPoint(publicKey);
    if (engine === 'noble') return noble.getSharedSecret(secret, publicKey, true).slice(1);
    const ecdh = nodeCrypto.createECDH(nativeName);
    ecdh.setPrivateKey(secret);
    return plainBytes(ecdh.computeSecret(publicKey));
  }

  return {
    secretBytes: scalarBytes,
    publicKeyBytes,
    isSecret: (secret) => noble.utils.isValidSecretKey(secret),
    publicKeyOf,
    check,
    shared,
  };
}

/** P-256: 32-byte scalars, 65-byte points. */
export const P256 = nistGroup('prime256v1', p256, 32);
/** P-384: 48-byte scalars, 97-byte points. */
export const P384 = nistGroup('secp384r1', p384, 48);

/** X25519: 32-byte secrets and public keys; a shared secret of zeros is refused. */
export const X25519: Group = {
  secretBytes: X25519_BYTES,
  publicKeyBytes: X25519_BYTES,
  isSecret: (secret) => secret.length === X25519_BYTES,
  publicKeyOf: (engine, secret) => {
    if (engine === 'noble') return nobleX25519.getPublicKey(secret);
    const key = nodeCrypto.createPublicKey(nativeSecretKey('x25519', secret));
    return plainBytes(key.export({ format: 'der', type: 'spki' })).slice(X25519_SPKI_PREFIX_BYTES);
  },
  check: (engine, publicKey) => {
    // Multiplying by any clamped secret tells a point of small order.
    x25519Shared(engine, new Uint8Array(X25519_BYTES).fill(1), publicKey);
  },
  shared: x25519Shared,
};

function x25519Shared(engine: EngineName, secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== X25519_BYTES) throw failure('KEY_MALFORMED', 'not an X25519 public key');
  if (engine === 'noble') return nobleX25519.getSharedSecret(secret, publicKey);
  const [privateKey, peer] = [nativeSecretKey('x25519', secret), nativePublicKey('x25519', publicKey)];
  return plainBytes(nodeCrypto.diffieHellman({ privateKey, publicKey: peer }));
}
