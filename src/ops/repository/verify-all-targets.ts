/**
 * Every target of a published tree: as a search for it comes to it, and its content as listed.
 *
 * Invariants: one that is listed and not there is told, never passed over; a bin is let go before the next is loaded, so that
 * a repository of any size takes the same memory but for the names of what is not there.
 */
import { parseTargetName } from '../../core/brands.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Task } from '../../core/report.ts';
import type { Verified } from '../../core/verified.ts';
import { isJsonList } from '../../formats/json/json.ts';
import type { TargetFile } from '../../formats/metadata/types.ts';
import { findTarget, loadEveryRole } from '../../trust/find-target.ts';
import type { FoundTarget, LoadedRoles } from '../../trust/find-target.ts';
import type { TrustClient } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { refusalOf, shortList } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';
import { downloadTarget } from './download-target.ts';
import { counted } from './kit-work.ts';
import type { TreeSource } from './tree-source.ts';

/** Where targets are and where verified ones go. */
export interface AllTargetsWork {
  readonly io: Io;
  readonly tree: TreeSource;
  readonly client: TrustClient;
  readonly set: TrustedSet;
  /** The folder for verified targets; undefined to verify them only. */
  readonly out: string | undefined;
}

/** What became of all that is listed. */
export interface AllTargets {
  /** Targets whose content is as listed. */
  readonly verified: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Listed, but not in the tree. */
  readonly missing: readonly string[];
  /** There, but not as listed; or listed so that no client would take it. */
  readonly refused: readonly { readonly name: string; readonly error: SecureevError }[];
}

interface Tally {
  verified: number;
  bytes: number;
  readonly missing: string[];
  readonly refused: { name: string; error: SecureevError }[];
}

/** The checks that it records. */
export type AllTargetsCheckId = 'targets-content' | 'targets-there';

/** Verifies every target of the tree and records what came of it. @throws HTTP_*, FILE_ACCESS, INTERRUPTED */
export async function checkAllTargets(
  book: CheckBook<AllTargetsCheckId>,
  work: AllTargetsWork,
): Promise<AllTargets | undefined> {
  try {
    const all = await verifyAllTargets(work);
    record(book, all);
    return all;
  } catch (thrown) {
    book.fail('targets-content', refusalOf(thrown));
    return undefined;
  }
}

function record(book: CheckBook<AllTargetsCheckId>, { verified, bytes, missing, refused }: AllTargets): void {
  const [first] = refused;
  if (first === undefined) book.pass('targets-content', `${counted(verified, 'target')}, ${bytes} bytes`);
  else {
    const details = { targets: refused.map(({ name }) => name) };
    const told = shortList(refused.map(({ error }) => error.message));
    book.fail('targets-content', failure(first.error.code, told, details));
  }
  if (missing.length === 0) return book.pass('targets-there', 'nothing is missing');
  const what = `${counted(missing.length, 'listed target')} not in the tree, as for images and bundles of confidential releases`;
  book.skip('targets-there', `${what}: ${shortList(missing)}`);
}

async function verifyAllTargets(work: AllTargetsWork): Promise<AllTargets> {
  const tally: Tally = { verified: 0, bytes: 0, missing: [], refused: [] };
  let bins: Task | undefined;
  for await (const loaded of loadEveryRole(work.client, work.set)) {
    await letOthers(work.io.signal);
    if (bins === undefined) await verifyRoles(work, loaded, tally);
    else await verifyListed(work, loaded, { tally, advance: () => undefined });
    bins?.advance(1);
    if (loaded.bins > 0) bins ??= work.io.progress.start('verifying targets in bins', loaded.bins, 'items');
  }
  bins?.done();
  return tally;
}

/** Files in a folder are read at once: without a pause nothing else, not even Ctrl-C, would have its turn. @throws INTERRUPTED */
async function letOthers(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}

/** With progress by bytes. */
async function verifyRoles(work: AllTargetsWork, loaded: LoadedRoles, tally: Tally): Promise<void> {
  const total = listedIn(loaded).reduce((sum, { target }) => sum + target.length, 0);
  const task = work.io.progress.start('verifying targets', total, 'bytes');
  await verifyListed(work, loaded, { tally, advance: task.advance });
  task.done();
}

/** A target as one role lists it. */
interface Listing {
  readonly role: string;
  readonly name: string;
  readonly target: TargetFile;
}

function listedIn({ set, roles }: LoadedRoles): readonly Listing[] {
  return roles.flatMap((role) => {
    const targets = set.targets.get(role)?.file.verified.signed.targets ?? new Map<string, TargetFile>();
    return [...targets].map(([name, target]) => ({ role, name, target }));
  });
}

async function verifyListed(
  work: AllTargetsWork,
  loaded: LoadedRoles,
  { tally, advance }: { tally: Tally; advance: (bytes: number) => void },
): Promise<void> {
  const done = new Set<string>();
  for (const listing of listedIn(loaded)) {
    try {
      const found = await foundFor({ ...work, set: loaded.set }, listing);
      const fresh = found.filter(({ verified: { role, name } }) => !done.has(`${role} ${name}`));
      for (const { verified } of fresh) done.add(`${verified.role} ${verified.name}`);
      for (const one of fresh) await verifyOne({ ...work, set: loaded.set }, one, tally);
    } catch (thrown) {
      tally.refused.push({ name: listing.name, error: refusalOf(thrown) });
    }
    advance(listing.target.length);
  }
}

/**
 * What a search for the name comes to, and where that is another role's, what one for this listing's hardware comes to: several
 * roles may list one name, each for its own hardware. Nothing where no client comes to it, which `--lint` tells.
 */
async function foundFor(
  { client, set }: AllTargetsWork,
  { role, name: text, target }: Listing,
): Promise<readonly Verified<FoundTarget>[]> {
  const name = parseTargetName(text);
  const { found } = await findTarget(client, set, { name });
  const any = found === undefined ? [] : [found];
  if (found?.verified.role === role) return any;
  const listed = target.custom?.get('hardwareIds');
  for (const hardwareId of isJsonList(listed) ? listed : []) {
    if (typeof hardwareId !== 'string') continue;
    const { found: own } = await findTarget(client, set, { name, hardwareId });
    if (own?.verified.role === role) return [...any, own];
  }
  return any;
}

async function verifyOne(work: AllTargetsWork, found: Verified<FoundTarget>, tally: Tally): Promise<void> {
  const { name, target } = found.verified;
  if (!(await isThere(work, found))) return void tally.missing.push(name);
  tally.verified += 1;
  tally.bytes += target.length;
}

async function isThere({ io, tree, set, out }: AllTargetsWork, found: Verified<FoundTarget>): Promise<boolean> {
  const { consistentSnapshot: isConsistent } = set.root.verified.signed;
  try {
    await downloadTarget({ tree, found, isConsistent, out }, io);
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'TRUST_FILE_MISSING')) return false;
    throw thrown;
  }
}
