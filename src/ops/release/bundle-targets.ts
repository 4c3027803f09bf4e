/** A bundle and its images against what verified Targets metadata lists: name, length, hashes, and what is said of them. */
import type { Name, TargetName } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Verified } from '../../core/verified.ts';
import { isJsonList } from '../../formats/json/json.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { TargetFile } from '../../formats/metadata/types.ts';
import type { BundleImage, Manifest } from '../../formats/otap/bundle.ts';
import { requireTarget } from '../../trust/find-target.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import type { TrustSource } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { compareTarget } from '../../trust/target-check.ts';

/** Verified metadata to look targets up in. */
export interface TargetLookup {
  readonly source: TrustSource;
  readonly set: TrustedSet;
}

/** The listed target. @throws TRUST_TARGET_NOT_FOUND and those of the search */
export async function findListed(
  { source, set }: TargetLookup,
  name: TargetName,
  hardwareId: string,
): Promise<Verified<FoundTarget>> {
  return (await requireTarget({ source }, set, { name, hardwareId })).found;
}

/** Demands of the listed bundle that it is this file. @throws TRUST_ARBITRARY_SOFTWARE, TRUST_HASH_UNKNOWN */
export function requireListedBundle(
  { verified }: Verified<FoundTarget>,
  measured: { sizeBytes: number; sha256: Uint8Array },
): void {
  const hashes = new Map([['sha256', toHex(measured.sha256)]]);
  compareTarget(verified.name, verified.target, { length: measured.sizeBytes, hashes });
}

/** Demands that Targets lists every image as the manifest has it. @throws TRUST_* */
export async function requireListedImages(
  lookup: TargetLookup,
  { verified: manifest }: Verified<Manifest>,
): Promise<ReadonlyMap<TargetName, TargetFile>> {
  const listed = new Map<TargetName, TargetFile>();
  for (const image of manifest.images) {
    const { target } = (await findListed(lookup, image.target, image.ecus[0]?.hardwareId ?? '')).verified;
    const hashes = new Map([['sha256', toHex(image.sha256)]]);
    compareTarget(image.target, target, { length: image.sizeBytes, hashes });
    listed.set(image.target, target);
  }
  return listed;
}

/**
 * Demands that gateway, ECUs' hardware, versions and release counters are those that Targets gives.
 *
 * @throws BUNDLE_HARDWARE_MISMATCH, BUNDLE_TARGET_MISMATCH, BUNDLE_IMAGE_MISMATCH
 */
export function requireListedHardware(
  bundle: { found: Verified<FoundTarget>; gateway: Name },
  { verified: manifest }: Verified<Manifest>,
  images: ReadonlyMap<TargetName, TargetFile>,
): void {
  const { name, target, dialect } = bundle.found.verified;
  requireHardware(name, target, bundle.gateway);
  const { release: version, releaseCounter } = manifest;
  const counts = dialectOf(dialect).targetsCount;
  if (counts) requireSaid('BUNDLE_TARGET_MISMATCH', { name, target }, { version, releaseCounter });
  for (const image of manifest.images) requireImage(image, images.get(image.target), counts);
}

/** Where Targets has no versions and counters, those of the manifest stand, which the same role has signed. */
function requireImage(image: BundleImage, target: TargetFile | undefined, counts: boolean): void {
  for (const { hardwareId } of image.ecus) requireHardware(image.target, target, hardwareId);
  if (!counts) return;
  const { version, releaseCounter } = image;
  requireSaid('BUNDLE_IMAGE_MISMATCH', { name: image.target, target }, { version, releaseCounter });
}

function requireHardware(name: TargetName, target: TargetFile | undefined, hardwareId: string): void {
  const listed = target?.custom?.get('hardwareIds');
  if (isJsonList(listed) && listed.includes(hardwareId)) return;
  throw failure('BUNDLE_HARDWARE_MISMATCH', `Targets does not list ${name} for hardware ${hardwareId}`, {
    target: name,
    hardwareId,
  });
}

function requireSaid(
  code: 'BUNDLE_TARGET_MISMATCH' | 'BUNDLE_IMAGE_MISMATCH',
  { name, target }: { name: TargetName; target: TargetFile | undefined },
  said: { version: string; releaseCounter: number },
): void {
  for (const [field, found] of Object.entries(said)) {
    const expected = target?.custom?.get(field);
    if (expected === found) continue;
    throw failure(code, `${name} has ${field} ${found} in the bundle, and another one in Targets`, {
      target: name,
      field,
      found,
    });
  }
}
