/**
 * SubjectPublicKeyInfo: a raw public key with its algorithm, as DER and as PEM.
 *
 * @see RFC 5280 section 4.1.2.7
 */
import { quote } from '../../core/brands.ts';
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { isKemId, KEM_PUBLIC_KEY_BYTES } from '../../crypto/kems/public-key-sizes.ts';
import { isSignatureId, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { KEY_IDENTIFIERS } from './algorithms.ts';
import type { KeyAlgorithm, KeyIdentifier, KeyPurpose } from './algorithms.ts';
import { decodePem, encodePem } from './pem.ts';
import { algorithmBytes, readSpki, requireRsaNumbers, spkiPrefix } from './spki-form.ts';

/** A raw public key; of RSA the whole SPKI DER. */
export interface RawPublicKey {
  readonly algorithm: KeyAlgorithm;
  readonly bytes: Uint8Array;
}

/** The SPKI DER of a raw public key. @throws ALGORITHM_UNKNOWN where the algorithm has no object identifier */
export function encodeSpki(key: RawPublicKey): Uint8Array {
  if (key.algorithm === 'rsa-pss-sha256') return key.bytes;
  const identifier = algorithmBytes(identifierOf(key.algorithm).algorithm);
  if (identifier === undefined) throw failure('INTERNAL', `no bytes for the identifier of ${key.algorithm}`);
  return concatBytes(spkiPrefix(identifier, key.bytes.length), key.bytes);
}

/** The raw public key of an SPKI, for `purpose`. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodeSpki(der: Uint8Array, purpose: KeyPurpose = 'signing'): RawPublicKey {
  const { identifier, oid, key } = readSpki(der);
  const algorithm = namedBy(identifier, oid, purpose);
  if (algorithm === 'rsa-pss-sha256') {
    // One key has one spelling, inside too, for thresholds count raw keys.
    requireRsaNumbers(key);
    signatureAlgorithm(algorithm).checkPublicKey('native', der);
    return { algorithm, bytes: Uint8Array.from(der) };
  }
  if (key.length !== publicKeyBytes(algorithm)) {
    throw failure(
      'KEY_MALFORMED',
      `a public key of ${algorithm} has ${publicKeyBytes(algorithm)} bytes, found ${key.length}`,
    );
  }
  return { algorithm, bytes: key };
}

/** The algorithm of an AlgorithmIdentifier. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
function namedBy(identifier: Uint8Array, oid: string, purpose: KeyPurpose): KeyAlgorithm {
  const named = KEY_IDENTIFIERS.filter((entry) => entry.oid === oid && entry.purpose === purpose);
  if (named.length === 0)
    throw failure('ALGORITHM_UNKNOWN', `no ${purpose} algorithm has the identifier ${quote(oid)}`);
  const found = named.find(({ algorithm }) => equalBytes(algorithmBytes(algorithm) ?? new Uint8Array(), identifier));
  if (found === undefined) throw failure('KEY_MALFORMED', `the parameters of algorithm ${oid} are not those used here`);
  return found.algorithm;
}

/** `-----BEGIN PUBLIC KEY-----` with one final newline. */
export function encodeSpkiPem(key: RawPublicKey): string {
  return encodePem('PUBLIC KEY', encodeSpki(key));
}

/** The one public key of a PEM text. @throws PEM_MALFORMED, KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodeSpkiPem(text: string, purpose: KeyPurpose = 'signing'): RawPublicKey {
  const [block, ...more] = decodePem(utf8(text));
  if (block?.label !== 'PUBLIC KEY' || more.length > 0) {
    throw failure('PEM_MALFORMED', 'malformed PEM: not exactly one PUBLIC KEY block');
  }
  return decodeSpki(block.bytes, purpose);
}

/** The identifier of an algorithm. @throws ALGORITHM_UNKNOWN */
export function identifierOf(algorithm: KeyAlgorithm): KeyIdentifier {
  const found = KEY_IDENTIFIERS.find((entry) => entry.algorithm === algorithm);
  if (found === undefined) throw failure('ALGORITHM_UNKNOWN', `keys of ${algorithm} have no published identifier`);
  return found;
}

/** Bytes of a raw public key. */
export function publicKeyBytes(algorithm: KeyAlgorithm): number {
  if (isSignatureId(algorithm)) return signatureAlgorithm(algorithm).publicKeyBytes;
  return isKemId(algorithm) ? KEM_PUBLIC_KEY_BYTES[algorithm] : 0;
}
