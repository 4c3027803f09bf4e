/**
 * Verifies the audit log: by itself, and against what published Snapshots have signed of it.
 *
 * A log that was rewritten or shortened since a Snapshot was published no longer has that Snapshot's head at that length.
 */
import { toHex } from '../../core/bytes.ts';
import { formatInstant } from '../../core/brands.ts';
import type { Instant } from '../../core/brands.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import { EMPTY_LOG, verifiedChain } from '../../formats/audit/entry.ts';
import type { ChainedEntry, LogHead } from '../../formats/audit/entry.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../formats/metadata/limits.ts';
import type { Snapshot } from '../../formats/metadata/types.ts';
import { auditChain } from '../../store/audit.ts';
import type { Repository } from '../../store/repository.ts';
import { TRUST_LIMITS } from '../../trust/limits.ts';
import { nextRoot, pinRoot } from '../../trust/root-chain.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { recallRole } from '../../trust/steps.ts';
import { checkBook, refusalFrom, refusalOf } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';
import { readPinnedRoot } from '../release/pinned-trust.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { toldLogs } from '../repository/restore/lost-logs.ts';
import type { ToldLog } from '../repository/restore/lost-logs.ts';

/** What to verify against what. */
export interface VerifyLogInput {
  readonly repository: RepositoryChoice;
  /** A published tree, or its `metadata` folder. */
  readonly anchor?: string | undefined;
  /** Path of the pinned root; without it the anchor's signatures are not verified. */
  readonly root?: string | undefined;
  readonly now: Instant;
  readonly allowSkip: readonly string[];
}

/** What was found. */
export interface VerifyLogAnswer {
  readonly checks: readonly Check[];
  readonly length: number;
  /** Hex. */
  readonly head: string;
  /** Why the log is refused, if it is. */
  readonly refusal: SecureevError | undefined;
}

const TITLES = {
  'log-chain': 'every entry follows from the one before',
  'anchor-signatures': 'the published Snapshot is signed under the pinned root',
  'log-anchor': 'the log holds what the published Snapshots have signed of it',
  'log-restores': 'nothing that the published Snapshots have signed was lost in a restore',
} as const;
type CheckId = keyof typeof TITLES;

/** Verifies the log. @throws what reading the repository and the anchor throw */
export async function verifyLog(input: VerifyLogInput, io: Io): Promise<VerifyLogAnswer> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const book = checkBook<CheckId>(TITLES);
  const snapshots = await anchorSnapshots(io, input, { book, uuid: repository.identity.uuid });
  const anchored = snapshots.flatMap(({ version, extension }) => logOf(version, extension?.log));
  const head = walk(repository, { book, anchored });
  const checks = book.list();
  const refusal = refusalFrom(checks, input.allowSkip);
  return { checks, length: head.length, head: toHex(head.hash), refusal };
}

/** What a Snapshot says of the log: length and head in hex, and the Snapshot's version. */
interface Anchor {
  readonly length: number;
  readonly head: string;
  readonly version: number;
}

function logOf(version: number, log: { length: number; head: string } | undefined): readonly Anchor[] {
  return log === undefined ? [] : [{ ...log, version }];
}

/** Walks the whole log once and compares at every anchored length. */
function walk(
  repository: Repository,
  { book, anchored }: { book: CheckBook<CheckId>; anchored: readonly Anchor[] },
): LogHead {
  const heads = new Map<number, string>(anchored.map(({ length }) => [length, '']));
  const told: ToldLog[] = [];
  let head = EMPTY_LOG;
  try {
    for (const next of verifiedChain(repository.io.engine, listening(auditChain(repository), told))) {
      head = next;
      if (heads.has(head.length)) heads.set(head.length, toHex(head.hash));
    }
    book.pass('log-chain', `${head.length} entries`);
  } catch (thrown) {
    book.fail('log-chain', refusalOf(thrown));
  }
  const missing = anchored.filter((one) => one.length > 0 && heads.get(one.length) !== one.head);
  const explained = missing.filter((one) => isTold(told, one));
  const unexplained = missing.find((one) => !explained.includes(one));
  const found = anchored.length - missing.length;
  if (unexplained !== undefined) book.fail('log-anchor', cut(unexplained, head));
  else if (anchored.length > 0) book.pass('log-anchor', `${found} published heads found${beside(explained.length)}`);
  if (explained.length > 0) tellRestores(book, explained, told);
  else book.pass('log-restores', told.length === 0 ? 'it tells of none' : 'none of these Snapshots is concerned');
  return head;
}

function beside(explained: number): string {
  return explained === 0 ? '' : `, ${explained} told of by a restore`;
}

/** Passes entries on and keeps what restores tell. */
function* listening(entries: Iterable<ChainedEntry>, told: ToldLog[]): Iterable<ChainedEntry> {
  for (const chained of entries) {
    told.push(...toldLogs(chained.entry));
    yield chained;
  }
}

/** Whether a restore has told of exactly this loss, at or before the entry where the log became another one. */
function isTold(told: readonly ToldLog[], { length, head }: Anchor): boolean {
  return told.some((one) => one.length === length && one.head === head && one.position <= length);
}

