/**
 * What clients were given: a published tree, verified from a root of the repository's own.
 *
 * Every file that is newer than the backup is taken whole. Expiry does not matter here: what was published once may be on
 * vehicles for ever.
 */
import { instantOf } from '../../../core/brands.ts';
import { equalBytes } from '../../../core/bytes.ts';
import { isFailure, SecureevError } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import type { Verified } from '../../../core/verified.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../../formats/metadata/limits.ts';
import type { Envelope, LogHead, Root, Signed, Snapshot, Targets } from '../../../formats/metadata/types.ts';
import { binName } from '../../../formats/metadata/path-pattern.ts';
import { delegatedPolicy, delegatedRole } from '../../../trust/delegated-policy.ts';
import { metadataFileName } from '../../../trust/file-names.ts';
import type { RolePolicy } from '../../../trust/role-policy.ts';
import type { TrustSource, TrustStore } from '../../../trust/source.ts';
import { rootPolicy } from '../../../trust/state.ts';
import type { TrustedSet } from '../../../trust/state.ts';
import { recallRole } from '../../../trust/steps.ts';
import { loadTargets, updateFrom } from '../../../trust/update.ts';
import { treeSource } from '../tree-source.ts';
import type { TreeSource } from '../tree-source.ts';

/** A published file of a role, and under whom it was verified. */
export interface PublishedRole {
  readonly role: string;
  readonly envelope: Envelope;
  /** Undefined for a role that Snapshot lists and nobody delegates to: no client reads it. */
  readonly policy: RolePolicy | undefined;
}

/** What a Snapshot that was published said of the log. */
export interface PublishedLog extends LogHead {
  readonly snapshot: number;
}

/** What was published. */
export interface PublishedState {
  readonly tree: TreeSource;
  /** From the pinned one on, rising. */
  readonly roots: readonly Envelope<Root>[];
  readonly timestamp: PublishedRole;
  readonly snapshot: PublishedRole;
  /** Targets and delegated roles that are newer than what was asked about; delegators before those they delegate to. */
  readonly targets: readonly PublishedRole[];
  readonly isConsistent: boolean;
  /** What Snapshots from `fromSnapshot` on have signed of the log, as far as they are still there. */
  readonly logs: readonly PublishedLog[];
}

/** What is asked. */
export interface PublishedQuestion {
  /** A folder or URL; an Uptane tree with `image` in it as well as a plain one. */
  readonly place: string;
  readonly pinnedRoot: Uint8Array;
  /** The newest complete version of a role that the backup holds, 0 where it holds none. */
  readonly known: (role: string) => number;
}

/** How many Snapshots are looked at for what they say of the log, the newest first. */
export const SNAPSHOTS_MAX = 10_000;

/** Reads a published tree. @throws TRUST_*, RESTORE_OTHER, HTTP_*, FILE_ACCESS */
export async function readPublished(io: Io, question: PublishedQuestion): Promise<PublishedState> {
  const tree = treeSource(io, await imageTree(io, question.place));
  const source = tree.metadata;
  await requireSameRoot(source, question.pinnedRoot);
  const { store, roots } = rootCollector();
  const start = {
    engine: io.engine,
    pinnedRoot: question.pinnedRoot,
    now: instantOf(0),
    kind: 'image',
    store,
  } as const;
  const set = await updateFrom(source, start).catch((thrown: unknown) => Promise.reject(explained(thrown, question)));
  const { timestamp, snapshot } = set;
  if (timestamp === undefined || snapshot === undefined) throw new RangeError('an update without Timestamp');
  const root = set.root.verified.signed;
  return {
    tree,
    roots,
    timestamp: { role: 'timestamp', envelope: timestamp.verified, policy: rootPolicy(root, 'timestamp') },
    snapshot: { role: 'snapshot', envelope: snapshot.verified, policy: rootPolicy(root, 'snapshot') },
    targets: await newerTargets(source, set, question.known),
    isConsistent: root.consistentSnapshot,
    logs: await logsSince(source, set, question.known('snapshot') + 1),
  };
}

async function imageTree(io: Io, place: string): Promise<string> {
  const folder = place.replace(/(?<=.)\/+$/, '');
  if (/^https?:/i.test(folder)) return folder;
  return (await io.files.status(`${folder}/image/metadata`)) === undefined ? folder : `${folder}/image`;
}

/** The root of that number in the tree, if it is there, is the very one of the backup. @throws RESTORE_OTHER */
async function requireSameRoot(source: TrustSource, pinnedRoot: Uint8Array): Promise<void> {
  const { version } = decodeRole(pinnedRoot, 'root').unverified.signed;
  const there = await source.fetch(metadataFileName('root', version), METADATA_BYTES_MAX.root);
  if (there === undefined || equalBytes(there, pinnedRoot)) return;
  throw new SecureevError('RESTORE_OTHER', {
    message: `the published root ${version} is not the one of the backup: this is another repository's tree`,
    hint: 'name the tree that this repository was published to',
  });
}

