/**
 * Who must sign a bundle: the keys and thresholds of the role (or agreeing roles) that list it in verified metadata.
 * The policy comes from the pinned root by way of that role, never from the bundle.
 *
 * @see formats.md section 4, "signatures"
 */
import type { KeyId } from '../core/brands.ts';
import type { EngineName } from '../core/ports.ts';
import type { Verified } from '../core/verified.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import type { FoundTarget } from './find-target.ts';
import { familyOf, requireThreshold } from './role-policy.ts';
import type { CountedSignature, KeyThreshold, RolePolicy } from './role-policy.ts';
import { refusal } from './refusal.ts';

/** What a bundle must be signed with: every one of the policies. */
export interface BundlePolicy {
  readonly target: string;
  readonly policies: readonly RolePolicy[];
}

/** The policy for the bundle that was found in verified metadata. */
export function bundlePolicyOf(found: Verified<FoundTarget>): BundlePolicy {
  return { target: found.verified.name, policies: found.verified.policies };
}

/** A signature of a bundle, and what exactly it covers (in COSE each signer's own structure). */
export interface BundleSignature {
  readonly algorithm: SignatureId;
  /** The id of the key as computed from it: 64 hex digits. */
  readonly keyId: KeyId;
  /** Raw. */
  readonly signature: Uint8Array;
  readonly message: Uint8Array;
}

/** What is signed, for whom. */
export interface BundleSignatureRequest {
  readonly engine: EngineName;
  readonly policy: BundlePolicy;
}

/**
 * Demands that enough keys of each policy have signed, in both families where the policy is hybrid. Signatures of other
 * keys, or by another algorithm than the key's, are ignored.
 *
 * @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD
 */
export function requireSignatures(
  { engine, policy }: BundleSignatureRequest,
  signatures: readonly BundleSignature[],
): void {
  if (policy.policies.length === 0) throw nobody(policy);
  for (const rolePolicy of policy.policies) {
    const request = { engine, what: `signatures of ${policy.target}`, policy: rolePolicy };
    const { classical, postQuantum } = rolePolicy;
    for (const wanted of postQuantum === undefined ? [classical] : [classical, postQuantum]) {
      requireThreshold(
        request,
        byOwnId(wanted),
        signatures.flatMap((one) => countedFor(wanted, one)),
      );
    }
  }
}

/** Metadata may list a key under any id; a bundle names it by the computed one. */
function byOwnId(wanted: KeyThreshold): KeyThreshold {
  return { ...wanted, keys: new Map([...wanted.keys.values()].map((key) => [key.keyId, key])) };
}

function countedFor(wanted: KeyThreshold, one: BundleSignature): readonly CountedSignature[] {
  const key = [...wanted.keys.values()].find(({ keyId }) => keyId === one.keyId);
  if (key === undefined || key.algorithm !== one.algorithm || familyOf(key) !== wanted.family) return [];
  return [{ keyId: one.keyId, message: one.message, raw: () => one.signature }];
}

function nobody(policy: BundlePolicy) {
  return refusal('TRUST_THRESHOLD', { role: policy.target, message: `no role vouches for ${policy.target}` });
}
