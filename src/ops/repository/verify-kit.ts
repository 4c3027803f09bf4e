/**
 * `verify kit`: a kit under pinned roots, offline, as a list of named checks. See `formats/kit/FORMAT.md`.
 *
 * Invariants: nothing is written; the index is never believed; an expired Timestamp or Snapshot passes for as long as was
 * said and is told, nothing else that has expired does.
 */
import { formatInstant } from '../../core/brands.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import { updateFrom } from '../../trust/update.ts';
import { checkBook, refusalFrom } from '../release/check-book.ts';
import { readPinnedRoot } from '../release/pinned-trust.ts';
import { checkKitDirector } from './kit-director-check.ts';
import { checkEnvelopes } from './kit-envelopes.ts';
import { readKit } from './kit-files.ts';
import { checkKitTargets, requireRelease } from './kit-targets.ts';
import type { KitTargets } from './kit-targets.ts';
import { attempt, counted, KIT_CHECKS, staleRoles, staleText } from './kit-work.ts';
import type { KitCheckId, KitWork, VerifyKitInput } from './kit-work.ts';
import { attemptChain, passChain } from './metadata-checks.ts';
import { treeSource } from './tree-source.ts';

/** What was found. */
export interface KitVerdict {
  readonly checks: readonly Check[];
  readonly refusal: SecureevError | undefined;
  readonly release: string | null;
  /** Names of the targets that are there and good. */
  readonly targets: readonly string[];
  /** Of the roles that have expired and passed all the same. */
  readonly stale: readonly string[];
}

/** Verifies a kit; one that is not good is a verdict, not an exception. @throws FILE_*, ROOT_INSIDE_TREE, INTERRUPTED */
export async function verifyKit(input: VerifyKitInput, io: Io): Promise<KitVerdict> {
  const pinnedRoot = await pinned(io, input, input.root);
  const directorRoot = input.directorRoot === undefined ? undefined : await pinned(io, input, input.directorRoot);
  const isThere = (await io.files.status(`${input.kit}/director`)) !== undefined;
  const { director, ...titles } = KIT_CHECKS;
  const book = checkBook<KitCheckId>(isThere || directorRoot !== undefined ? { ...titles, director } : titles);
  const index = await attempt(book, 'files', () => readKit(io.files, input.kit));
  const found =
    index === undefined
      ? undefined
      : await checkContent({ io, input, book, index, named: new Set(index.files) }, { pinnedRoot, directorRoot });
  const checks = book.list();
  return {
    checks,
    refusal: refusalFrom(checks, input.allowSkip),
    release: input.release ?? index?.release ?? null,
    targets: [...(found?.targets?.paths.keys() ?? [])],
    stale: found?.stale ?? [],
  };
}

async function pinned(io: Io, { kit, now, requireHybrid }: VerifyKitInput, root: string): Promise<Uint8Array> {
  return await readPinnedRoot(io, { root, metadata: kit, now, requireHybrid });
}

interface Roots {
  readonly pinnedRoot: Uint8Array;
  readonly directorRoot: Uint8Array | undefined;
}

async function checkContent(
  work: KitWork,
  { pinnedRoot, directorRoot }: Roots,
): Promise<{ targets: KitTargets | undefined; stale: readonly string[] } | undefined> {
  const { io, input, book, index } = work;
  book.pass('files', `${counted(index.files.length, 'file')}, made ${formatInstant(index.created)}`);
  const source = treeSource(io, `${input.kit}/image`).metadata;
  const { now, requireHybrid, maxStalenessSeconds } = input;
  const request = { engine: io.engine, pinnedRoot, now, requireHybrid, maxStalenessSeconds, kind: 'image' } as const;
  const ids = { metadata: 'metadata', expiry: 'expiry', hybrid: 'hybrid' } as const;
  const set = await attemptChain(book, ids, () => updateFrom(source, request));
  if (set === undefined) return undefined;
  passChain(book, ids, set);
  const stale = staleRoles(set);
  if (stale.length > 0) book.pass('expiry', staleText(stale, maxStalenessSeconds));
  const targets = await attempt(book, 'targets', () => checkKitTargets(work, { source, set }));
  if (targets === undefined) return { targets, stale };
  book.pass('targets', counted(targets.paths.size, 'target'));
  await attempt(book, 'release', () => requireRelease(work, { source, targets }));
  await attempt(book, 'envelopes', () => checkEnvelopes(work, targets));
  const directorStale = await checkKitDirector(work, { source, targets, directorRoot });
  return { targets, stale: [...stale, ...directorStale] };
}
