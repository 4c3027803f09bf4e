/** What the repository learns of a release: staged targets, the release, its images and bundles, the counters it took. */
import type { Name, TargetName } from '../../core/brands.ts';
import type { Manifest } from '../../formats/otap/bundle.ts';
import type { Tx } from '../../store/reader.ts';
import { addPendingBundle, removePendingBundle } from '../../store/pending-bundles.ts';
import {
  addRelease,
  addReleaseImage,
  lastReleaseCounter,
  putBundle,
  takeReleaseCounter,
} from '../../store/releases.ts';
import { findTarget, stageTarget, stageTargetRemoval } from '../../store/targets.ts';
import { bundleFileName } from './bundle-names.ts';
import { ecuScope } from './release-images.ts';
import type { ReleaseImage, ReleaseImages } from './release-images.ts';
import type { ResolvedPlan } from './resolve-plan.ts';
import { sealedTargetName } from './sealed-target.ts';
import { provenanceOf } from './provenance.ts';
import type { WrittenBundle } from './write-bundle.ts';

/** A bundle that was written. */
export interface MadeBundle extends WrittenBundle {
  readonly gateway: Name;
  readonly target: TargetName;
  readonly path: string;
  readonly manifest: Manifest;
  /** SHA-256 of the encoded manifest, 32 bytes. */
  readonly manifestSha256: Uint8Array;
  /** Header (signatures length zeroed) and manifest. */
  readonly parts: Uint8Array;
}

/** What of a release was made. */
export interface MadeRelease {
  readonly images: ReleaseImages;
  readonly bundles: readonly MadeBundle[];
  /** The bundles lack signatures. */
  readonly incomplete: boolean;
  /** The release is known, and issued again. */
  readonly reissue: boolean;
}

/** Records all of a release in one transaction. @throws RELEASE_EXISTS, COUNTER_TAKEN */
export function recordRelease(tx: Tx, resolved: ResolvedPlan, made: MadeRelease): void {
  const { plan } = resolved;
  if (made.reissue) {
    tx.about(`release:${plan.release}`);
  } else {
    const provenance = made.images.images.flatMap((image) => provenanceOf(tx, image) ?? []);
    const recorded = { ...plan, ...(provenance.length > 0 && { provenance }) };
    addRelease(tx, { name: plan.release, model: plan.model, confidential: plan.confidential, plan: recorded });
    for (const { resolved: image } of made.images.images) {
      for (const { id } of image.ecus) addReleaseImage(tx, { release: plan.release, ecu: id, target: image.target });
    }
  }
  takeReleaseCounter(tx, plan.model, made.images.releaseCounter);
  for (const image of made.images.images) recordImage(tx, resolved, image);
  for (const bundle of made.bundles) {
    if (made.incomplete) recordPending(tx, resolved, bundle);
    else recordBundle(tx, resolved.plan, bundle);
  }
}

function recordImage(tx: Tx, { plan }: ResolvedPlan, image: ReleaseImage): void {
  const { resolved, stored, releaseCounter } = image;
  const hardware: readonly string[] = resolved.ecus.map((ecu) => ecu.hardwareId);
  const hardwareIds = [...new Set([...hardware, ...(image.known ?? [])])].sort();
  if (image.known === undefined || image.raised) {
    stageTarget(tx, {
      name: resolved.target,
      length: stored.encoded.sizeBytes,
      sha256: stored.encoded.sha256,
      custom: { hardwareIds, releaseCounter, version: resolved.planned.version },
      confidential: plan.confidential,
      insideBundle: true,
    });
  }
  for (const { id } of resolved.ecus) {
    const scope = ecuScope(plan.model, id);
    if (lastReleaseCounter(tx, scope) < releaseCounter) takeReleaseCounter(tx, scope, releaseCounter);
  }
}

function recordPending(tx: Tx, { plan }: ResolvedPlan, { target, gateway, parts, manifest }: MadeBundle): void {
  removePendingBundle(tx, target);
  addPendingBundle(tx, { target, gateway, parts, release: plan.release, releaseCounter: manifest.releaseCounter });
}

/** What is recorded of a bundle that has all its signatures. */
export interface SignedBundle {
  readonly gateway: Name;
  readonly target: TargetName;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
  readonly manifest: Pick<Manifest, 'releaseCounter'>;
  readonly manifestSha256: Uint8Array;
}

/** Stages a bundle that has all its signatures. @throws TARGET_* */
export function recordBundle(tx: Tx, plan: { release: Name; confidential: boolean }, bundle: SignedBundle): void {
  const { gateway, target, sizeBytes, sha256, manifest, manifestSha256 } = bundle;
  const { releaseCounter } = manifest;
  // What waits for signatures under this name is of an earlier issue: signatures that come for it come too late.
  removePendingBundle(tx, target);
  stageTarget(tx, {
    name: target,
    length: sizeBytes,
    sha256,
    custom: { hardwareIds: [gateway], releaseCounter, version: plan.release },
    confidential: plan.confidential,
  });
  // What was sealed of an earlier issue is not this bundle.
  const sealed = sealedTargetName(target);
  if (findTarget(tx, sealed) !== undefined) stageTargetRemoval(tx, sealed);
  const fileName = bundleFileName(gateway);
  putBundle(tx, {
    target,
    release: plan.release,
    gateway,
    fileName,
    length: sizeBytes,
    sha256,
    manifestSha256,
    releaseCounter,
  });
}
