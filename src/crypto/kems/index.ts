/** The key encapsulation mechanisms. A new one is one file and one line in {@link KEMS}. */
import { quote } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { KemAlgorithm } from './algorithm.ts';
import { dhkemP256, dhkemX25519 } from './dhkem.ts';
import { mlKem1024P384, mlKem768P256, mlKem768X25519 } from './hybrid.ts';
import { mlKem1024, mlKem512, mlKem768 } from './ml-kem.ts';

export type { KemAlgorithm } from './algorithm.ts';
export { isKemId } from './public-key-sizes.ts';

/** Every key encapsulation mechanism, the default one first. */
export const KEMS = [
  mlKem768X25519,
  mlKem768P256,
  mlKem1024P384,
  dhkemP256,
  dhkemX25519,
  mlKem512,
  mlKem768,
  mlKem1024,
] as const;

/** The id of a key encapsulation mechanism, e.g. `MLKEM768-X25519`. */
export type KemId = (typeof KEMS)[number]['id'];

/** The mechanism named `id`. @throws ALGORITHM_UNKNOWN */
export function kemAlgorithm(id: string): KemAlgorithm & { readonly id: KemId } {
  return known(
    KEMS.find((algorithm) => algorithm.id === id),
    quote(id),
  );
}

/** The mechanism with an id of the HPKE registry. @throws ALGORITHM_UNKNOWN */
export function kemOfHpkeId(hpkeId: number): KemAlgorithm & { readonly id: KemId } {
  return known(
    KEMS.find((algorithm) => algorithm.hpkeId === hpkeId),
    `0x${hpkeId.toString(16).padStart(4, '0')}`,
  );
}

function known<T>(found: T | undefined, name: string): T {
  if (found === undefined) throw failure('ALGORITHM_UNKNOWN', `unknown key encapsulation mechanism ${name}`);
  return found;
}
