/** The manifest of a bundle, believed when those who must sign it have. */
import { failure } from '../core/errors.ts';
import type { Verified } from '../core/verified.ts';
import type { BundleHead, Manifest } from '../formats/otap/bundle.ts';
import { believe } from './believe.ts';
import { requireSignatures } from './bundle-policy.ts';
import type { BundleSignature, BundleSignatureRequest } from './bundle-policy.ts';
import { countSigners } from './role-policy.ts';
import type { KeyThreshold, RolePolicy } from './role-policy.ts';

/**
 * Verifies header and manifest of a bundle: the thresholds of every policy, and a good signature by each algorithm that the
 * manifest demands.
 *
 * @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD, BUNDLE_ALGORITHM_MISSING
 */
export function verifyManifest(request: BundleSignatureRequest, head: BundleHead): Verified<Manifest> {
  const signatures = head.signatures.map((one): BundleSignature => ({ ...one, message: head.toBeSigned(one) }));
  requireSignatures(request, signatures);
  const manifest = head.manifest.unverified;
  for (const algorithm of manifest.algorithms) requireAlgorithm(request, algorithm, signatures);
  return believe(manifest);
}

function requireAlgorithm(
  { engine, policy }: BundleSignatureRequest,
  algorithm: string,
  signatures: readonly BundleSignature[],
): void {
  const counted = signatures
    .filter((one) => one.algorithm === algorithm)
    .map(({ keyId, message, signature }) => ({ keyId, message, raw: () => signature }));
  const wanted = policy.policies.flatMap(thresholdsOf).map((one) => onlyBy(one, algorithm));
  if (wanted.some((one) => countSigners(engine, one, counted) > 0)) return;
  throw failure(
    'BUNDLE_ALGORITHM_MISSING',
    `the manifest demands a signature by ${algorithm}, and there is no good one`,
    {
      algorithm,
    },
  );
}

function thresholdsOf({ classical, postQuantum }: RolePolicy): readonly KeyThreshold[] {
  return postQuantum === undefined ? [classical] : [classical, postQuantum];
}

/** One key of this algorithm, by its computed id. */
function onlyBy(wanted: KeyThreshold, algorithm: string): KeyThreshold {
  const keys = [...wanted.keys.values()].filter((key) => key.algorithm === algorithm);
  return { ...wanted, threshold: 1, keys: new Map(keys.map((key) => [key.keyId, key])) };
}