/** Lost entries are no forgery, but nobody can see any more what they said: whoever verifies has to accept that. */
function tellRestores(book: CheckBook<CheckId>, explained: readonly Anchor[], told: readonly ToldLog[]): void {
  const last = explained.reduce((a, b) => (b.length > a.length ? b : a));
  const by = told.find(({ length, head }) => length === last.length && head === last.head);
  const when = by === undefined ? '' : ` in the restore of ${formatInstant(by.time)} (entry ${by.position})`;
  const lost = `entries ${by?.position ?? 1} to ${last.length}, which snapshot ${last.version} signed, were lost`;
  book.skip('log-restores', `${lost}${when}`);
}

function cut({ length, version }: Anchor, head: LogHead): SecureevError {
  const message =
    length > head.length
      ? `snapshot ${version} signed a log of ${length} entries, here are ${head.length}`
      : `entry ${length} is not the one that snapshot ${version} signed`;
  return failure('AUDIT_REWRITTEN', `the log was rewritten or shortened: ${message}`);
}

/** The Snapshots of the anchor: with a pinned root those that it vouches for, and the newest must be one. */
async function anchorSnapshots(
  io: Io,
  input: VerifyLogInput,
  { book, uuid }: { book: CheckBook<CheckId>; uuid: string },
): Promise<readonly Snapshot[]> {
  if (input.anchor === undefined) {
    book.skip('anchor-signatures', 'no --anchor was given');
    book.skip('log-anchor', 'no --anchor was given');
    return [];
  }
  const folder = await metadataFolder(io, input.anchor);
  const files = await snapshotFiles(io, folder);
  if (files.length === 0) throw failure('FILE_NOT_FOUND', `${folder} holds no published Snapshot`);
  if (input.root === undefined) {
    book.skip('anchor-signatures', 'no pinned root was given');
    const all = files.map((bytes) => decodeRole(bytes, 'snapshot').unverified.signed);
    return all.filter(({ extension }) => extension?.repository === uuid);
  }
  const { root, now } = input;
  const pinned = await readPinnedRoot(io, { root, metadata: folder, now, requireHybrid: false });
  return await verifiedSnapshots(io, { pinned, folder, files, now, book });
}

interface AnchorTree {
  readonly pinned: Uint8Array;
  readonly folder: string;
  /** Newest first. */
  readonly files: readonly Uint8Array[];
  readonly now: Instant;
  readonly book: CheckBook<CheckId>;
}

async function verifiedSnapshots(io: Io, tree: AnchorTree): Promise<readonly Snapshot[]> {
  const { files, book } = tree;
  try {
    const set = await walkRoots(io, tree);
    const [newest, ...older] = files;
    const first = recallRole(set, 'snapshot', newest ?? new Uint8Array()).verified.signed;
    const rest = older.flatMap((bytes) => ifVerified(() => recallRole(set, 'snapshot', bytes).verified.signed));
    book.pass('anchor-signatures', `snapshot ${first.version} under root ${set.root.verified.signed.version}`);
    return [first, ...rest];
  } catch (thrown) {
    book.fail('anchor-signatures', refusalOf(thrown));
    return [];
  }
}

async function walkRoots(io: Io, { pinned, folder, now }: AnchorTree): Promise<TrustedSet> {
  const terms = { requireHybrid: false, kind: 'image', maxStalenessSeconds: 0 } as const;
  let set = pinRoot(pinned, { engine: io.engine, now, limits: TRUST_LIMITS, ...terms });
  for (let walked = 0; walked < TRUST_LIMITS.rootRotationsMax; walked++) {
    const path = `${folder}/${set.root.verified.signed.version + 1}.root.json`;
    if ((await io.files.status(path)) === undefined) return set;
    set = nextRoot(set, await io.files.read(path, TRUST_LIMITS.rootBytesMax));
  }
  return set;
}

/** One signed with keys that the root no longer lists proves nothing any more. */
function ifVerified(recall: () => Snapshot): readonly Snapshot[] {
  try {
    return [recall()];
  } catch (thrown) {
    if (isFailure(thrown, 'TRUST_THRESHOLD') || isFailure(thrown, 'TRUST_HYBRID_THRESHOLD')) return [];
    throw thrown;
  }
}

async function metadataFolder(io: Io, anchor: string): Promise<string> {
  const inside = await io.files.status(`${anchor}/metadata`);
  return inside?.kind === 'folder' ? `${anchor}/metadata` : anchor;
}

/** The numbered Snapshots of a folder, newest first. */
async function snapshotFiles(io: Io, folder: string): Promise<readonly Uint8Array[]> {
  const numbers = (await io.files.list(folder)).flatMap((name) => {
    const match = /^([1-9]\d{0,15})\.snapshot\.json$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  const newestFirst = numbers.sort((a, b) => b - a);
  const files: Uint8Array[] = [];
  for (const number of newestFirst) {
    files.push(await io.files.read(`${folder}/${number}.snapshot.json`, METADATA_BYTES_MAX.snapshot));
  }
  return files;
}
