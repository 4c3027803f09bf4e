/**
 * RSASSA-PSS with SHA-256, MGF1-SHA-256 and a 32-byte salt, for repositories whose vehicles read nothing better. Public key:
 * SPKI DER, 2048 to 8192 bits, public exponent 65537 to 2^32. Secret: RSAPrivateKey DER; those made here have 3072 bits.
 *
 * Both engines are the runtime's own here: noble has no RSA, and every Node has.
 *
 * @see RFC 8017 section 8.1
 */
import * as nodeCrypto from 'node:crypto';
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha256 } from '../hash.ts';
import { demandBytes, keyMalformed, orThrow, plainBytes, signatureInvalid } from '../key-bytes.ts';
import type { SignatureAlgorithm, SignRequest, VerifyRequest } from './algorithm.ts';

const ID = 'rsa-pss-sha256';
const SALT_BYTES = 32;
const MODULUS_BITS_MIN = 2048;
const MODULUS_BITS_MAX = 8192;
const EXPONENT_MIN = 65_537n;
const EXPONENT_MAX = 2n ** 32n;
/** Of keys made here. */
const MADE_BITS = 3072;
/** The longest RSAPrivateKey of an 8192-bit key, and some. */
const SECRET_BYTES_MAX = 4800;
const DIGEST_BYTES = 32;
const TRAILER = 0xbc;
const SALT_LABEL = 'secureev/rsa-pss-salt/1';
/** The longest SPKI of an 8192-bit key, and some. */
const SPKI_BYTES_MAX = 1100;

function verify({ publicKey, message, signature }: VerifyRequest): void {
  const key = readKey(publicKey);
  const padding = nodeCrypto.constants.RSA_PKCS1_PSS_PADDING;
  const good = nodeCrypto.verify('sha256', message, { key, padding, saltLength: SALT_BYTES }, signature);
  if (!good) throw signatureInvalid(ID);
}

function readKey(spki: Uint8Array): nodeCrypto.KeyObject {
  if (spki.length > SPKI_BYTES_MAX) throw keyMalformed(ID, `its public key is over ${SPKI_BYTES_MAX} bytes`);
  const key = orThrow(
    () => nodeCrypto.createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }),
    () => keyMalformed(ID, 'its public key is not SPKI DER'),
  );
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== 'rsa') throw keyMalformed(ID, 'its public key is not an RSA key');
  if (modulusLength < MODULUS_BITS_MIN || modulusLength > MODULUS_BITS_MAX) {
    throw keyMalformed(ID, `its modulus has ${modulusLength} bits, not ${MODULUS_BITS_MIN} to ${MODULUS_BITS_MAX}`);
  }
  if (publicExponent < EXPONENT_MIN || publicExponent > EXPONENT_MAX) {
    throw keyMalformed(ID, 'its public exponent is not from 65537 to 2^32');
  }
  if (!equalBytes(key.export({ format: 'der', type: 'spki' }), spki)) {
    throw keyMalformed(ID, 'its public key is not in the shortest DER');
  }
  return key;
}

/** An RSA key pair is drawn from the runtime's own generator: no seed of a fixed length gives one. */
function keygen(): { secret: Uint8Array; publicKey: Uint8Array } {
  const pair = nodeCrypto.generateKeyPairSync('rsa', {
    modulusLength: MADE_BITS,
    publicExponent: Number(EXPONENT_MIN),
  });
  const secret = plainBytes(pair.privateKey.export({ format: 'der', type: 'pkcs1' }));
  return { secret, publicKey: plainBytes(pair.publicKey.export({ format: 'der', type: 'spki' })) };
}

function publicKeyOf(_engine: EngineName, secret: Uint8Array): Uint8Array {
  const publicKey = nodeCrypto.createPublicKey(readSecret(secret));
  const spki = plainBytes(publicKey.export({ format: 'der', type: 'spki' }));
  readKey(spki);
  return spki;
}

