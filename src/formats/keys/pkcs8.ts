/**
 * PKCS#8 PrivateKeyInfo: a secret with its algorithm.
 *
 * P-256 per RFC 5915, Ed25519 and X25519 per RFC 8410, ML-DSA per RFC 9881 and ML-KEM per RFC 9935 (written as the seed
 * alone; the seed, the expanded key and both are read), X-Wing as its bare 32-byte seed.
 *
 * Invariants: the public key is always derived from the secret; whatever else the file says of it must agree.
 *
 * @see RFC 5958 section 2
 */
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { EC_OID } from './algorithms.ts';
import type { KeyAlgorithm, KeyPurpose } from './algorithms.ts';
import {
  decodeDer,
  derBits,
  derBitsOf,
  derImplicit,
  derImplicitOf,
  derIntegerOf,
  derOctets,
  derOctetsOf,
  derOid,
  derSequence,
  derSequenceOf,
  derSmallInteger,
  derTagged,
  derTaggedOf,
  encodeDer,
} from './der.ts';
import type { DerNode } from './der.ts';
import { P256_OID } from './algorithms.ts';
import { makePublicKey } from './public-key.ts';
import type { PublicKey } from './public-key.ts';
import { expandedFormOf, publicKeyOfSecret } from './secret.ts';
import { algorithmNode, readAlgorithm } from './algorithm-identifier.ts';
import { identifierOf } from './spki.ts';

/** A secret with its public key. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  /** As the crypto room takes it: a seed or a scalar, or the expanded form where a file held that alone. */
  readonly secret: Uint8Array;
}

/** What is known before the DER is read. */
export interface PrivateKeyContext {
  readonly engine: EngineName;
  /** Tells P-256 for signing from P-256 for key agreement. */
  readonly purpose: KeyPurpose;
}

/** What a file says. */
interface FoundSecret {
  readonly secret?: Uint8Array;
  readonly expanded?: Uint8Array;
  readonly publicKey?: Uint8Array;
}

const WHAT = 'private key (PKCS#8)';
const VERSION_1 = 0;
const VERSION_2 = 1;
const EC_VERSION = 1;

/** The PrivateKeyInfo DER of a key. @throws ALGORITHM_UNKNOWN where the algorithm has no object identifier */
export function encodePkcs8(key: PrivateKey): Uint8Array<ArrayBuffer> {
  const identifier = identifierOf(key.publicKey.algorithm);
  const version = derIntegerOf(VERSION_1);
  const octets = isBare(key.publicKey.algorithm) ? key.secret : encodeDer(innerNode(key, identifier.oid));
  return encodeDer(derSequenceOf(version, algorithmNode(identifier), derOctetsOf(octets)));
}

function innerNode({ publicKey, secret }: PrivateKey, oid: string): DerNode {
  if (oid === EC_OID) {
    const point = derTaggedOf(1, derBitsOf(publicKey.bytes));
    return derSequenceOf(derIntegerOf(EC_VERSION), derOctetsOf(secret), point);
  }
  const expanded = expandedFormOf(publicKey.algorithm);
  return expanded === undefined || secret.length === expanded.bytes ? derOctetsOf(secret) : derImplicitOf(0, secret);
}

/** X-Wing's private key is the OCTET STRING itself, and RSA's the RSAPrivateKey in it. @see draft-connolly-cfrg-xwing-kem; RFC 8017 appendix A.1 */
function isBare(algorithm: KeyAlgorithm): boolean {
  return algorithm === 'MLKEM768-X25519' || algorithm === 'rsa-pss-sha256';
}

/** Reads a PrivateKeyInfo. @throws KEY_MALFORMED, KEY_PARTS_DISAGREE, ALGORITHM_UNKNOWN */
export function decodePkcs8(der: Uint8Array, context: PrivateKeyContext): PrivateKey {
  const [version, identifier, octets, ...rest] = derSequence(decodeDer(der, WHAT), { min: 3, max: 4, what: WHAT });
  const { algorithm, oid } = readAlgorithm(identifier, context.purpose);
  const found = readSecret(derOctets(octets, WHAT), { algorithm, oid });
  const secret = oneSecret(algorithm, found);
  const publicKey = publicKeyOfSecret(algorithm, { engine: context.engine, secret });
  for (const claimed of [found.publicKey, outerPublicKey(version, rest)]) {
    if (claimed !== undefined && !equalBytes(claimed, publicKey)) throw disagree('the public key in it');
  }
  return { publicKey: makePublicKey(algorithm, publicKey), secret };
}