/** Keeps every root that the client walks over. */
function rootCollector(): { store: TrustStore; roots: Envelope<Root>[] } {
  const roots: Envelope<Root>[] = [];
  const store: TrustStore = {
    load: () => Promise.resolve(undefined),
    remove: () => Promise.resolve(),
    save: (role, bytes) => {
      if (role === 'root') roots.push(decodeRole(bytes, 'root').unverified);
      return Promise.resolve();
    },
  };
  return { store, roots };
}

function explained(thrown: unknown, { place }: PublishedQuestion): unknown {
  if (!isFailure(thrown, 'TRUST_FILE_MISSING')) return thrown;
  return new SecureevError('TRUST_FILE_MISSING', {
    message: `${place} is no published tree: ${thrown.message}`,
    hint: 'name the tree that this repository was published to; with --never-published if it never was',
    details: thrown.details,
    cause: thrown,
  });
}

/** A role to load. */
interface Step {
  readonly role: string;
  readonly policy: RolePolicy;
}

/** Walks over every delegation, bins included, but loads only what is new or may delegate. */
async function newerTargets(
  source: TrustSource,
  before: TrustedSet,
  known: PublishedQuestion['known'],
): Promise<readonly PublishedRole[]> {
  const listed = listedRoles(before);
  const newer = (role: string): boolean => (listed.get(role) ?? 0) > known(role);
  const found = new Map<string, PublishedRole>();
  const steps: Step[] = [{ role: 'targets', policy: rootPolicy(before.root.verified.signed, 'targets') }];
  const seen = new Set<string>();
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    const { role, policy } = step;
    if (seen.has(role) || !listed.has(role)) continue;
    seen.add(role);
    const loaded = (await loadTargets({ source }, before, { role, policy })).targets.get(role);
    if (loaded === undefined) throw new RangeError(`${role} was not loaded`);
    const { signed } = loaded.file.verified;
    if (newer(role)) found.set(role, { role, envelope: loaded.file.verified, policy });
    for (const name of delegatedNames(signed, newer)) {
      const to = delegatedRole(signed, name);
      if (to !== undefined) steps.push({ role: name, policy: delegatedPolicy({ role, ...loadedAs(loaded) }, to) });
    }
  }
  return [...found.values(), ...(await orphans({ source, listed, seen, newer }))];
}

function loadedAs({ file, isHybrid }: { file: Verified<Envelope<Targets>>; isHybrid: boolean }) {
  return { signed: file.verified.signed, isHybrid };
}

/** Bins delegate to nobody, so that those of them that are not new need no look. */
function delegatedNames({ delegations }: Targets, newer: (role: string) => boolean): readonly string[] {
  const succinct = delegations?.succinct;
  const bins = succinct && Array.from({ length: 2 ** succinct.bitLength }, (_, index) => binName(succinct, index));
  const roles = (delegations?.roles ?? []).flatMap((delegation) => delegation.roles.map(({ name }) => name));
  return [...roles, ...(bins ?? []).filter(newer)];
}

function listedRoles({ snapshot }: TrustedSet): ReadonlyMap<string, number> {
  const meta = snapshot?.verified.signed.meta ?? new Map<string, { version: number }>();
  return new Map([...meta].map(([file, { version }]) => [file.replace(/\.json$/, ''), version]));
}

interface Orphans {
  readonly source: TrustSource;
  readonly listed: ReadonlyMap<string, number>;
  readonly seen: ReadonlySet<string>;
  readonly newer: (role: string) => boolean;
}

/** Roles that are listed though nobody delegates to them: Snapshot has to go on listing them. */
async function orphans({ source, listed, seen, newer }: Orphans): Promise<readonly PublishedRole[]> {
  const found: PublishedRole[] = [];
  for (const [role, version] of listed) {
    if (seen.has(role) || !newer(role)) continue;
    const bytes = await source.fetch(metadataFileName(role, version), METADATA_BYTES_MAX.targets);
    const envelope = bytes === undefined ? undefined : decoded(() => decodeRole(bytes, 'targets').unverified);
    if (envelope?.signed.version === version) found.push({ role, envelope, policy: undefined });
  }
  return found;
}

function decoded<T extends Signed>(decode: () => Envelope<T>): Envelope<T> | undefined {
  try {
    return decode();
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    return undefined;
  }
}

async function logsSince(source: TrustSource, set: TrustedSet, from: number): Promise<readonly PublishedLog[]> {
  const newest = set.snapshot?.verified.signed;
  if (newest === undefined) return [];
  const logs: PublishedLog[] = [];
  for (let version = newest.version - 1; version >= Math.max(from, newest.version - SNAPSHOTS_MAX); version--) {
    const bytes = await source.fetch(metadataFileName('snapshot', version), METADATA_BYTES_MAX.snapshot);
    const older = bytes && decoded(() => recallRole(set, 'snapshot', bytes).verified);
    if (older !== undefined) logs.push(...logOf(older.signed));
  }
  return [...logOf(newest), ...logs].toReversed();
}

function logOf({ version, extension }: Snapshot): readonly PublishedLog[] {
  return extension?.log === undefined ? [] : [{ ...extension.log, snapshot: version }];
}
