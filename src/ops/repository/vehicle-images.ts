/** The files themselves: an image as an ECU checks it, and a download of what the Director names. */
import type { TargetName } from '../../core/brands.ts';
import type { Io } from '../../core/ports.ts';
import type { Verified } from '../../core/verified.ts';
import type { TargetFile } from '../../formats/metadata/types.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import { refusal } from '../../trust/refusal.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { startTargetCheck } from '../../trust/target-check.ts';
import { downloadTarget } from './download-target.ts';
import type { Downloaded } from './download-target.ts';
import type { TreeSource } from './tree-source.ts';

/** What an image must be, by each repository that lists it. */
export interface ListedImage {
  readonly name: TargetName;
  readonly targets: readonly TargetFile[];
}

/** Checks length and every known hash of a file in one pass (U38). @throws TRUST_ARBITRARY_SOFTWARE, TRUST_ENDLESS_DATA */
export async function checkImageFile(io: Io, path: string, { name, targets }: ListedImage): Promise<void> {
  const checks = targets.map((target) => startTargetCheck({ engine: io.engine, name, target }));
  await using file = await io.files.open(path);
  for await (const chunk of file.stream({ reuse: true })) {
    for (const check of checks) check.update(chunk);
  }
  for (const check of checks) check.finish();
}

/** What to download, for whom. */
export interface AssignedDownload {
  readonly tree: TreeSource;
  readonly set: TrustedSet;
  /** What the Director names, as it was matched: a search of its own might end at another role, for other hardware. */
  readonly matched: ReadonlyMap<TargetName, Verified<FoundTarget>>;
  /** An image of the Director's, or its sealed file. */
  readonly name: TargetName;
  readonly out: string | undefined;
}

/** Downloads what the Director names, verified. @throws TRUST_NO_ENTRY, and what downloading throws */
export async function fetchAssigned(wanted: AssignedDownload, io: Io): Promise<Downloaded> {
  const { tree, set, matched, name, out } = wanted;
  const found = matched.get(name);
  if (found === undefined) throw notAssigned(name);
  return await downloadTarget({ tree, found, isConsistent: set.root.verified.signed.consistentSnapshot, out }, io);
}

function notAssigned(name: TargetName) {
  return refusal('TRUST_NO_ENTRY', {
    role: 'targets',
    message: `the Director does not name ${name} for this vehicle`,
    details: { target: name },
  });
}
