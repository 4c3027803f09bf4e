/**
 * SubjectPublicKeyInfo: a raw public key with its algorithm, as DER and as PEM.
 *
 * @see RFC 5280 section 4.1.2.7
 */
import * as asn1js from 'asn1js';
import { quote } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { isKemId, kemAlgorithm } from '../../crypto/kems/index.ts';
import { isSignatureId, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { KEY_IDENTIFIERS } from './algorithms.ts';
import type { KeyAlgorithm, KeyIdentifier, KeyPurpose } from './algorithms.ts';
import { decodeDer, derBits, derOid, derSequence, encodeDer } from './der.ts';
import type { DerNode } from './der.ts';
import { decodePem, encodePem } from './pem.ts';

/** A raw public key; of RSA the whole SPKI DER. */
export interface RawPublicKey {
  readonly algorithm: KeyAlgorithm;
  readonly bytes: Uint8Array;
}

/** The SPKI DER of a raw public key. @throws ALGORITHM_UNKNOWN where the algorithm has no object identifier */
export function encodeSpki(key: RawPublicKey): Uint8Array {
  if (key.algorithm === 'rsa-pss-sha256') return key.bytes;
  const identifier = identifierOf(key.algorithm);
  const bits = new asn1js.BitString({ valueHex: Uint8Array.from(key.bytes) });
  return encodeDer(new asn1js.Sequence({ value: [algorithmNode(identifier), bits] }));
}

/** The raw public key of an SPKI, for `purpose`. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function decodeSpki(der: Uint8Array, purpose: KeyPurpose = 'signing'): RawPublicKey {
  const [algorithmIdentifier, bits] = derSequence(decodeDer(der, WHAT), { min: 2, max: 2, what: WHAT });
  const { algorithm } = readAlgorithm(algorithmIdentifier, purpose);
  const bytes = derBits(bits, WHAT);
  if (algorithm === 'rsa-pss-sha256') {
    // One key has one spelling, inside too, for thresholds count raw keys.
    derSequence(decodeDer(bytes, WHAT), { min: 2, max: 2, what: WHAT });
    signatureAlgorithm(algorithm).checkPublicKey('native', der);
    return { algorithm, bytes: Uint8Array.from(der) };
  }
  if (bytes.length !== publicKeyBytes(algorithm)) {
    throw failure(
      'KEY_MALFORMED',
      `a public key of ${algorithm} has ${publicKeyBytes(algorithm)} bytes, found ${bytes.length}`,
    );
  }
  return { algorithm, bytes };
}

const WHAT = 'public key (SPKI)';

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

/** An AlgorithmIdentifier. */
export function algorithmNode(identifier: KeyIdentifier): asn1js.Sequence {
  const oid = new asn1js.ObjectIdentifier({ value: identifier.oid });
  const { parameters } = identifier;
  if (parameters === undefined) return new asn1js.Sequence({ value: [oid] });
  const second = parameters === null ? new asn1js.Null() : new asn1js.ObjectIdentifier({ value: parameters });
  return new asn1js.Sequence({ value: [oid, second] });
}

/** The algorithm of an AlgorithmIdentifier, for `purpose`. @throws KEY_MALFORMED, ALGORITHM_UNKNOWN */
export function readAlgorithm(node: DerNode | undefined, purpose: KeyPurpose): KeyIdentifier {
  const [oidNode, parameters] = derSequence(node, { min: 1, max: 2, what: 'algorithm identifier' });
  const oid = derOid(oidNode, 'algorithm identifier');
  const named = KEY_IDENTIFIERS.filter((entry) => entry.oid === oid && entry.purpose === purpose);
  if (named.length === 0)
    throw failure('ALGORITHM_UNKNOWN', `no ${purpose} algorithm has the identifier ${quote(oid)}`);
  const found = named.find((entry) => entry.parameters === parametersOf(parameters));
  if (found === undefined) throw failure('KEY_MALFORMED', `the parameters of algorithm ${oid} are not those used here`);
  return found;
}

function parametersOf(node: DerNode | undefined): string | null | undefined {
  if (node === undefined) return undefined;
  return node instanceof asn1js.Null ? null : derOid(node, 'algorithm parameters');
}

/** Bytes of a raw public key. */
export function publicKeyBytes(algorithm: KeyAlgorithm): number {
  if (isSignatureId(algorithm)) return signatureAlgorithm(algorithm).publicKeyBytes;
  return isKemId(algorithm) ? kemAlgorithm(algorithm).publicKeyBytes : 0;
}
