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
import type { EngineName } from '../../core/ports.ts';
import { failure } from '../../core/errors.ts';
import { plainBytes } from '../key-bytes.ts';
import { nativePublicKey, nativeSecretKey } from '../native-keys.ts';
import { noble } from '../noble.ts';

/** A group; secrets and public keys have exactly the lengths it says. */
export interface Group {
  readonly secretBytes: number;
  readonly publicKeyBytes: number;
  /** Whether `secret` is one: for X25519 any 32 bytes, for the others a scalar. */
  isSecret(secret: Uint8Array): boolean;
  publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array;
  /** Throws for a public key of a peer that {@link Group.agree} would refuse. */
  check(engine: EngineName, publicKey: Uint8Array): void;
  /** Both results that a KEM needs of `secret`: its public key, and the shared secret with a peer's public key. */
  agree(engine: EngineName, secret: Uint8Array, peer: Uint8Array): Agreement;
}

/** One side of a Diffie-Hellman exchange. */
export interface Agreement {
  readonly publicKey: Uint8Array;
  readonly shared: Uint8Array;
}

const UNCOMPRESSED = 0x04;
const X25519_BYTES = 32;

function nistGroup(nativeName: 'prime256v1' | 'secp384r1', nobleName: 'p256' | 'p384', scalarBytes: number): Group {
  const publicKeyBytes = 1 + 2 * scalarBytes;

  function demandPoint(publicKey: Uint8Array): void {
    // OpenSSL and noble also read compressed points, and OpenSSL the "hybrid" form.
    if (publicKey.length !== publicKeyBytes || publicKey[0] !== UNCOMPRESSED) {
      throw failure('KEY_MALFORMED', 'not an uncompressed point');
    }
  }

  function check(engine: EngineName, publicKey: Uint8Array): void {
    demandPoint(publicKey);
    if (engine === 'noble') noble()[nobleName].Point.fromBytes(publicKey).assertValidity();
    else nodeCrypto.ECDH.convertKey(publicKey, nativeName);
  }

  function publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array {
    if (engine === 'noble') return noble()[nobleName].getPublicKey(secret, false);
    const ecdh = nodeCrypto.createECDH(nativeName);
    ecdh.setPrivateKey(secret);
    return plainBytes(ecdh.getPublicKey());
  }

  function agree(engine: EngineName, secret: Uint8Array, peer: Uint8Array): Agreement {
    demandPoint(peer);
    if (engine === 'noble') {
      const curve = noble()[nobleName];
      const shared = curve.getSharedSecret(secret, peer, true).slice(1);
      return { publicKey: curve.getPublicKey(secret, false), shared };
    }
    const ecdh = nodeCrypto.createECDH(nativeName);
    ecdh.setPrivateKey(secret);
    return { publicKey: plainBytes(ecdh.getPublicKey()), shared: plainBytes(ecdh.computeSecret(peer)) };
  }

  return {
    secretBytes: scalarBytes,
    publicKeyBytes,
    isSecret: (secret) => noble()[nobleName].utils.isValidSecretKey(secret),
    publicKeyOf,
    check,
    agree,
  };
}

/** P-256: 32-byte scalars, 65-byte points. */
export const P256 = nistGroup('prime256v1', 'p256', 32);
/** P-384: 48-byte scalars, 97-byte points. */
export const P384 = nistGroup('secp384r1', 'p384', 48);

/** X25519: 32-byte secrets and public keys; a shared secret of zeros is refused. */
export const X25519: Group = {
  secretBytes: X25519_BYTES,
  publicKeyBytes: X25519_BYTES,
  isSecret: (secret) => secret.length === X25519_BYTES,
  publicKeyOf: (engine, secret) =>
    engine === 'noble' ? noble().x25519.getPublicKey(secret) : x25519PublicKey(nativeSecretKey('x25519', secret)),
  check: (engine, publicKey) => {
    // Multiplying by any clamped secret tells a point of small order.
    x25519Agree(engine, new Uint8Array(X25519_BYTES).fill(1), publicKey);
  },
  agree: x25519Agree,
};

function x25519Agree(engine: EngineName, secret: Uint8Array, peer: Uint8Array): Agreement {
  if (peer.length !== X25519_BYTES) throw failure('KEY_MALFORMED', 'not an X25519 public key');
  if (engine === 'noble') {
    const { x25519 } = noble();
    const shared = x25519.getSharedSecret(secret, peer);
    return { publicKey: x25519.getPublicKey(secret), shared };
  }
  const privateKey = nativeSecretKey('x25519', secret);
  const shared = nodeCrypto.diffieHellman({ privateKey, publicKey: nativePublicKey('x25519', peer) });
  return { publicKey: x25519PublicKey(privateKey), shared: plainBytes(shared) };
}

/** As JWK, which is 20 times as fast here as DER. */
function x25519PublicKey(privateKey: nodeCrypto.KeyObject): Uint8Array {
  return Uint8Array.from(
    Buffer.from(nodeCrypto.createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url'),
  );
}
