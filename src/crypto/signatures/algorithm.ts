/** What every signature algorithm is: an object of constants and functions over raw keys and raw signatures. */
import type { EngineName } from '../../core/ports.ts';

/** A secret to sign with, and what to sign. */
export interface SignRequest {
  readonly engine: EngineName;
  readonly secret: Uint8Array;
  readonly message: Uint8Array;
  /** 32 fresh random bytes for a hedged signature; without it the signature is deterministic (and noble's alone). */
  readonly randomness?: Uint8Array | undefined;
}

/** A signature to check. All of it may come from an attacker. */
export interface VerifyRequest {
  readonly engine: EngineName;
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** The second form that a post-quantum secret has: the expanded key of FIPS 203 and FIPS 204, which a seed gives. */
export interface ExpandedForm {
  /** Exact; never that of the seed. */
  readonly bytes: number;
  /** Expands a seed. @throws KEY_MALFORMED */
  of(seed: Uint8Array): Uint8Array;
}

/** A key pair in the runtime's own form, kept for many signatures: making it anew each time is a tenth of the work. */
export interface HeldKey {
  /** A fresh signature, hedged where the algorithm is. */
  sign(message: Uint8Array): Uint8Array;
  /** Whether a signature of the exact length is good under the public key. */
  isGood(message: Uint8Array, signature: Uint8Array): boolean;
}

/** A signature algorithm over raw keys. Lengths are exact. */
export interface SignatureAlgorithm {
  readonly id: string;
  readonly family: 'classical' | 'post-quantum';
  /** Bytes of a secret: a 32-byte seed, or for P-256 the scalar; 0 for RSA, whose secrets are RSAPrivateKey DER. */
  readonly secretBytes: number;
  /** Where a secret may also be the expanded key (noble's engine alone works with it): its form. */
  readonly expanded?: ExpandedForm;
  /** Bytes of a raw public key; 0 for RSA, whose keys are SPKI DER of many lengths. */
  readonly publicKeyBytes: number;
  /** Bytes of a raw signature; 0 for RSA, where it is the modulus's length. */
  readonly signatureBytes: number;
  /** The engines that have an implementation of their own on this runtime. */
  readonly engines: readonly EngineName[];
  /** Makes a key pair from 32 random bytes; of RSA, without any. @throws KEY_MALFORMED for a seed of another length */
  keygen(engine: EngineName, seed: Uint8Array): { readonly secret: Uint8Array; readonly publicKey: Uint8Array };
  /** The raw public key of a secret. @throws KEY_MALFORMED */
  publicKeyOf(engine: EngineName, secret: Uint8Array): Uint8Array;
  /** Refuses a raw public key that no honest signer has. @throws KEY_MALFORMED */
  checkPublicKey(engine: EngineName, publicKey: Uint8Array): void;
  /** Signs `message`; most callers want `signChecked`. @throws KEY_MALFORMED */
  sign(request: SignRequest): Uint8Array;
  /** Keeps a key pair with engine `native`; undefined where the runtime cannot. @throws KEY_MALFORMED */
  hold?(secret: Uint8Array, publicKey: Uint8Array): HeldKey | undefined;
  /** Returns only where the signature is good. @throws SIGNATURE_INVALID, KEY_MALFORMED */
  verify(request: VerifyRequest): void;
}
