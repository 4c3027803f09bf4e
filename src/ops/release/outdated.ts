/**
 * Releases whose bundles no longer fit what Targets lists: an image of theirs got a higher release counter since, as when
 * another release that has it too was issued again. Vehicles refuse such bundles.
 */
import type { TargetName } from '../../core/brands.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Reader } from '../../store/reader.ts';
import { bundlesOf, releaseImages, releases } from '../../store/releases.ts';
import { findCompleteTarget, findTarget } from '../../store/targets.ts';

/** The images of a release whose counters are above that of its bundles: as complete versions list them, or the next ones. */
export function raisedSince(reader: Reader, release: string, when: 'complete' | 'next'): readonly TargetName[] {
  const find = when === 'complete' ? findCompleteTarget : findTarget;
  // A release's own counter is never below one of its images when its bundles are made.
  const made = Math.min(...bundlesOf(reader, release).map(({ releaseCounter }) => releaseCounter));
  const images = new Set(releaseImages(reader, release).map(({ target }) => target));
  return [...images].filter((target) => Number(find(reader, target)?.custom['releaseCounter'] ?? 0) > made);
}

/** The names of the releases that are made outdated by raising these images, `except` one. */
export function releasesWith(reader: Reader, images: ReadonlySet<string>, except: string): readonly string[] {
  return releases(reader)
    .map(({ name }) => name)
    .filter((name) => name !== except && bundlesOf(reader, name).length > 0)
    .filter((name) => releaseImages(reader, name).some(({ target }) => images.has(target)));
}

/** Demands bundles that fit what is listed. @throws RELEASE_OUTDATED */
export function refuseOutdated(reader: Reader, release: string): void {
  const images = raisedSince(reader, release, 'complete');
  if (images.length === 0) return;
  throw new SecureevError('RELEASE_OUTDATED', {
    message: `release ${release}: ${images.join(', ')} got a higher release counter after its bundles were made: vehicles would refuse them`,
    hint: `build it again: \`secureev package RELEASE.yaml --reissue ${release} --key ...\``,
    details: { release, images },
  });
}