/** Version 2 has the public key at its end; attributes are not read. @see RFC 5958 section 2 */
function outerPublicKey(version: DerNode | undefined, rest: readonly DerNode[]): Uint8Array | undefined {
  const [last] = rest;
  const expected = last === undefined ? VERSION_1 : VERSION_2;
  const bits = derImplicit(last, 1);
  if (derSmallInteger(version, WHAT) !== expected || (last !== undefined && bits?.[0] !== 0)) {
    throw failure('KEY_MALFORMED', `malformed ${WHAT}: its version does not fit, or attributes follow the key`);
  }
  return bits?.subarray(1);
}

function readSecret(octets: Uint8Array, named: { algorithm: KeyAlgorithm; oid: string }): FoundSecret {
  if (isBare(named.algorithm)) return { secret: octets };
  const node = decodeDer(octets, WHAT);
  if (named.oid === EC_OID) return readEcPrivateKey(node);
  if (expandedFormOf(named.algorithm) !== undefined) return readSeedForms(node);
  return { secret: derOctets(node, WHAT) };
}

/** @see RFC 5915 section 3 */
function readEcPrivateKey(node: DerNode): FoundSecret {
  const [version, secret, ...optional] = derSequence(node, { min: 2, max: 4, what: WHAT });
  const parameters = derTagged(optional[0], 0) === undefined ? undefined : optional.shift();
  const point = derTagged(optional[0], 1) === undefined ? undefined : optional.shift();
  const [curve, ...moreCurves] = derTagged(parameters, 0) ?? [];
  const [bits, ...moreBits] = derTagged(point, 1) ?? [];
  const sound =
    derSmallInteger(version, WHAT) === EC_VERSION && optional.length + moreCurves.length + moreBits.length === 0;
  if (!sound || (parameters !== undefined && derOid(curve, WHAT) !== P256_OID)) {
    throw failure('KEY_MALFORMED', `malformed ${WHAT}: not an ECPrivateKey on P-256`);
  }
  const publicKey = point === undefined ? {} : { publicKey: derBits(bits, WHAT) };
  return { secret: derOctets(secret, WHAT), ...publicKey };
}

/** @see RFC 9881 section 6, RFC 9935 section 6 */
function readSeedForms(node: DerNode): FoundSecret {
  const seed = derImplicit(node, 0);
  if (seed !== undefined) return { secret: seed };
  if (!isSequence(node)) return { expanded: derOctets(node, WHAT) };
  const [first, second] = derSequence(node, { min: 2, max: 2, what: WHAT });
  return { secret: derOctets(first, WHAT), expanded: derOctets(second, WHAT) };
}

function isSequence(node: DerNode): boolean {
  return node.idBlock.tagClass === 1 && node.idBlock.tagNumber === 16;
}

/** The seed where there is one, and then the expanded key must be what it expands to. */
function oneSecret(algorithm: KeyAlgorithm, { secret, expanded }: FoundSecret): Uint8Array {
  const form = expandedFormOf(algorithm);
  if (expanded !== undefined && expanded.length !== form?.bytes) {
    throw failure('KEY_MALFORMED', `malformed ${WHAT}: an expanded key of ${expanded.length} bytes`);
  }
  if (secret === undefined) return expanded ?? new Uint8Array();
  if (form !== undefined && secret.length === form.bytes) {
    throw failure('KEY_MALFORMED', `malformed ${WHAT}: an expanded key where the seed belongs`);
  }
  if (expanded !== undefined && form !== undefined && !equalBytes(form.of(secret), expanded)) {
    throw disagree('the expanded key');
  }
  return secret;
}

function disagree(what: string): SecureevError {
  return failure('KEY_PARTS_DISAGREE', `the parts of the private key disagree: ${what} is not of its secret`);
}
