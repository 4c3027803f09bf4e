/**
 * The images of a release made ready: found, stored on scratch space, given release counters.
 *
 * Invariants: a target name never gets other content; counters of a model only rise; an image that was a target before
 * keeps its counter.
 */
import { parseVersion, quote } from '../../core/brands.ts';
import type { Name, TargetName, Version } from '../../core/brands.ts';
import { equalBytes } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { StoredPayload } from '../../formats/otap/writer.ts';
import { hasObject, objectPath } from '../../store/objects.ts';
import type { Reader } from '../../store/reader.ts';
import { lastReleaseCounter } from '../../store/releases.ts';
import { findCompleteTarget, findTarget, highestCounters } from '../../store/targets.ts';
import type { ListedTarget, Target } from '../../store/targets.ts';
import type { ResolvedImage, ResolvedPlan } from './resolve-plan.ts';
import { storeImage } from './store-image.ts';
import type { StorageOptions, StoredImage } from './store-image.ts';

/** An image of a release, stored and numbered. */
export interface ReleaseImage {
  readonly resolved: ResolvedImage;
  readonly stored: StoredImage;
  /** Where its clear bytes are. */
  readonly path: string;
  readonly releaseCounter: Version;
  /** Hardware ids that the same target was listed or staged with before; undefined where it is new. */
  readonly known: readonly string[] | undefined;
  /** It was listed before, and is to be listed again with this counter. */
  readonly raised: boolean;
}

/** Where images are, and which of them get a new counter although they are known. */
export interface ImageSources {
  readonly planFolder: string;
  readonly raised?: ReadonlySet<TargetName> | undefined;
}

/** All of them, and the release's own counter. Disposing frees the scratch space. */
export interface ReleaseImages extends AsyncDisposable {
  readonly images: readonly ReleaseImage[];
  readonly releaseCounter: Version;
}

