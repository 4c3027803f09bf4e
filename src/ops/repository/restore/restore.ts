/**
 * A repository from a backup, brought up to what was published since.
 *
 * Invariants: a version that clients may have is never given out again with other content; the repository appears in its
 * folder only when everything was checked; whatever fails, the folder is as it was. The backup may be an attacker's.
 */
import { atPath } from '../../../core/at-path.ts';
import type { Instant } from '../../../core/brands.ts';
import { equalBytes, fromHex, toHex } from '../../../core/bytes.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { LogHead } from '../../../formats/audit/entry.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../../formats/metadata/limits.ts';
import { auditChain } from '../../../store/audit.ts';
import { refuseNetworkFileSystem } from '../../../store/database.ts';
import { objectPath } from '../../../store/objects.ts';
import type { Reader, Tx } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { openRestored } from '../../../store/restored.ts';
import { findRole } from '../../../store/roles.ts';
import { findSetting } from '../../../store/settings.ts';
import { checkSnapshot } from '../../../store/snapshot.ts';
import { completeAt, completeVersions, lastComplete } from '../../../store/versions.ts';
import { takeOverDirector } from './director.ts';
import type { DirectorTaken } from './director.ts';
import { downloadObject } from './download-object.ts';
import { extractBackup, takeAway } from './extract.ts';
import type { Placed } from './extract.ts';
import { knownPublicFiles } from './key-definitions.ts';
import { logSubject, walkLog } from './lost-logs.ts';
import { readPublished } from './published.ts';
import type { PublishedLog, PublishedState } from './published.ts';
import { takeOver, unknownTargets } from './take-over.ts';
import type { TakenVersion, UnknownTarget } from './take-over.ts';

/** Which backup to restore where. */
export interface RestoreInput {
  readonly backup: string;
  readonly folder: string;
  /** The tree that the repository was published to, a folder or URL; undefined where it never was published. */
  readonly published: string | undefined;
  /** The Director's tree, where it is not `director` in the folder `published`. */
  readonly director?: string | undefined;
  /** Nothing of the Director was ever published. */
  readonly directorNeverPublished?: boolean | undefined;
  /** Take a tree that holds less than was published before the backup was made. */
  readonly allowOlderTree?: boolean | undefined;
  /** Path of a pinned root that must be one of the backup's. */
  readonly root: string | undefined;
  readonly dryRun: boolean;
}

/** What was restored. */
export interface RestoreAnswer {
  readonly name: string;
  readonly repository: string;
  /** When the backup was made. */
  readonly created: Instant;
  /** SHA-256 of the root that was believed, hex; null where the backup has none. */
  readonly root: string | null;
  readonly objects: number;
  /** What was published after the backup was made, and was taken over. */
  readonly taken: readonly TakenVersion[];
  /** Targets taken over whose bytes came from the published tree. */
  readonly downloaded: number;
  /** Targets taken over whose bytes are not here: they stay listed, and are published no more from here. */
  readonly withoutBytes: readonly string[];
  /** Entries of the log that published Snapshots have signed and the backup does not hold. */
  readonly lostEntries: number;
  /** Vehicles whose Director files were taken over; null where nothing of a Director was. */
  readonly directorVehicles: number | null;
  /** When the newest published Timestamp expires; null where nothing was published. */
  readonly timestampExpires: Instant | null;
}

/**
 * Restores a repository.
 *
 * @throws REPOSITORY_EXISTS, RESTORE_*, BACKUP_*, AUDIT_BROKEN, AUDIT_REWRITTEN, TRUST_*, DATABASE_NETWORK, DISK_FULL
 */
export async function restoreRepository(input: RestoreInput, io: Io): Promise<RestoreAnswer> {
  const { folder } = input;
  const placed: Placed = { files: [], folders: [] };
  await requireFree(io, folder);
  let keep = false;
  try {
    placed.folders.push(...(await missingFolders(io, folder)));
    await io.files.makeFolder(folder);
    const absolute = await io.files.realPath(folder);
    refuseNetworkFileSystem(absolute);
    const answer = await restoreInto(io, input, { absolute, placed });
    keep = !input.dryRun;
    return answer;
  } finally {
    if (!keep) await takeAway(io.files, placed);
  }
}

/** The folders on the way, and at its end, that are not there yet, outermost first. */
async function missingFolders({ files }: Io, folder: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (
    let at = folder;
    at !== '' && (await files.status(at)) === undefined;
    at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
  ) {
    missing.unshift(at);
  }
  return missing;
}

