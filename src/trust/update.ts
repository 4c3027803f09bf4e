/**
 * The client workflow: from a pinned root to Targets, in the order and by the rules of the specification.
 *
 * T1 `now` is fixed by the caller, once. T2, T3, T4 roots: `root-chain.ts`. T5, T6, T7 Timestamp, Snapshot, Targets:
 * `steps.ts`. T8 delegations: `find-target.ts`. T10 each file is saved as soon as it is verified, before the next is
 * fetched; what is stored is taken again only if it passes every rule again.
 *
 * @see TUF 1.0.34 section 5; Uptane 2.1.0 section 5.4.4
 */
import type { Instant } from '../core/brands.ts';
import { equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { dialectOf } from '../formats/metadata/index.ts';
import type { RepositoryKind } from '../formats/metadata/types.ts';
import { TRUST_LIMITS } from './limits.ts';
import type { TrustLimits } from './limits.ts';
import { bytesToFetch } from './listed-file.ts';
import { refusal } from './refusal.ts';
import { nextRoot, pinRoot, requireFinalRoot, resumeRoot, rotatesOnlineKeys } from './root-chain.ts';
import type { RolePolicy } from './role-policy.ts';
import { fetchIfThere, fetchListed, NO_STORE } from './source.ts';
import type { TrustClient, TrustSource, TrustStore } from './source.ts';
import { rootPolicy } from './state.ts';
import type { TrustedSet } from './state.ts';
import { listedTargets, recallRole, takeSnapshot, takeTargets, takeTimestamp } from './steps.ts';
import type { SeenBefore } from './steps.ts';

/** What an update starts from. */
export interface UpdateRequest {
  readonly engine: EngineName;
  /** A root handed over out of band, never one of the tree itself. */
  readonly pinnedRoot: Uint8Array;
  readonly now: Instant;
  readonly limits?: Partial<TrustLimits> | undefined;
  readonly store?: TrustStore | undefined;
  /** Demand hybrid signatures; a hybrid pinned root demands them by itself. */
  readonly requireHybrid?: boolean | undefined;
  readonly kind?: RepositoryKind | undefined;
  /** For kits: how long after expiry Timestamp and Snapshot still pass; 0 by default. */
  readonly maxStalenessSeconds?: number | undefined;
}

/**
 * Verifies a repository up to its top-level Targets.
 *
 * @throws TRUST_*, METADATA_*, JSON_*, and what source and store throw
 */
export async function updateFrom(source: TrustSource, request: UpdateRequest): Promise<TrustedSet> {
  const { set } = await updateToSnapshot(source, request);
  return loadTopTargets({ source, store: request.store }, set);
}

/** A set up to its Snapshot. */
export interface UpToSnapshot {
  readonly set: TrustedSet;
  /** Whether the Snapshot is, byte for byte, the one of an earlier update. */
  readonly isUnchanged: boolean;
}

/** Verifies a repository up to its Snapshot. @throws as {@link updateFrom} */
export async function updateToSnapshot(source: TrustSource, request: UpdateRequest): Promise<UpToSnapshot> {
  const client: Client = { source, store: request.store ?? NO_STORE };
  const set = await updateRoot(source, request);
  const seen = await recall(client, set);
  const withTimestamp = await updateTimestamp(client, set, seen);
  const withSnapshot = await updateSnapshot(client, withTimestamp, seen);
  const [before, now] = [seen.snapshot, withSnapshot.snapshot].map((file) => file?.verified.bytes);
  const isUnchanged = before !== undefined && now !== undefined && equalBytes(before, now);
  return { set: withSnapshot, isUnchanged };
}

/** Walks the roots to an unexpired last one. @throws as {@link updateFrom} */
export async function updateRoot(source: TrustSource, request: UpdateRequest): Promise<TrustedSet> {
  const client: Client = { source, store: request.store ?? NO_STORE };
  const set = await walkRoots(client, await firstRoot(client, request));
  requireFinalRoot(set);
  return set;
}

/** Loads the top-level Targets that the set's Snapshot lists. @throws as {@link updateFrom} */
export async function loadTopTargets(client: TrustClient, set: TrustedSet): Promise<TrustedSet> {
  return loadTargets(client, set, { role: 'targets', policy: rootPolicy(set.root.verified.signed, 'targets') });
}

type Client = Required<TrustClient> & { readonly store: TrustStore };

/** The pinned root, or the last one that this client's earlier updates had walked to. */
async function firstRoot(client: Client, request: UpdateRequest): Promise<TrustedSet> {
  const pinned = pinRoot(request.pinnedRoot, {
    engine: request.engine,
    now: request.now,
    limits: { ...TRUST_LIMITS, ...request.limits },
    requireHybrid: request.requireHybrid ?? false,
    kind: request.kind,
    maxStalenessSeconds: request.maxStalenessSeconds ?? 0,
  });
  const stored = await storedRoot(client, pinned);
  if (stored !== undefined && stored.root.verified.signed.version > pinned.root.verified.signed.version) return stored;
  if (stored === undefined || !equalBytes(stored.root.verified.bytes, request.pinnedRoot)) {
    await saveRoot(client, stored ?? pinned, pinned);
  }
  return pinned;
}

/** The stored root, undefined where it is missing or no longer passes; one of another repository is refused. */
async function storedRoot(client: Client, pinned: TrustedSet): Promise<TrustedSet | undefined> {
  const bytes = await client.store.load('root');
  if (bytes === undefined) return undefined;
  // What was just verified as the pinned root need not be verified again.
  if (equalBytes(bytes, pinned.root.verified.bytes)) return pinned;
  return orUndefined(() => resumeRoot(pinned, bytes));
}

/** What verifies, or undefined; a bug is thrown on, and so is a file of another repository. */
function orUndefined<T>(verify: () => T): T | undefined {
  try {
    return verify();
  } catch (thrown) {
    if (!isFailure(thrown) || isFailure(thrown, 'INTERNAL') || isFailure(thrown, 'TRUST_WRONG_REPOSITORY'))
      throw thrown;
    return undefined;
  }
}

async function walkRoots(client: Client, first: TrustedSet): Promise<TrustedSet> {
  const { rootBytesMax: maxBytes, rootRotationsMax } = first.terms.limits;
  let set = first;
  for (let rotations = 0; ; rotations++) {
    const version = set.root.verified.signed.version + 1;
    const bytes = await fetchIfThere(client.source, { role: 'root', version, maxBytes });
    if (bytes === undefined) return set;
    if (rotations === rootRotationsMax) throw tooManyRoots(rootRotationsMax);
    const next = nextRoot(set, bytes);
    await saveRoot(client, set, next);
    set = next;
  }
}

function tooManyRoots(limit: number) {
  return refusal('TRUST_LIMIT', {
    role: 'root',
    message: `there are over ${limit} roots after the trusted one`,
    hint: 'pin a newer root',
    details: { limit },
  });
}

/** Saves a root; where it takes an online key away, what was seen under that key goes first (T4). */
async function saveRoot({ store }: Client, before: TrustedSet, after: TrustedSet): Promise<void> {
  if (rotatesOnlineKeys(before.root, after.root)) {
    await store.remove('timestamp');
    await store.remove('snapshot');
  }
  await store.save('root', after.root.verified.bytes);
}

/** What earlier updates have verified and the root's keys still vouch for. */
async function recall({ store }: Client, set: TrustedSet): Promise<SeenBefore> {
  const [timestamp, snapshot] = [await store.load('timestamp'), await store.load('snapshot')];
  return {
    timestamp: timestamp && orUndefined(() => recallRole(set, 'timestamp', timestamp)),
    snapshot: snapshot && orUndefined(() => recallRole(set, 'snapshot', snapshot)),
  };
}

async function updateTimestamp(client: Client, set: TrustedSet, seen: SeenBefore): Promise<TrustedSet> {
  const maxBytes = set.terms.limits.timestampBytesMax;
  const bytes = await fetchListed(client.source, { role: 'timestamp', version: undefined, maxBytes });
  const next = takeTimestamp(set, bytes, seen.timestamp);
  if (next.timestamp !== seen.timestamp) await client.store.save('timestamp', bytes);
  return next;
}

async function updateSnapshot(client: Client, set: TrustedSet, seen: SeenBefore): Promise<TrustedSet> {
  const stored = seen.snapshot?.verified.bytes;
  const known = stored && orUndefined(() => takeSnapshot(set, stored, seen.snapshot));
  if (known !== undefined) return known;
  const listed = set.timestamp?.verified.signed.snapshot;
  if (listed === undefined) return set;
  const bytes = await fetchListed(client.source, {
    role: 'snapshot',
    version: isConsistent(set) ? listed.version : undefined,
    maxBytes: bytesToFetch(listed, set.terms.limits.snapshotBytesMax),
  });
  const next = takeSnapshot(set, bytes, seen.snapshot);
  await client.store.save('snapshot', bytes);
  return next;
}

function isConsistent(set: TrustedSet): boolean {
  return set.root.verified.signed.consistentSnapshot;
}

/**
 * Loads Targets or a delegated role: from the store where that is what Snapshot lists, else from the source.
 *
 * @throws as {@link takeTargets}, and what source and store throw
 */
export async function loadTargets(
  { source, store = NO_STORE }: TrustClient,
  set: TrustedSet,
  { role, policy }: { readonly role: string; readonly policy: RolePolicy },
): Promise<TrustedSet> {
  const listed = listedTargets(set, role);
  const stored = await store.load(role);
  const known = stored && orUndefined(() => takeTargets(set, { role, policy, bytes: stored }));
  if (known !== undefined) return known;
  const isDelegated = role !== 'targets';
  const bytes = await fetchListed(source, {
    role,
    folder: isDelegated ? dialectOf(set.root.verified.dialect).delegationsFolder : '',
    version: isConsistent(set) ? listed.version : undefined,
    maxBytes: bytesToFetch(listed, set.terms.limits.targetsBytesMax),
  });
  const next = takeTargets(set, { role, policy, bytes });
  await store.save(role, bytes);
  return next;
}
