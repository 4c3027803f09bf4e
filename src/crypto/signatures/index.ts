/** The signature algorithms. A new one is one file and one line in {@link SIGNATURES}. */
import { quote } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { SignatureAlgorithm } from './algorithm.ts';
import { ecdsaP256 } from './ecdsa-p256.ts';
import { ed25519 } from './ed25519.ts';
import { mlDsa44, mlDsa65, mlDsa87 } from './ml-dsa.ts';
import { rsaPssSha256 } from './rsa-pss-sha256.ts';

export type { SignatureAlgorithm } from './algorithm.ts';
export { ecdsaSignatureFromDer, ecdsaSignatureToDer } from './ecdsa-der.ts';

/** Every signature algorithm. */
export const SIGNATURES = [ecdsaP256, ed25519, mlDsa44, mlDsa65, mlDsa87, rsaPssSha256] as const;

/** The id of a signature algorithm, e.g. `ml-dsa-65`. */
export type SignatureId = (typeof SIGNATURES)[number]['id'];

/** Whether `id` names a signature algorithm. */
export function isSignatureId(id: string): id is SignatureId {
  return SIGNATURES.some((algorithm) => algorithm.id === id);
}

/** The algorithm named `id`. @throws ALGORITHM_UNKNOWN */
export function signatureAlgorithm(id: string): SignatureAlgorithm & { readonly id: SignatureId } {
  const found = SIGNATURES.find((algorithm) => algorithm.id === id);
  if (found === undefined) throw failure('ALGORITHM_UNKNOWN', `unknown signature algorithm ${quote(id)}`);
  return found;
}
