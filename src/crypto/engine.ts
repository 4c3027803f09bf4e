/**
 * Which implementation of the primitives does the work: `@noble/*`, which is everywhere, or the runtime's own.
 *
 * Invariants: both engines accept and refuse the same inputs and give the same results; with engine `native` an
 * algorithm that the runtime lacks (ML-DSA and ML-KEM before Node 24) is noble's.
 */
import * as nodeCrypto from 'node:crypto';
import { failure, SecureevError } from '../core/errors.ts';
import { quote } from '../core/brands.ts';
import type { EngineName } from '../core/ports.ts';
import { nativePublicKey } from './native-keys.ts';

/** Both engines. */
export const ENGINES: readonly EngineName[] = ['noble', 'native'];

// Tried with the algorithms that are used most: what the runtime looks up for the first key it need not for the next.
const hasMlDsa = once(() => understands('ml-dsa-65', 1952));
const hasMlKem = once(() => understands('ml-kem-768', 1184) && typeof nodeCrypto.encapsulate === 'function');

/** What this runtime's own cryptography can do beyond the classical algorithms; tried when first asked, for it takes a while. */
export const NATIVE: { readonly mlDsa: boolean; readonly mlKem: boolean } = {
  get mlDsa() {
    return hasMlDsa();
  },
  get mlKem() {
    return hasMlKem();
  },
};

function once<T>(find: () => T): () => T {
  const found: T[] = [];
  return () => {
    const [value = find()] = found;
    found[0] = value;
    return value;
  };
}

/**
 * The engine to use: `native`, which falls back to noble algorithm by algorithm, or what `preference` (the value of
 * `SECUREEV_ENGINE`, `noble` or `native`) forces; forcing `native` demands a runtime that has everything.
 * @throws ENGINE_MISSING
 */
export function availableEngine(preference: string | undefined): EngineName {
  if (preference === undefined || preference === '') return 'native';
  if (preference === 'noble') return 'noble';
  if (preference !== 'native') {
    throw failure('ENGINE_MISSING', `unknown engine ${quote(preference)}; the engines are noble and native`);
  }
  if (!NATIVE.mlDsa || !NATIVE.mlKem) {
    throw new SecureevError('ENGINE_MISSING', {
      message: `engine native was asked for, but Node ${process.versions.node} has no ML-DSA or ML-KEM of its own`,
      hint: 'use Node 24, or leave SECUREEV_ENGINE unset',
    });
  }
  return 'native';
}

/** The engine that checks what `engine` made. */
export function otherEngine(engine: EngineName): EngineName {
  return engine === 'noble' ? 'native' : 'noble';
}

function understands(algorithm: 'ml-dsa-65' | 'ml-kem-768', publicKeyBytes: number): boolean {
  try {
    return nativePublicKey(algorithm, new Uint8Array(publicKeyBytes)).asymmetricKeyType === algorithm;
  } catch {
    return false;
  }
}