async function requireFree({ files }: Io, folder: string): Promise<void> {
  if ((await files.status(`${folder}/repo.db`)) !== undefined) {
    throw failure('REPOSITORY_EXISTS', `${folder} holds a repository already`);
  }
  const there = await files.status(folder);
  if (there === undefined || (there.kind === 'folder' && (await files.list(folder)).length === 0)) return;
  throw new SecureevError('RESTORE_OCCUPIED', {
    message: `${folder} is not empty, and a repository is restored to a folder of its own`,
    hint: 'name a folder that does not exist yet',
    details: { folder },
  });
}

interface Place {
  readonly absolute: string;
  readonly placed: Placed;
}

async function restoreInto(io: Io, input: RestoreInput, { absolute, placed }: Place): Promise<RestoreAnswer> {
  const database = `${absolute}/repo.db.restored-${toHex(io.random.bytes(8))}`;
  await using backup = await io.files.open(input.backup);
  const manifest = await atPath(input.backup, () => extractBackup(io, { backup, folder: absolute, database, placed }));
  placed.files.push(`${database}-wal`, `${database}-shm`);
  checkSnapshot(database);
  const facts = await bringUp(io, input, { absolute, placed, database });
  const { name, repository, created, objects } = manifest;
  if (facts.uuid !== repository)
    throw failure('BACKUP_DAMAGED', 'the backup is not usable: it holds another repository');
  if (!input.dryRun) {
    placed.files.push(`${absolute}/repo.db`);
    await io.files.link(database, `${absolute}/repo.db`);
    await io.files.remove(database);
  }
  const { uuid: _, ...found } = facts;
  return { name, repository, created, objects: objects.count, ...found };
}

type Facts = Omit<RestoreAnswer, 'name' | 'repository' | 'created' | 'objects'> & { readonly uuid: string };

/** The connection is closed before the file gets its name: its write-ahead log is folded into it by then. */
async function bringUp(io: Io, input: RestoreInput, place: Place & { database: string }): Promise<Facts> {
  using repository = openRestored(io, place.absolute, place.database);
  const root = findRole(repository, { repository: 'image', name: 'root' });
  const newestRoot = root === undefined ? undefined : lastComplete(repository, root);
  if (input.root !== undefined) await requirePinned(repository, input.root);
  const state = await publishedState(repository, input, newestRoot?.file);
  const { head, lost: logs } = walkLog(io.engine, auditChain(repository), state?.logs ?? []);
  const unknown = state === undefined ? [] : unknownTargets(repository, state);
  const held = state === undefined ? new Set<string>() : await fetchObjects(repository, { state, unknown, ...place });
  const director = await directorTaken(repository, input);
  const taken = repository.transact({ command: 'restore', summary: '' }, (tx) => {
    const own = state === undefined ? [] : takeOver(tx, { state, known: knownPublicFiles(tx), held });
    const over = [...own, ...(director?.roots ?? [])];
    recordRestore(tx, { taken: over, logs, head, vehicles: director?.vehicles ?? 0 });
    return over;
  });
  const withoutBytes = unknown.filter((one) => !held.has(one.sha256)).map(({ name }) => name);
  return {
    uuid: repository.identity.uuid,
    root: newestRoot === undefined ? null : toHex(sha256(io.engine, newestRoot.file)),
    taken,
    withoutBytes,
    downloaded: unknown.length - withoutBytes.length,
    lostEntries: Math.max(0, ...logs.map(({ length }) => length - head.length)),
    directorVehicles: director?.vehicles ?? null,
    timestampExpires: state?.timestamp.envelope.signed.expires ?? null,
  };
}

async function requirePinned(reader: Reader, path: string): Promise<void> {
  const pinned = await reader.io.files.read(path, METADATA_BYTES_MAX.root);
  const { version } = decodeRole(pinned, 'root').unverified.signed;
  const role = findRole(reader, { repository: 'image', name: 'root' });
  const own = role === undefined ? undefined : completeAt(reader, role, version);
  if (own !== undefined && equalBytes(own.file, pinned)) return;
  throw new SecureevError('RESTORE_OTHER', {
    message: `root ${version} of ${path} is none of the backup's roots: the backup is of another repository`,
    details: { found: role === undefined ? [] : completeVersions(reader, role), expected: version },
  });
}

