/** What every key encapsulation mechanism is: an object of constants and functions over raw keys. */
import type { EngineName } from '../../core/ports.ts';
import type { ExpandedForm } from '../signatures/algorithm.ts';

/** To whom to encapsulate. */
export interface EncapsulateRequest {
  readonly engine: EngineName;
  readonly publicKey: Uint8Array;
  /**
   * Fresh random bytes, `randomnessBytes` of them. With noble they decide the result; the runtime's ML-KEM draws its own
   * instead, and so do the hybrids built on it.
   */
  readonly randomness: Uint8Array;
}

/** What to open, and with what. The encapsulated secret may come from an attacker. */
export interface DecapsulateRequest {
  readonly engine: EngineName;
  readonly secret: Uint8Array;
  readonly encapsulated: Uint8Array;
}

/** A fresh shared secret and what carries it to the recipient. */
export interface Encapsulation {
  readonly encapsulated: Uint8Array;
  readonly sharedSecret: Uint8Array;
}

/** A key encapsulation mechanism of HPKE over raw keys. Lengths are exact. */
export interface KemAlgorithm {
  readonly id: string;
  /** The identifier in the HPKE registry of IANA. */
  readonly hpkeId: number;
  readonly family: 'classical' | 'post-quantum' | 'hybrid';
  /** Bytes of the random seed that `keygen` takes. */
  readonly seedBytes: number;
  /** Bytes of a secret as key files store it: a seed, or for the DHKEMs the private key. */
  readonly secretBytes: number;
  /** Where a secret may also be the expanded key (noble's engine alone works with it): its form. */
  readonly expanded?: ExpandedForm;
  readonly publicKeyBytes: number;
  readonly encapsulatedBytes: number;
  readonly sharedSecretBytes: number;
  readonly randomnessBytes: number;
  /** The engines that have an implementation of their own on this runtime. */
  readonly engines: readonly EngineName[];
  /** Makes a key pair from `seedBytes` random bytes. @throws KEY_MALFORMED for a seed of another length */
  keygen(engine: EngineName, seed: Uint8Array): { readonly secret: Uint8Array; readonly publicKey: Uint8Array };
  /** The raw public key of a secret. @throws KEY_MALFORMED */
  publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array;
  /** Refuses a raw public key that no honest recipient has. @throws KEY_MALFORMED */
  checkPublicKey(engine: EngineName, publicKey: Uint8Array): void;
  /** @throws KEY_MALFORMED for a public key that no honest recipient has */
  encapsulate(request: EncapsulateRequest): Encapsulation;
  /**
   * The shared secret. A wrong ciphertext of ML-KEM gives a wrong secret in silence: the AEAD after it must notice.
   * @throws KEY_MALFORMED, DECRYPT_FAILED for an encapsulated secret of a wrong length or off the curve
   */
  decapsulate(request: DecapsulateRequest): Uint8Array;
}
