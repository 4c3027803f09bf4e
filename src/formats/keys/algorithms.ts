/**
 * Which object identifier stands for which algorithm in SPKI and PKCS#8, and what its parameters are.
 *
 * P-256 keys for ECDSA and for key agreement have the same identifier; the purpose written beside a key tells them apart.
 *
 * @see RFC 5480, RFC 8410, RFC 9881, RFC 9935, draft-connolly-cfrg-xwing-kem
 */
import type { KemId } from '../../crypto/kems/index.ts';
import { isKemId } from '../../crypto/kems/public-key-sizes.ts';
import { isSignatureId } from '../../crypto/signatures/index.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';

/** An algorithm of a key. */
export type KeyAlgorithm = SignatureId | KemId;

/** What a key is for. */
export type KeyPurpose = 'signing' | 'encryption';

/** How keys of an algorithm are named in ASN.1. */
export interface KeyIdentifier {
  readonly algorithm: KeyAlgorithm;
  readonly purpose: KeyPurpose;
  readonly oid: string;
  /** The named curve, `null` for an ASN.1 NULL, undefined for absent parameters. */
  readonly parameters: string | null | undefined;
}

/** `id-ecPublicKey`. */
export const EC_OID = '1.2.840.10045.2.1';
/** `prime256v1`. */
export const P256_OID = '1.2.840.10045.3.1.7';

const absent = (algorithm: KeyAlgorithm, purpose: KeyPurpose, oid: string): KeyIdentifier => ({
  algorithm,
  purpose,
  oid,
  parameters: undefined,
});

/** Every algorithm whose keys have an object identifier. */
export const KEY_IDENTIFIERS: readonly KeyIdentifier[] = [
  { algorithm: 'ecdsa-p256', purpose: 'signing', oid: EC_OID, parameters: P256_OID },
  absent('ed25519', 'signing', '1.3.101.112'),
  absent('ml-dsa-44', 'signing', '2.16.840.1.101.3.4.3.17'),
  absent('ml-dsa-65', 'signing', '2.16.840.1.101.3.4.3.18'),
  absent('ml-dsa-87', 'signing', '2.16.840.1.101.3.4.3.19'),
  { algorithm: 'rsa-pss-sha256', purpose: 'signing', oid: '1.2.840.113549.1.1.1', parameters: null },
  { algorithm: 'DHKEM-P256', purpose: 'encryption', oid: EC_OID, parameters: P256_OID },
  absent('DHKEM-X25519', 'encryption', '1.3.101.110'),
  absent('ML-KEM-512', 'encryption', '2.16.840.1.101.3.4.4.1'),
  absent('ML-KEM-768', 'encryption', '2.16.840.1.101.3.4.4.2'),
  absent('ML-KEM-1024', 'encryption', '2.16.840.1.101.3.4.4.3'),
  absent('MLKEM768-X25519', 'encryption', '1.3.6.1.4.1.62253.25722'),
];

/** What an algorithm's keys are for. */
export function purposeOf(algorithm: KeyAlgorithm): KeyPurpose {
  return isSignatureId(algorithm) ? 'signing' : 'encryption';
}

/** Whether `id` names an algorithm of keys. */
export function isKeyAlgorithm(id: string): id is KeyAlgorithm {
  return isSignatureId(id) || isKemId(id);
}
