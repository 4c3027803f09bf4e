/** What is told of keys: never a secret. */
import type { Instant } from '../../core/brands.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import type { PublicIdentity } from '../../formats/keys/public-file.ts';

/** One public key. */
export interface KeyFact {
  readonly algorithm: string;
  readonly keyId: string;
}

/** One signer or recipient. */
export interface IdentityFacts {
  readonly purpose: KeyPurpose;
  readonly holder: string | undefined;
  readonly created: Instant | undefined;
  /** Classical first. */
  readonly keys: readonly KeyFact[];
}

/** The facts of an identity. */
export function identityFacts({ keys, purpose, holder, created }: PublicIdentity): IdentityFacts {
  return { purpose, holder, created, keys: keys.map(({ algorithm, keyId }) => ({ algorithm, keyId })) };
}