/** @throws RELEASE_SOURCE_MISSING, RELEASE_TARGET_*, YAML_PATH_REFUSED, COUNTER_TAKEN, and those of {@link storeImage} */
export async function storeImages(
  reader: Reader,
  resolved: ResolvedPlan,
  options: StorageOptions & ImageSources,
): Promise<ReleaseImages> {
  const images: ReleaseImage[] = [];
  const dispose = async (): Promise<void> => {
    for (const { stored } of images) await stored[Symbol.asyncDispose]();
  };
  const { model } = resolved.plan;
  const next = lastReleaseCounter(reader, model) + 1;
  const highest = highestCounters(reader, new Set(resolved.images.flatMap(hardwareIdsFor)));
  try {
    for (const image of resolved.images)
      images.push(await readyImage(reader, image, { ...options, next: nextCounter(image, next, highest), model }));
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
  const own = Math.max(next, ...images.map((image) => image.releaseCounter));
  return { images, releaseCounter: parseVersion(own, 'release counter'), [Symbol.asyncDispose]: dispose };
}

/** The release's own, `next`, or above all that others list for the hardware of an image: single targets, deliveries. */
function nextCounter(image: ResolvedImage, next: number, highest: ReadonlyMap<string, number>): number {
  return Math.max(next, ...hardwareIdsFor(image).map((id) => (highest.get(id) ?? 0) + 1));
}

function hardwareIdsFor({ ecus }: ResolvedImage): readonly string[] {
  return ecus.map(({ hardwareId }) => hardwareId);
}

async function readyImage(
  reader: Reader,
  resolved: ResolvedImage,
  options: StorageOptions & ImageSources & { next: number; model: string },
): Promise<ReleaseImage> {
  const known = findTarget(reader, resolved.target);
  const raised = known !== undefined && options.raised?.has(resolved.target) === true;
  if (resolved.planned.source.kind === 'target') requireFitting(resolved, known, raised);
  const path = await sourcePath(reader, resolved, { known, planFolder: options.planFolder });
  const stored = await storeImage(reader.io, path, options);
  try {
    // A name that is only staged for removal is still signed with the content it had.
    for (const listed of [known, findCompleteTarget(reader, resolved.target)]) {
      if (listed !== undefined && !equalBytes(listed.sha256, stored.encoded.sha256)) throw changed(resolved);
    }
    const releaseCounter = raised
      ? parseVersion(options.next, 'release counter')
      : counterOf(reader, resolved, { ...options, known });
    return { resolved, stored, path, releaseCounter, known: known && hardwareOf(known), raised };
  } catch (thrown) {
    await stored[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function sourcePath(
  reader: Reader,
  { planned }: ResolvedImage,
  { known, planFolder }: { known: Target | undefined; planFolder: string },
): Promise<string> {
  const { source, place } = planned;
  if (source.path !== undefined) return pathBelow(reader.io, { planFolder, path: source.path, place });
  if (known !== undefined && (await hasObject(reader, known.sha256))) return objectPath(reader, known.sha256);
  throw new SecureevError('RELEASE_SOURCE_MISSING', {
    message: `${place}: the repository has no bytes of target ${source.kind === 'target' ? source.name : source.path}`,
    hint: 'confidential images are not kept: name the file beside the target, or give the release plan with its files',
  });
}

/** A symbolic link must not lead out of the plan's folder. @throws YAML_PATH_REFUSED */
async function pathBelow(io: Io, at: { planFolder: string; path: string; place: string }): Promise<string> {
  const path = `${at.planFolder}/${at.path}`;
  if ((await io.files.status(path)) === undefined) return path;
  const folder = await io.files.realPath(at.planFolder);
  const real = await io.files.realPath(path);
  if (real.startsWith(folder === '/' ? folder : `${folder}/`)) return path;
  throw failure('YAML_PATH_REFUSED', `${at.place}: ${at.path} leads out of the plan's folder, to ${quote(real)}`, {
    place: at.place,
    path: at.path,
  });
}

/** A target that is packaged as it is listed: signed where others sign it, for this version and the hardware of all that get it. */
function requireFitting(
  { planned, target, ecus }: ResolvedImage,
  known: ListedTarget | undefined,
  raised: boolean,
): void {
  const { place, version } = planned;
  if (known === undefined) {
    throw failure('RELEASE_SOURCE_MISSING', `${place}: the repository has no target ${target}`, { target });
  }
  if (!known.complete && known.role !== 'targets' && !raised) {
    const message = `${place}: target ${target} is staged, but in no complete Targets: ${known.role} is to be signed first`;
    throw failure('RELEASE_TARGET_INCOMPLETE', message, { target, role: known.role });
  }
  const listedVersion = known.custom['version'];
  if (listedVersion !== undefined && listedVersion !== version) {
    throw unfit(target, `${place}: target ${target} is version ${JSON.stringify(listedVersion)}, not ${version}`);
  }
  const hardware = hardwareOf(known);
  const other = ecus.find(({ hardwareId }) => !hardware.includes(hardwareId));
  if (other === undefined) return;
  const text = `ECU ${other.id} is hardware ${other.hardwareId}, target ${target} is for ${hardware.join(', ') || 'none'}`;
  throw unfit(target, `${place}: ${text}`);
}

function unfit(target: TargetName, message: string): SecureevError {
  return failure('RELEASE_TARGET_UNFIT', message, { target });
}

function hardwareOf({ custom }: Target): readonly string[] {
  return Array.isArray(custom['hardwareIds']) ? custom['hardwareIds'].map(String) : [];
}

function changed({ planned, target }: ResolvedImage): SecureevError {
  return new SecureevError('RELEASE_TARGET_CHANGED', {
    message: `${planned.place}: target ${target} exists with other content`,
    hint: 'new content needs a new version',
    details: { target },
  });
}

function counterOf(
  reader: Reader,
  { planned, ecus }: ResolvedImage,
  { known, next, model }: { known: Target | undefined; next: number; model: string },
): Version {
  const before = typeof known?.custom['releaseCounter'] === 'number' ? known.custom['releaseCounter'] : undefined;
  const counter = planned.releaseCounter ?? before ?? next;
  if (before !== undefined && counter !== before) {
    throw failure('COUNTER_TAKEN', `${planned.place}: this target has the release counter ${before} already`);
  }
  for (const { id } of ecus) {
    const last = lastReleaseCounter(reader, ecuScope(model, id));
    if (counter < last || (counter === last && before === undefined)) {
      throw failure('COUNTER_TAKEN', `${planned.place}: ECU ${id} had the release counter ${last}`, { last });
    }
  }
  return parseVersion(counter, 'release counter');
}

/** The stored image for the bundle of `gateway`, which is made in the order of `gateways`. */
export function payloadFor(
  { resolved, stored }: ReleaseImage,
  gateway: Name,
  gateways: readonly Name[],
): StoredPayload {
  const last = gateways.findLast((id) => resolved.ecus.some((ecu) => ecu.gateway === id));
  return stored.payload({ last: gateway === last });
}

/** Where the last counter of an ECU of a model is kept. */
export function ecuScope(model: string, ecu: string): string {
  return `${model}/${ecu}`;
}
