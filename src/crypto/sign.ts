/** Signing with a second look: no signature leaves before the other engine has verified it. */
import { failure, isFailure } from '../core/errors.ts';
import { otherEngine } from './engine.ts';
import type { SignatureAlgorithm, SignRequest } from './signatures/algorithm.ts';

/** What to sign, with what, and the public key that everyone will check with. */
export interface CheckedSignRequest extends SignRequest {
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: Uint8Array;
}

/**
 * Signs `message` and verifies the signature under `publicKey` by the other engine, so that a fault in one
 * implementation, or a public key of another secret, never gives a signature away.
 * @throws ENGINE_DISAGREES, KEY_MALFORMED
 */
export function signChecked(request: CheckedSignRequest): Uint8Array {
  const { algorithm, engine, publicKey, message } = request;
  const signature = algorithm.sign(request);
  try {
    algorithm.verify({ engine: otherEngine(engine), publicKey, message, signature });
  } catch (thrown) {
    if (!isFailure(thrown, 'SIGNATURE_INVALID')) throw thrown;
    throw failure('ENGINE_DISAGREES', `a fresh ${algorithm.id} signature does not verify under its public key`);
  }
  return signature;
}
