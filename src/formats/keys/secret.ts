/** What can be asked of the raw secret of any algorithm, for signing or for encryption. */
import { equalBytes } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { isKemId, kemAlgorithm } from '../../crypto/kems/index.ts';
import type { KemAlgorithm } from '../../crypto/kems/index.ts';
import { signChecked } from '../../crypto/sign.ts';
import { isSignatureId, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import type { ExpandedForm, SignatureAlgorithm } from '../../crypto/signatures/algorithm.ts';
import type { KeyAlgorithm } from './algorithms.ts';

type AnyAlgorithm = Pick<
  SignatureAlgorithm | KemAlgorithm,
  'publicKeyOf' | 'expanded' | 'secretBytes' | 'keygen' | 'checkPublicKey' | 'publicKeyBytes'
>;

/** The object of an algorithm. */
export function algorithmOf(algorithm: KeyAlgorithm): AnyAlgorithm {
  return isKemId(algorithm) ? kemAlgorithm(algorithm) : signatureAlgorithm(algorithm);
}

/** The expanded form of an algorithm's secrets, if they have one. */
export function expandedFormOf(algorithm: KeyAlgorithm): ExpandedForm | undefined {
  return algorithmOf(algorithm).expanded;
}

/**
 * The raw public key of a secret. Of an expanded secret, which holds redundant parts, it is also shown that the parts fit
 * together, by using it once.
 * @throws KEY_MALFORMED, KEY_PARTS_DISAGREE
 */
export function publicKeyOfSecret(
  algorithm: KeyAlgorithm,
  { engine, secret }: { readonly engine: EngineName; readonly secret: Uint8Array },
): Uint8Array {
  const object = algorithmOf(algorithm);
  const publicKey = object.publicKeyOf(engine, secret);
  if (secret.length === object.expanded?.bytes) useOnce(algorithm, { engine, secret, publicKey });
  return publicKey;
}

interface ExpandedKey {
  readonly engine: EngineName;
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}

function useOnce(algorithm: KeyAlgorithm, key: ExpandedKey): void {
  const fits = isSignatureId(algorithm) ? signs(algorithm, key) : decapsulates(algorithm, key);
  if (!fits) throw failure('KEY_PARTS_DISAGREE', 'the parts of the expanded private key disagree');
}

/** A deterministic signature of a constant message tells nothing that any other would not. */
function signs(algorithm: string, key: ExpandedKey): boolean {
  try {
    signChecked({ ...key, algorithm: signatureAlgorithm(algorithm), message: new Uint8Array(32) });
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'ENGINE_DISAGREES')) return false;
    throw thrown;
  }
}

function decapsulates(algorithm: string, { engine, secret, publicKey }: ExpandedKey): boolean {
  const kem = kemAlgorithm(algorithm);
  const randomness = new Uint8Array(kem.randomnessBytes);
  try {
    const { encapsulated, sharedSecret } = kem.encapsulate({ engine, publicKey, randomness });
    return equalBytes(kem.decapsulate({ engine, secret, encapsulated }), sharedSecret);
  } catch (thrown) {
    if (isFailure(thrown, 'KEY_MALFORMED')) return false;
    throw thrown;
  }
}
