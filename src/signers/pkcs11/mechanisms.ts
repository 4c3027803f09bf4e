/**
 * What a token does for each of our signature algorithms: key type, mechanisms, and where its public key stands.
 *
 * One entry an algorithm; a token that lacks the mechanism is told apart by {@link Pkcs11Algorithm.signMechanism}.
 *
 * @see PKCS#11 Specification Version 3.2, sections 6.1.11, 6.3.12, 6.3.13, 6.67
 */
import type { Attribute, Mechanism, Template } from 'pkcs11js';
import { fromHex } from '../../core/bytes.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import { P11 } from './constants.ts';

/** How a token holds and uses keys of one algorithm. */
export interface Pkcs11Algorithm {
  readonly id: SignatureId;
  readonly keyType: number;
  readonly signMechanism: number;
  readonly generateMechanism: number;
  /** What the public key object must say beside its type (curve, parameter set), for search and generation. */
  readonly parameters: readonly Attribute[];
  /** What only generation needs. */
  readonly generationOnly: readonly Attribute[];
  /** The parameter of the signing mechanism. */
  readonly signParameter?: Mechanism['parameter'];
  /** What is handed to the token for `message`. */
  readonly tokenInput: (message: Uint8Array) => Uint8Array;
  readonly signatureBytesMax: number;
  /** Attributes the raw public key is made of. */
  readonly publicAttributes: readonly number[];
}

/** How the binding tells the parameter structures apart. */
const CK_PARAMS_RSA_PSS = 5;
const same = (message: Uint8Array): Uint8Array => message;
const hashed = (message: Uint8Array): Uint8Array => sha256('noble', message);

const mlDsa = (id: SignatureId, set: number, signatureBytesMax: number): Pkcs11Algorithm => ({
  id,
  keyType: P11.CKK_ML_DSA,
  signMechanism: P11.CKM_ML_DSA,
  generateMechanism: P11.CKM_ML_DSA_KEY_PAIR_GEN,
  parameters: [{ type: P11.CKA_PARAMETER_SET, value: set }],
  generationOnly: [],
  tokenInput: same,
  signatureBytesMax,
  publicAttributes: [P11.CKA_VALUE],
});

/** The algorithms that keys on tokens may have. */
export const PKCS11_ALGORITHMS: readonly Pkcs11Algorithm[] = [
  {
    id: 'ecdsa-p256',
    keyType: P11.CKK_EC,
    signMechanism: P11.CKM_ECDSA,
    generateMechanism: P11.CKM_EC_KEY_PAIR_GEN,
    // OID 1.2.840.10045.3.1.7
    parameters: [{ type: P11.CKA_EC_PARAMS, value: Buffer.from(fromHex('06082a8648ce3d030107')) }],
    generationOnly: [],
    tokenInput: hashed,
    signatureBytesMax: 64,
    publicAttributes: [P11.CKA_EC_POINT],
  },
  {
    id: 'ed25519',
    keyType: P11.CKK_EC_EDWARDS,
    signMechanism: P11.CKM_EDDSA,
    generateMechanism: P11.CKM_EC_EDWARDS_KEY_PAIR_GEN,
    // PrintableString "edwards25519", which SoftHSM and most tokens know
    parameters: [{ type: P11.CKA_EC_PARAMS, value: Buffer.from(fromHex('130c656477617264733235353139')) }],
    generationOnly: [],
    tokenInput: same,
    signatureBytesMax: 64,
    publicAttributes: [P11.CKA_EC_POINT],
  },
  {
    id: 'rsa-pss-sha256',
    keyType: P11.CKK_RSA,
    signMechanism: P11.CKM_SHA256_RSA_PKCS_PSS,
    generateMechanism: P11.CKM_RSA_PKCS_KEY_PAIR_GEN,
    parameters: [],
    generationOnly: [
      { type: P11.CKA_MODULUS_BITS, value: 3072 },
      { type: P11.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
    ],
    signParameter: rsaPss(),
    tokenInput: same,
    signatureBytesMax: 1024,
    publicAttributes: [P11.CKA_MODULUS, P11.CKA_PUBLIC_EXPONENT],
  },
  mlDsa('ml-dsa-44', 1, 2420),
  mlDsa('ml-dsa-65', 2, 3309),
  mlDsa('ml-dsa-87', 3, 4627),
];

function rsaPss(): NonNullable<Mechanism['parameter']> {
  const parameter = { type: CK_PARAMS_RSA_PSS, hashAlg: P11.CKM_SHA256, mgf: P11.CKG_MGF1_SHA256, saltLen: 32 };
  return parameter;
}

/** The template of a new public key object. */
export function publicTemplate(algorithm: Pkcs11Algorithm, key: { label: string; id: Uint8Array }): Template {
  return [
    { type: P11.CKA_CLASS, value: P11.CKO_PUBLIC_KEY },
    { type: P11.CKA_KEY_TYPE, value: algorithm.keyType },
    { type: P11.CKA_TOKEN, value: true },
    { type: P11.CKA_PRIVATE, value: false },
    { type: P11.CKA_VERIFY, value: true },
    { type: P11.CKA_LABEL, value: key.label },
    { type: P11.CKA_ID, value: Buffer.from(key.id) },
    ...algorithm.parameters,
    ...algorithm.generationOnly,
  ];
}

/** The template of a new private key object: it never leaves the token. */
export function privateTemplate(algorithm: Pkcs11Algorithm, key: { label: string; id: Uint8Array }): Template {
  return [
    { type: P11.CKA_CLASS, value: P11.CKO_PRIVATE_KEY },
    { type: P11.CKA_KEY_TYPE, value: algorithm.keyType },
    { type: P11.CKA_TOKEN, value: true },
    { type: P11.CKA_PRIVATE, value: true },
    { type: P11.CKA_SENSITIVE, value: true },
    { type: P11.CKA_EXTRACTABLE, value: false },
    { type: P11.CKA_SIGN, value: true },
    { type: P11.CKA_LABEL, value: key.label },
    { type: P11.CKA_ID, value: Buffer.from(key.id) },
  ];
}
