/**
 * Signing with one key many times: the key is made ready once.
 *
 * Invariants: no signature comes out before the engine that made it has verified it under the public key; the first one,
 * and one in {@link CROSS_CHECK_EVERY} after it, is verified by the other engine too.
 */
import { failure, isFailure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { otherEngine } from './engine.ts';
import type { HeldKey, SignatureAlgorithm } from './signatures/algorithm.ts';

/** Of so many signatures one is verified by both engines. */
export const CROSS_CHECK_EVERY = 256;

/** A key to sign with in bulk. */
export interface BulkKeyPair {
  readonly algorithm: SignatureAlgorithm;
  readonly engine: EngineName;
  /** It may be wiped once the signer is made; only engine `noble` keeps a copy. */
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Fresh random bytes, for hedged signatures of engine `noble`. */
  readonly random: (count: number) => Uint8Array;
}

/** A key that is ready. Disposing it wipes what it keeps of the secret. */
export interface BulkSigner extends Disposable {
  /** The raw signature of `message`. @throws ENGINE_DISAGREES */
  sign(message: Uint8Array): Uint8Array;
  /** How many signatures both engines have verified. */
  crossChecked(): number;
}

/** Makes a key ready. @throws KEY_MALFORMED */
export function bulkSigner(pair: BulkKeyPair): BulkSigner {
  const { algorithm, engine, publicKey } = pair;
  const ready = engine === 'native' ? algorithm.hold?.(pair.secret, publicKey) : undefined;
  const { own, made } = ready === undefined ? nobleSigner(pair) : { own: nativeSigner(ready), made: engine };
  let count = 0;
  let crossChecked = 0;
  return {
    sign(message) {
      const signature = own.sign(message);
      if (signature.length !== algorithm.signatureBytes || !own.isGood(message, signature)) throw disagrees(algorithm);
      if (count++ % CROSS_CHECK_EVERY === 0) {
        if (!isGood(algorithm, { engine: otherEngine(made), publicKey, message, signature }))
          throw disagrees(algorithm);
        crossChecked += 1;
      }
      return signature;
    },
    crossChecked: () => crossChecked,
    [Symbol.dispose]: () => own[Symbol.dispose](),
  };
}

type OwnSigner = HeldKey & Disposable;

const RANDOMNESS_BYTES = 32;

/** A post-quantum seed is expanded once. */
function nobleSigner({ algorithm, publicKey, random, ...given }: BulkKeyPair): { own: OwnSigner; made: EngineName } {
  const { expanded } = algorithm;
  const isSeed = given.secret.length === algorithm.secretBytes;
  const secret = isSeed && expanded !== undefined ? expanded.of(given.secret) : given.secret.slice();
  const engine = 'noble';
  const own: OwnSigner = {
    sign: (message) => algorithm.sign({ engine, secret, message, randomness: random(RANDOMNESS_BYTES) }),
    isGood: (message, signature) => isGood(algorithm, { engine, publicKey, message, signature }),
    [Symbol.dispose]: () => void secret.fill(0),
  };
  return { own, made: engine };
}

/** The runtime frees the key with its object. */
function nativeSigner(held: HeldKey): OwnSigner {
  return { ...held, [Symbol.dispose]: () => undefined };
}

function isGood(algorithm: SignatureAlgorithm, request: Parameters<SignatureAlgorithm['verify']>[0]): boolean {
  try {
    algorithm.verify(request);
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'SIGNATURE_INVALID')) return false;
    throw thrown;
  }
}

function disagrees({ id }: SignatureAlgorithm) {
  return failure('ENGINE_DISAGREES', `a fresh ${id} signature does not verify under its public key`);
}
