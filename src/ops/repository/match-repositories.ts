/** The images that a Director names, each found in the Image repository and held against it (U33). */
import type { TargetName } from '../../core/brands.ts';
import type { Verified } from '../../core/verified.ts';
import type { DirectorEntry } from '../../formats/metadata/director-targets.ts';
import { requireMatch, requireSealedMatch } from '../../trust/director.ts';
import { requireTarget } from '../../trust/find-target.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import type { TrustClient } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';

/**
 * Finds each entry for the hardware of each of its ECUs, and its sealed file; gives what was found by name.
 *
 * @throws TRUST_TARGET_NOT_FOUND, TRUST_DIRECTOR_MISMATCH, TRUST_HARDWARE, and those of the search
 */
export async function matchEntries(
  client: TrustClient,
  imageSet: TrustedSet,
  entries: readonly DirectorEntry[],
): Promise<ReadonlyMap<TargetName, Verified<FoundTarget>>> {
  const all = new Map<TargetName, Verified<FoundTarget>>();
  let set = imageSet;
  for (const entry of entries) {
    for (const hardwareId of new Set(entry.ecus.values())) {
      const result = await requireTarget(client, set, { name: entry.name, hardwareId });
      requireMatch(entry, result.found, set.root.verified.dialect);
      all.set(entry.name, result.found);
      set = result.set;
    }
    if (entry.encrypted === undefined) continue;
    const sealed = await requireTarget(client, set, { name: entry.encrypted.name });
    requireSealedMatch(entry.encrypted, sealed.found);
    all.set(entry.encrypted.name, sealed.found);
    set = sealed.set;
  }
  return all;
}
