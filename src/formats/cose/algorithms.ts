/** COSE algorithm numbers of our signature algorithms (RFC 9864 and the COSE registry). */
import { failure, SecureevError } from '../../core/errors.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';

/** Every signature algorithm that may sign in COSE: ESP256, Ed25519 and ML-DSA; RSA never does. */
export const COSE_ALGORITHMS = [
  { id: 'ecdsa-p256', cose: -9 },
  { id: 'ed25519', cose: -19 },
  { id: 'ml-dsa-44', cose: -48 },
  { id: 'ml-dsa-65', cose: -49 },
  { id: 'ml-dsa-87', cose: -50 },
] as const satisfies readonly { id: SignatureId; cose: number }[];

/** A signature algorithm with a COSE number. */
export type CoseSignatureId = (typeof COSE_ALGORITHMS)[number]['id'];

/** The COSE number of an algorithm. @throws COSE_ALGORITHM_UNKNOWN for RSA */
export function coseNumber(id: SignatureId): number {
  const entry = COSE_ALGORITHMS.find((algorithm) => algorithm.id === id);
  if (entry !== undefined) return entry.cose;
  throw new SecureevError('COSE_ALGORITHM_UNKNOWN', {
    message: `${id} does not sign in COSE, which bundles are signed with`,
    hint: 'let another key sign bundles: `secureev delegation add bundles --path "bundles/*/*" --key ED25519.pub`',
    details: { algorithm: id },
  });
}

/** The algorithm of a COSE number. @throws COSE_ALGORITHM_UNKNOWN */
export function fromCoseNumber(cose: number): CoseSignatureId {
  const entry = COSE_ALGORITHMS.find((algorithm) => algorithm.cose === cose);
  if (entry === undefined) throw failure('COSE_ALGORITHM_UNKNOWN', `no COSE signature algorithm ${cose} here`);
  return entry.id;
}
