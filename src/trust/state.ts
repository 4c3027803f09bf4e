/**
 * What a client believes at a moment: an immutable set of verified files, and the terms it verifies them under.
 *
 * Invariants: `now` is fixed once for an update (T1); a file is in the set only after every rule of its role held under
 * the root of the set; a hybrid pinned root demands hybrid signatures from then on.
 *
 * @see TUF 1.0.34 section 5.1
 */
import type { Instant } from '../core/brands.ts';
import type { EngineName } from '../core/ports.ts';
import type { Verified } from '../core/verified.ts';
import type {
  Envelope,
  RepositoryKind,
  Root,
  Signed,
  Snapshot,
  Targets,
  Timestamp,
} from '../formats/metadata/types.ts';
import type { TrustLimits } from './limits.ts';
import { keyThreshold } from './role-policy.ts';
import type { KeyThreshold, RolePolicy } from './role-policy.ts';
import { refusal, roleText } from './refusal.ts';

/** The terms of an update, fixed at its start. */
export interface TrustTerms {
  readonly engine: EngineName;
  readonly now: Instant;
  readonly limits: TrustLimits;
  /** Every role must meet a post-quantum threshold too. */
  readonly requireHybrid: boolean;
  /** Which of the two Uptane repositories this must be; undefined for either. */
  readonly kind: RepositoryKind | undefined;
  /** How long after their expiry a Timestamp and a Snapshot still pass, for kits; 0 otherwise. */
  readonly maxStalenessSeconds: number;
}

/** A Targets file and the delegators under which it was verified. */
export interface TrustedTargets {
  readonly file: Verified<Envelope<Targets>>;
  /** Whether it had to meet a post-quantum threshold; then its delegations must, too. */
  readonly isHybrid: boolean;
  /** The ids of the policies that it has met. */
  readonly verifiedUnder: ReadonlySet<string>;
}

/** The verified files. */
export interface TrustedSet {
  readonly terms: TrustTerms;
  readonly root: Verified<Envelope<Root>>;
  readonly timestamp: Verified<Envelope<Timestamp>> | undefined;
  readonly snapshot: Verified<Envelope<Snapshot>> | undefined;
  /** Targets and delegated roles by name. */
  readonly targets: ReadonlyMap<string, TrustedTargets>;
}

/** The policy that a root has for one of its roles. */
export function rootPolicy(root: Root, role: Signed['role']): RolePolicy {
  const { hybrid } = root.extension ?? {};
  return {
    role,
    id: role,
    delegator: `root ${root.version}`,
    classical: thresholdOf('classical', root, role),
    postQuantum: hybrid === undefined ? undefined : thresholdOf('post-quantum', hybrid, role),
  };
}

function thresholdOf(
  family: KeyThreshold['family'],
  ring: Pick<Root, 'keys' | 'roles'>,
  role: Signed['role'],
): KeyThreshold {
  const keys = ring.roles.get(role);
  // The decoder has seen to it that all four are there.
  if (keys === undefined) throw new RangeError(`a root without ${role}`);
  return keyThreshold(family, keys, ring.keys);
}

/** Demands that a file has not expired at the update's `now`. @throws TRUST_EXPIRED */
export function requireUnexpired(terms: TrustTerms, signed: Signed, role: string): void {
  const mayBeStale = signed.role === 'timestamp' || signed.role === 'snapshot';
  const until = signed.expires + (mayBeStale ? terms.maxStalenessSeconds : 0);
  if (terms.now < until) return;
  throw refusal('TRUST_EXPIRED', {
    role,
    message: `${roleText(role)} ${signed.version} expired ${Math.max(0, terms.now - signed.expires)} s ago`,
    details: { version: signed.version, expires: signed.expires, now: terms.now },
  });
}

/**
 * Demands that a file is of the root's repository, kind and dialect.
 *
 * @throws TRUST_WRONG_REPOSITORY
 */
export function requireSameRepository(root: Envelope<Root>, file: Envelope, role: string): void {
  const [expected, found] = [root.signed.extension, file.signed.extension];
  const sameRepository = expected === undefined || expected.repository === found?.repository;
  const sameKind = expected === undefined || expected.kind === found?.kind;
  if (sameRepository && sameKind && root.dialect === file.dialect) return;
  throw refusal('TRUST_WRONG_REPOSITORY', {
    role,
    message: `${roleText(role)} ${file.signed.version} is not of the repository, kind and dialect of the root`,
    details: {
      expected: { repository: expected?.repository, kind: expected?.kind, dialect: root.dialect },
      found: { repository: found?.repository, kind: found?.kind, dialect: file.dialect },
    },
  });
}