async function publishedState(
  repository: Repository,
  { published, allowOlderTree }: RestoreInput,
  pinnedRoot: Uint8Array | undefined,
): Promise<PublishedState | undefined> {
  if (published === undefined) {
    if (allowOlderTree !== true) refuseNeverPublished(repository, 'published-image');
    return undefined;
  }
  if (pinnedRoot === undefined) {
    throw new SecureevError('RESTORE_ROOT_MISSING', {
      message: 'the backup holds no complete root, so nothing can be said about what was published',
      hint: 'it is older than the first root: begin anew with `secureev init`, or take a later backup',
    });
  }
  const known = (name: string): number => findRole(repository, { repository: 'image', name })?.completeVersion ?? 0;
  const state = await readPublished(repository.io, { place: published, pinnedRoot, known });
  if (allowOlderTree !== true) refuseOlderTree(repository, published, state);
  return state;
}

/** A tree that lacks what had been published by the time of the backup is not the newest, and says nothing of what came after. */
function refuseOlderTree(reader: Reader, place: string, { timestamp }: PublishedState): void {
  const expected = Number(findSetting(reader, 'published-image') ?? 0);
  const found = timestamp.envelope.signed.version;
  if (found >= expected) return;
  throw new SecureevError('RESTORE_TREE_OLDER', {
    message: `${place} holds Timestamp ${found}, and ${expected} had been published when the backup was made`,
    hint: 'name the tree that vehicles read; if there is no newer one any more, say --allow-older-tree',
    details: { found, expected },
  });
}

/** What the backup says was published by then, was. */
function refuseNeverPublished(reader: Reader, setting: 'published-image' | 'published-director'): void {
  if (findSetting(reader, setting) === undefined) return;
  const what = setting === 'published-image' ? 'the Image repository' : 'the Director';
  throw new SecureevError('RESTORE_TREE_OLDER', {
    message: `${what} had been published when the backup was made: what came after must be known, or numbers are given out twice`,
    hint: 'name the tree that vehicles read; if there is none any more, say --allow-older-tree',
  });
}

/** Fetches what the tree still has of the targets that the backup does not know; gives the hashes of what is here now. */
async function fetchObjects(
  repository: Repository,
  { state, unknown, placed }: { state: PublishedState; unknown: readonly UnknownTarget[]; placed: Placed },
): Promise<ReadonlySet<string>> {
  const { io } = repository;
  const held = new Set<string>();
  const task = io.progress.start('fetching published targets', unknown.length, 'items');
  for (const one of unknown) {
    const to = objectPath(repository, fromHex(one.sha256));
    const isHere = held.has(one.sha256) || (await io.files.status(to)) !== undefined;
    if (isHere || (await downloadObject(io, { state, one, to, placed }))) held.add(one.sha256);
    task.advance(1);
  }
  task.done();
  return held;
}

async function directorTaken(repository: Repository, input: RestoreInput): Promise<DirectorTaken | undefined> {
  const { published, director, allowOlderTree, directorNeverPublished = false } = input;
  const isNever = published === undefined || directorNeverPublished;
  if (isNever && allowOlderTree !== true) refuseNeverPublished(repository, 'published-director');
  if (published === undefined) return undefined;
  return await takeOverDirector(repository, { published, director, neverPublished: directorNeverPublished });
}

interface Restored {
  /** Whose Director files were taken over. */
  readonly vehicles: number;
  readonly taken: readonly TakenVersion[];
  readonly logs: readonly PublishedLog[];
  readonly head: LogHead;
}

function recordRestore(tx: Tx, { taken, logs, head, vehicles }: Restored): void {
  const words = taken.map(({ role, before, version }) => `${role} ${version} (was ${before})`);
  const over = words.length === 0 ? 'nothing newer was published' : `taken over as published: ${words.join(', ')}`;
  const last = logs.at(-1);
  const director = vehicles === 0 ? '' : `; the Director's files of ${vehicles} vehicle${vehicles === 1 ? '' : 's'}`;
  const lost = last === undefined ? '' : `; entries ${head.length + 1} to ${last.length} of the log are lost`;
  tx.summarize(`restored from a backup whose log ends at entry ${head.length}: ${over}${director}${lost}`);
  tx.about(...logs.map(logSubject));
  // Even where nothing was taken over, the log says that it was restored.
  tx.sql("UPDATE settings SET value = value WHERE name = 'name'").run();
}
