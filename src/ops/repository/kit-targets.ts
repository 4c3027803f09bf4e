/** The targets in a kit against what Targets and the delegated roles list. */
import { parseTargetName } from '../../core/brands.ts';
import type { TargetName } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { targetFileName } from '../../trust/file-names.ts';
import { findTarget, requireTarget } from '../../trust/find-target.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import type { TrustSource } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { startTargetCheck } from '../../trust/target-check.ts';
import type { Verified } from '../../core/verified.ts';
import { releaseOf } from './kit-work.ts';
import type { KitWork } from './kit-work.ts';

/** What is in the kit, verified. */
export interface KitTargets {
  /** Names, and their paths within the kit. */
  readonly paths: ReadonlyMap<string, string>;
  /** Paths within the kit of the sealed payloads. */
  readonly sealed: readonly string[];
  /** With every role that was loaded on the way. */
  readonly set: TrustedSet;
}

const FOLDER = 'image/targets/';
/** Its hash before the last segment. */
const CONSISTENT = /^(.*\/)?[0-9a-f]{64,128}\.([^/]+)$/;

/** Verifies every target of the kit. @throws TRUST_*, KIT_FILE_UNKNOWN */
export async function checkKitTargets(
  { io, input, index }: KitWork,
  client: { source: TrustSource; set: TrustedSet },
): Promise<KitTargets> {
  const { source } = client;
  let { set } = client;
  const { consistentSnapshot: isConsistent } = set.root.verified.signed;
  const byName = new Map<string, string>();
  const sealed: string[] = [];
  const paths = index.files.filter((path) => path.startsWith(FOLDER) && !path.endsWith('.sevk'));
  const task = io.progress.start('verifying targets', paths.length, 'items');
  for (const path of paths) {
    const name = nameOf(path, isConsistent);
    const result = await requireTarget({ source }, set, { name });
    ({ set } = result);
    const { target } = result.found.verified;
    if (`${FOLDER}${targetFileName(name, target, isConsistent)}` !== path) throw notListed(path);
    await checkContent(io, `${input.kit}/${path}`, result.found);
    byName.set(name, path);
    if (path.endsWith('.sev')) sealed.push(path);
    task.advance(1);
  }
  task.done();
  return { paths: byName, sealed, set };
}

function nameOf(path: string, isConsistent: boolean): TargetName {
  const within = path.slice(FOLDER.length);
  const [, folder = '', file] = CONSISTENT.exec(within) ?? [];
  if (!isConsistent) return parseTargetName(within);
  if (file === undefined) throw notListed(path);
  return parseTargetName(`${folder}${file}`);
}

function notListed(path: string): Error {
  return failure('KIT_FILE_UNKNOWN', `${path} is not the file that Targets lists under its name`, { path });
}

async function checkContent(io: Io, path: string, { verified }: Verified<FoundTarget>): Promise<void> {
  const check = startTargetCheck({ engine: io.engine, name: verified.name, target: verified.target });
  await using file = await io.files.open(path);
  for await (const chunk of file.stream({ reuse: true })) check.update(chunk);
  check.finish();
}

/**
 * Demands every bundle of the release that signed metadata lists, as it is or sealed.
 *
 * @throws KIT_TARGET_MISSING, TRUST_*
 */
export async function requireRelease(
  work: KitWork,
  { source, targets }: { source: TrustSource; targets: KitTargets },
): Promise<void> {
  const release = releaseOf(work);
  if (release === null) return work.book.pass('release', 'it is of no one release');
  const listed = await bundlesOf(release, source, targets.set);
  if (listed.length === 0) throw failure('KIT_TARGET_MISSING', `Targets lists no bundle of release ${release}`);
  const missing = listed.filter((name) => !targets.paths.has(name) && !targets.paths.has(`${name}.sev`));
  if (missing.length === 0) return work.book.pass('release', `${release}: ${listed.join(', ')}`);
  throw failure('KIT_TARGET_MISSING', `release ${release} is not whole: ${missing.join(', ')} is not there`, {
    missing,
  });
}

/** The roles that may list bundles of the release are those that a search for one comes through. */
async function bundlesOf(release: string, source: TrustSource, before: TrustedSet): Promise<readonly string[]> {
  const prefix = `bundles/${release}/`;
  const { set } = await findTarget({ source }, before, { name: parseTargetName(`${prefix}-.otap`) });
  const files = [...set.targets.values()].map(({ file }) => file.verified.signed);
  const names = files.flatMap(({ targets }) => [...targets.keys()]);
  return [...new Set(names.filter((name) => name.startsWith(prefix) && name.endsWith('.otap')))].sort();
}
