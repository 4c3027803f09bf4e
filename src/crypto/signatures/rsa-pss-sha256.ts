/**
 * RSASSA-PSS with SHA-256, MGF1-SHA-256 and a 32-byte salt, verified only: vehicles and repositories out there have such
 * keys, we make none. Public key: SPKI DER, 2048 to 8192 bits, public exponent 65537 to 2^32.
 *
 * Both engines are the runtime's own here: noble has no RSA, and every Node has.
 *
 * @see RFC 8017 section 8.1
 */
import * as nodeCrypto from 'node:crypto';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { keyMalformed, orThrow, signatureInvalid } from '../key-bytes.ts';
import type { SignatureAlgorithm, VerifyRequest } from './algorithm.ts';

const ID = 'rsa-pss-sha256';
const SALT_BYTES = 32;
const MODULUS_BITS_MIN = 2048;
const MODULUS_BITS_MAX = 8192;
const EXPONENT_MIN = 65_537n;
const EXPONENT_MAX = 2n ** 32n;
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

function verifiesOnly(): never {
  throw failure('ALGORITHM_UNKNOWN', `${ID} keys are only verified here, never made or signed with`);
}

/** RSASSA-PSS, SHA-256; `keygen`, `publicKeyOf` and `sign` refuse with ALGORITHM_UNKNOWN. */
export const rsaPssSha256 = {
  id: ID,
  family: 'classical',
  secretBytes: 0,
  publicKeyBytes: 0,
  signatureBytes: 0,
  engines: ['native'],
  keygen: verifiesOnly,
  publicKeyOf: verifiesOnly,
  checkPublicKey: (_engine, publicKey) => {
    readKey(publicKey);
  },
  sign: verifiesOnly,
  verify,
} as const satisfies SignatureAlgorithm;