/** @see RFC 8017 appendix A.1.2 */
function readSecret(secret: Uint8Array): nodeCrypto.KeyObject {
  if (secret.length > SECRET_BYTES_MAX) throw keyMalformed(ID, `its secret is over ${SECRET_BYTES_MAX} bytes`);
  const malformed = () => keyMalformed(ID, 'its secret is not an RSAPrivateKey in the shortest DER');
  const der = Buffer.from(secret);
  try {
    const key = orThrow(() => nodeCrypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs1' }), malformed);
    if (!equalBytes(key.export({ format: 'der', type: 'pkcs1' }), secret)) throw malformed();
    return key;
  } finally {
    der.fill(0);
  }
}

/**
 * Signs with a salt of 32 bytes: `randomness`, or for deterministic signatures one that secret and message give, as RFC 6979
 * does for ECDSA. The runtime draws its salts itself, so the encoding (RFC 8017 section 9.1.1) is made here.
 */
function sign({ engine, secret, message, randomness }: SignRequest): Uint8Array {
  if (randomness !== undefined) demandBytes(randomness, SALT_BYTES, { algorithm: ID, part: 'randomness' });
  const key = readSecret(secret);
  const { modulusLength = 0 } = nodeCrypto.createPublicKey(key).asymmetricKeyDetails ?? {};
  const digest = sha256(engine, message);
  const salt = randomness ?? sha256(engine, concatBytes(utf8(SALT_LABEL), sha256(engine, secret), digest));
  const encoded = encodePss({ engine, digest, salt, bits: modulusLength - 1 });
  const block = concatBytes(new Uint8Array(Math.ceil(modulusLength / 8) - encoded.length), encoded);
  const { RSA_NO_PADDING: padding } = nodeCrypto.constants;
  return plainBytes(nodeCrypto.privateEncrypt({ key, padding }, block));
}

interface PssInput {
  readonly engine: EngineName;
  readonly digest: Uint8Array;
  readonly salt: Uint8Array;
  /** Bits of the encoded message: one fewer than the modulus has. */
  readonly bits: number;
}

/** EMSA-PSS-ENCODE. @see RFC 8017 section 9.1.1 */
function encodePss({ engine, digest, salt, bits }: PssInput): Uint8Array {
  const length = Math.ceil(bits / 8);
  const hash = sha256(engine, concatBytes(new Uint8Array(8), digest, salt));
  const padded = new Uint8Array(length - hash.length - 1);
  padded.set(salt, padded.length - salt.length);
  padded[padded.length - salt.length - 1] = 1;
  const mask = mgf1(engine, hash, padded.length);
  const masked = padded.map((byte, i) => byte ^ (mask[i] ?? 0));
  masked[0] = (masked[0] ?? 0) & (0xff >> (8 * length - bits));
  return concatBytes(masked, hash, Uint8Array.of(TRAILER));
}

/** @see RFC 8017 appendix B.2.1 */
function mgf1(engine: EngineName, seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(Math.ceil(length / DIGEST_BYTES) * DIGEST_BYTES);
  for (let block = 0; block * DIGEST_BYTES < length; block++) {
    mask.set(sha256(engine, concatBytes(seed, Uint8Array.of(0, 0, 0, block))), block * DIGEST_BYTES);
  }
  return mask.subarray(0, length);
}

/** RSASSA-PSS, SHA-256, MGF1 with SHA-256, salt of 32 bytes. Secret: RSAPrivateKey DER. */
export const rsaPssSha256 = {
  id: ID,
  family: 'classical',
  secretBytes: 0,
  publicKeyBytes: 0,
  signatureBytes: 0,
  engines: ['native'],
  keygen,
  publicKeyOf,
  checkPublicKey: (_engine, publicKey) => {
    readKey(publicKey);
  },
  sign,
  verify,
} as const satisfies SignatureAlgorithm;
