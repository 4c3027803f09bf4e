/**
 * The chain of roots: from the pinned one, each next one signed by the keys of the one before and by its own.
 *
 * Rules: the pinned root meets its own thresholds, its expiry does not matter (T2); root N+1 meets both thresholds of N
 * and of N+1, and is exactly N+1 (T3); only the last one must be unexpired (T4). So any change to the hybrid section is
 * signed by both families under N and under N+1; where the pinned root is hybrid, or the caller demands it, no root
 * without the section is accepted, whoever signed it.
 *
 * @see TUF 1.0.34 sections 5.2 and 5.3
 */
import type { Verified } from '../core/verified.ts';
import { decodeRole } from '../formats/metadata/envelope.ts';
import type { Envelope, Root } from '../formats/metadata/types.ts';
import { believe } from './believe.ts';
import { keyIdentity, requireThresholds } from './role-policy.ts';
import type { KeyThreshold } from './role-policy.ts';
import { refusal } from './refusal.ts';
import { requireSameRepository, requireUnexpired, rootPolicy } from './state.ts';
import type { TrustedSet, TrustTerms } from './state.ts';

/**
 * Starts from a root that was handed over out of band.
 *
 * @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD, TRUST_HYBRID_MISSING, TRUST_WRONG_REPOSITORY, and what decoding throws
 */
export function pinRoot(bytes: Uint8Array, terms: TrustTerms): TrustedSet {
  requireSize(bytes, terms);
  const root = decodeRole(bytes, 'root').unverified;
  requireKind(root, terms);
  const requireHybrid = terms.requireHybrid || root.signed.extension?.hybrid !== undefined;
  const set = { terms: { ...terms, requireHybrid }, root: believe(root) };
  requireHybridRoot(root, set.terms);
  requireThresholds({ engine: terms.engine, envelope: root, policy: rootPolicy(root.signed, 'root') });
  return { ...set, timestamp: undefined, snapshot: undefined, targets: new Map() };
}

/**
 * Takes a stored root of this client's own earlier updates, which had walked to it from a pinned one.
 *
 * @throws as {@link pinRoot}
 */
export function resumeRoot(set: TrustedSet, bytes: Uint8Array): TrustedSet {
  const stored = pinRoot(bytes, set.terms);
  requireSameRepository(set.root.verified, stored.root.verified, 'root');
  return { ...set, root: stored.root };
}

/**
 * Takes the next root of the chain.
 *
 * @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD, TRUST_HYBRID_MISSING, TRUST_ROLLBACK, TRUST_ROOT_GAP,
 * TRUST_WRONG_REPOSITORY, and what decoding throws
 */
export function nextRoot(set: TrustedSet, bytes: Uint8Array): TrustedSet {
  const { terms } = set;
  requireSize(bytes, terms);
  const current = set.root.verified;
  const next = decodeRole(bytes, 'root').unverified;
  requireThresholds({ engine: terms.engine, envelope: next, policy: rootPolicy(current.signed, 'root') });
  requireNextVersion(current.signed, next.signed);
  requireHybridRoot(next, terms);
  requireThresholds({ engine: terms.engine, envelope: next, policy: rootPolicy(next.signed, 'root') });
  requireSameRepository(current, next, 'root');
  return { ...set, root: believe(next), timestamp: undefined, snapshot: undefined, targets: new Map() };
}

/** Demands that the last root of the chain has not expired. @throws TRUST_EXPIRED */
export function requireFinalRoot(set: TrustedSet): void {
  requireUnexpired(set.terms, set.root.verified.signed, 'root');
}

function requireSize(bytes: Uint8Array, { limits }: TrustTerms): void {
  if (bytes.length <= limits.rootBytesMax) return;
  throw refusal('TRUST_ENDLESS_DATA', {
    role: 'root',
    message: `a root file is over ${limits.rootBytesMax} bytes`,
    details: { limit: limits.rootBytesMax },
  });
}

function requireKind(root: Envelope<Root>, { kind }: TrustTerms): void {
  const found = root.signed.extension?.kind;
  if (kind === undefined || found === undefined || found === kind) return;
  throw refusal('TRUST_WRONG_REPOSITORY', {
    role: 'root',
    message: `the pinned root is of the ${found} repository, and the ${kind} repository is asked for`,
    details: { expected: kind, found },
  });
}

function requireHybridRoot(root: Envelope<Root>, terms: TrustTerms): void {
  if (!terms.requireHybrid || root.signed.extension?.hybrid !== undefined) return;
  throw refusal('TRUST_HYBRID_MISSING', {
    role: 'root',
    message: `root ${root.signed.version} has no post-quantum keys, and hybrid signatures are demanded`,
    details: { version: root.signed.version },
  });
}

function requireNextVersion(current: Root, next: Root): void {
  const expected = current.version + 1;
  if (next.version === expected) return;
  const code = next.version < expected ? 'TRUST_ROLLBACK' : 'TRUST_ROOT_GAP';
  throw refusal(code, {
    role: 'root',
    message: `root ${next.version} stands where root ${expected} belongs`,
    details: { expected, found: next.version },
  });
}

/**
 * Whether a key that could sign Timestamp or Snapshot under `before` no longer can under `after`: then the files seen
 * under it are dropped, which is how a repository recovers from a fast-forward attack (T4).
 */
export function rotatesOnlineKeys(before: Verified<Envelope<Root>>, after: Verified<Envelope<Root>>): boolean {
  return (['timestamp', 'snapshot'] as const).some((role) => {
    const [old, next] = [before, after].map(({ verified }) => rootPolicy(verified.signed, role));
    return removesKey(old?.classical, next?.classical) || removesKey(old?.postQuantum, next?.postQuantum);
  });
}

function removesKey(before: KeyThreshold | undefined, after: KeyThreshold | undefined): boolean {
  const kept = new Set([...(after?.keys.values() ?? [])].map(keyIdentity));
  return [...(before?.keys.values() ?? [])].some((key) => !kept.has(keyIdentity(key)));
}
