/**
 * `verify repository --vehicle`: what one vehicle is to install, under the Director and the Image repository together, as
 * its Primary does it; and `--partial`, as an ECU does it that has the Director's Targets alone.
 *
 * Order (U29): time; Director's root, Timestamp, Snapshot (unchanged: the end, and a good one), Targets; the Image
 * repository's root, Timestamp, Snapshot, Targets; the match; what the vehicle has; the files themselves.
 *
 * @see Uptane 2.1.0 sections 5.4.4.2 and 5.4.4.8
 */
import { formatInstant } from '../../core/brands.ts';
import type { TargetName, Vin } from '../../core/brands.ts';
import type { SecureevError } from '../../core/errors.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import type { Verified } from '../../core/verified.ts';
import type { DirectorEntry } from '../../formats/metadata/director-targets.ts';
import { decodeInstalled } from '../../formats/installed.ts';
import { YAML_BYTES_MAX } from '../../formats/yaml.ts';
import { requireEntry, requireKnownEcus, requireOneRepository } from '../../trust/director.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { updateFrom } from '../../trust/update.ts';
import { checkBook, refusalFrom, refusalOf } from '../release/check-book.ts';
import type { CheckBook } from '../release/check-book.ts';
import { readPinnedRoot } from '../release/pinned-trust.ts';
import { storeBelow } from './client-state.ts';
import type { Downloaded } from './download-target.ts';
import { matchEntries } from './match-repositories.ts';
import { attemptChain, passChain } from './metadata-checks.ts';
import { isUrl, treeSource } from './tree-source.ts';
import { DIRECTOR_CHECKS, UNCHANGED, verifyDirector, verifyDirectorPartly } from './verify-director.ts';
import type { DirectorCheckId, DirectorInput, DirectorView } from './verify-director.ts';
import { checkImageFile, fetchAssigned } from './vehicle-images.ts';
import {
  readMarker,
  requireLaterTime,
  requireOwnState,
  snapshotDigest,
  treesDigest,
  writeMarker,
} from './vehicle-marker.ts';
import type { VehicleMarker } from './vehicle-marker.ts';

/** The checks, in their order; those of a part that was not asked for are left out. */
export const VEHICLE_CHECKS = {
  time: 'one time for every check, not before that of the last run',
  ...DIRECTOR_CHECKS,
  metadata: 'Image: metadata chain from its trusted root to Targets, nothing going back',
  expiry: 'Image: metadata is unexpired',
  hybrid: 'Image: post-quantum thresholds where its root demands them',
  match: 'both repositories say the same of every image, and it is for the hardware of its ECUs',
  installed: 'every ECU is one of the vehicle, and none goes back',
  ecu: 'the Director has an image for the ECU',
  'image-content': 'length and every hash of the image file',
  'target-content': 'length and hashes of the downloaded target are those listed',
} as const;

/** The id of a check of {@link VEHICLE_CHECKS}. */
export type VehicleCheckId = keyof typeof VEHICLE_CHECKS;

/** The Image repository to hold against the Director's choice. */
export interface ImageSide {
  /** A folder or URL. */
  readonly tree: string;
  /** Path of its pinned root. */
  readonly root: string;
}

/** What to verify, and under what. */
export interface VerifyVehicleInput extends DirectorInput {
  /** Path of the Director's pinned root. */
  readonly directorRoot: string;
  /** Undefined for partial verification. */
  readonly image: ImageSide | undefined;
  /** Path of the list of what the vehicle has and runs. */
  readonly installed: string | undefined;
  /** The one ECU in question, as the Director names it. */
  readonly ecu: string | undefined;
  /** Path of an image to check as that ECU would. */
  readonly imageFile: string | undefined;
  /** A target of the Director's, or its sealed file, to download. */
  readonly target: TargetName | undefined;
  /** Where it goes. */
  readonly out: string | undefined;
}

/** What was found. */
export interface VehicleVerdict {
  readonly checks: readonly Check[];
  /** Why the view is refused; undefined where it is good. */
  readonly refusal: SecureevError | undefined;
  readonly vin: Vin;
  readonly vehicleId: string | undefined;
  readonly director: TrustedSet | undefined;
  readonly imageSet: TrustedSet | undefined;
  /** Whether there is nothing new since the last complete run. */
  readonly unchanged: boolean;
  /** What the vehicle is to install; all verified where `refusal` is undefined. */
  readonly entries: readonly DirectorEntry[];
  readonly downloaded: Downloaded | undefined;
}

type Book = CheckBook<VehicleCheckId | DirectorCheckId>;

/** One verification under way. */
interface Work {
  readonly book: Book;
  readonly input: VerifyVehicleInput;
  readonly io: Io;
}

/** The same, bound to the trees and roots that it is about. */
interface Bound extends Work {
  /** 64 hex digits. */
  readonly trees: string;
}

/** What is known so far. */
interface Findings {
  readonly view?: DirectorView | undefined;
  readonly imageSet?: TrustedSet | undefined;
  readonly entries?: readonly DirectorEntry[];
  readonly downloaded?: Downloaded | undefined;
}

/**
 * Verifies a vehicle's view. One that is not good is a verdict, not an exception.
 *
 * @throws FILE_NOT_FOUND, FILE_ACCESS, ROOT_INSIDE_TREE, HTTP_FAILED, INSTALLED_MALFORMED, USAGE, INTERRUPTED
 */
export async function verifyVehicle(input: VerifyVehicleInput, io: Io): Promise<VehicleVerdict> {
  const book = checkBook<VehicleCheckId | DirectorCheckId>(titlesFor(input));
  const { view, imageSet, entries = [], downloaded } = await runChecks({ book, input, io });
  const checks = book.list();
  return {
    checks,
    refusal: refusalFrom(checks, []),
    vin: input.vin,
    vehicleId: view?.vehicleId,
    director: view?.set,
    imageSet,
    unchanged: view !== undefined && view.targets === undefined,
    entries,
    downloaded,
  };
}

function titlesFor({ image, installed, ecu, imageFile, target }: VerifyVehicleInput): Readonly<Record<string, string>> {
  const asked: Readonly<Record<string, unknown>> = {
    metadata: image,
    expiry: image,
    hybrid: image,
    match: image,
    installed,
    ecu,
    'image-content': imageFile,
    'target-content': target,
  };
  return Object.fromEntries(Object.entries(VEHICLE_CHECKS).filter(([id]) => !(id in asked) || asked[id] !== undefined));
}

async function runChecks(work: Work): Promise<Findings> {
  const { book, input, io } = work;
  const directorRoot = await pinned(work, input.directorRoot);
  const imageRoot = input.image && (await pinned(work, input.image.root));
  const marker = input.state === undefined ? undefined : await readMarker(io, input.state);
  requireOwnState(marker, input);
  if (!(await attempt(book, 'time', () => passTime(work, marker)))) return {};
  const bound = { ...work, trees: treesDigest(io, input, { directorRoot, imageRoot }) };
  const isOther = marker?.trees !== bound.trees;
  const run = { pinnedRoot: directorRoot, marker: isOther || asksForMore(input) ? undefined : marker };
  const verify = imageRoot === undefined ? verifyDirectorPartly : verifyDirector;
  const view = await verify(book, input, { io, run });
  if (view === undefined) return {};
  if (view.targets === undefined) return await passUnchanged(bound, view);
  const imageSet = imageRoot && (await verifyImageSide(work, view, imageRoot));
  if (imageRoot !== undefined && imageSet === undefined) return { view };
  return { view, imageSet, ...(await checkEntries(bound, view, imageSet)) };
}

/** Neither root may come from a tree that is verified. */
async function pinned({ input, io }: Work, root: string): Promise<Uint8Array> {
  const { now, requireHybrid, image, director } = input;
  let bytes = new Uint8Array();
  for (const tree of [director, ...(image === undefined ? [] : [image.tree])]) {
    const metadata = isUrl(tree) ? undefined : tree;
    bytes = new Uint8Array(await readPinnedRoot(io, { root, metadata, now, requireHybrid }));
  }
  return bytes;
}

function passTime({ book, input }: Work, marker: VehicleMarker | undefined): true {
  requireLaterTime(marker, input.now);
  const last = marker === undefined ? 'no run before' : `last run at ${formatInstant(marker.time)}`;
  book.pass('time', `${formatInstant(input.now)}, ${last}`);
  return true;
}

/** What an update of a Primary does not end with at an unchanged Snapshot. */
function asksForMore({ installed, ecu, target, requireHybrid }: VerifyVehicleInput): boolean {
  // The run before may have let the Image repository be classical: the marker does not say.
  return requireHybrid || installed !== undefined || ecu !== undefined || target !== undefined;
}

async function passUnchanged(work: Bound, view: DirectorView): Promise<Findings> {
  for (const id of ['metadata', 'expiry', 'hybrid', 'match'] as const) work.book.pass(id, UNCHANGED);
  await note(work, view.set);
  return { view };
}

async function note({ input, io, trees }: Bound, director: TrustedSet): Promise<void> {
  const { vin, now: time, state } = input;
  if (state === undefined) return;
  await writeMarker(io, state, { vin, time, snapshot: snapshotDigest(director), trees });
}

const CHAIN = { metadata: 'metadata', expiry: 'expiry', hybrid: 'hybrid' } as const;

async function verifyImageSide(
  { book, input, io }: Work,
  view: DirectorView,
  pinnedRoot: Uint8Array,
): Promise<TrustedSet | undefined> {
  const { image, now, requireHybrid, state } = input;
  if (image === undefined) return undefined;
  const store = storeBelow(io.files, state, 'image');
  return await attemptChain(book, CHAIN, async () => {
    const request = { engine: io.engine, pinnedRoot, now, requireHybrid, kind: 'image', store } as const;
    const set = await updateFrom(treeSource(io, image.tree).metadata, request);
    requireOneRepository(view.set, set);
    passChain(book, CHAIN, set);
    return set;
  });
}

/** What the Image repository lists of what the Director names. */
type Matched = ReadonlyMap<TargetName, Verified<FoundTarget>>;

async function checkEntries(work: Bound, view: DirectorView, imageSet: TrustedSet | undefined): Promise<Findings> {
  const { book, input } = work;
  const { targets } = view;
  if (targets === undefined) return {};
  const { ecu } = input;
  const own = ecu === undefined ? undefined : await attempt(book, 'ecu', () => requireEntry(targets, ecu));
  if (ecu !== undefined && own === undefined) return {};
  if (own !== undefined) book.pass('ecu', own.name);
  const entries = own === undefined ? targets.verified.entries : [own];
  const found = imageSet && (await attempt(book, 'match', () => match(work, { entries, imageSet })));
  if (imageSet !== undefined && found === undefined) return { entries };
  if (input.installed !== undefined) await checkInstalled(work, entries, input.installed);
  if (own !== undefined) await checkOwnImage(work, own, found);
  const downloaded = await download(work, { matched: found, imageSet });
  if (imageSet !== undefined && refusalFrom(book.list(), []) === undefined) await note(work, view.set);
  return { entries, downloaded };
}

async function match(
  { book, input, io }: Work,
  { entries, imageSet }: { entries: readonly DirectorEntry[]; imageSet: TrustedSet },
): Promise<Matched> {
  const client = {
    source: treeSource(io, input.image?.tree ?? '').metadata,
    store: storeBelow(io.files, input.state, 'image'),
  };
  const found = await matchEntries(client, imageSet, entries);
  const sealed = entries.filter(({ encrypted }) => encrypted !== undefined).length;
  book.pass('match', `${entries.length} images, ${sealed} of them sealed`);
  return found;
}

async function checkInstalled({ book, io }: Work, entries: readonly DirectorEntry[], path: string): Promise<void> {
  const known = decodeInstalled(await io.files.read(path, YAML_BYTES_MAX), path);
  await attempt(book, 'installed', () => {
    const count = requireKnownEcus(entries, known);
    book.pass('installed', `${count} ECUs in ${path}`);
  });
}

async function checkOwnImage({ book, input, io }: Work, own: DirectorEntry, found: Matched | undefined): Promise<void> {
  const { imageFile } = input;
  if (imageFile === undefined) return;
  await attempt(book, 'image-content', async () => {
    const image = found?.get(own.name)?.verified.target;
    const targets = image === undefined ? [own.target] : [own.target, image];
    await checkImageFile(io, imageFile, { name: own.name, targets });
    book.pass('image-content', `${own.target.length} bytes, ${own.name}`);
  });
}

async function download(
  { book, input, io }: Work,
  { matched, imageSet }: { matched: Matched | undefined; imageSet: TrustedSet | undefined },
): Promise<Downloaded | undefined> {
  const { target: name, image, out } = input;
  if (name === undefined || image === undefined || imageSet === undefined || matched === undefined) return undefined;
  return await attempt(book, 'target-content', async () => {
    const tree = treeSource(io, image.tree);
    const downloaded = await fetchAssigned({ tree, set: imageSet, matched, name, out }, io);
    book.pass('target-content', `${name}${downloaded.fetched ? '' : ', there already'}`);
    return downloaded;
  });
}

/** Runs one check; a refusal is its outcome. */
async function attempt<T>(book: Book, id: VehicleCheckId, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    book.fail(id, refusalOf(thrown));
    return undefined;
  }
}

/** Demands that a URL names the vehicle's folder. @throws USAGE */
export function requireFindable({ director, vehicleId }: DirectorInput, isPartial: boolean): void {
  if (isUrl(director) && vehicleId === undefined) throw failure('USAGE', 'a Director behind a URL needs --vehicle-id');
  if (isUrl(director) && isPartial) {
    throw failure('USAGE', '--partial reads a folder: the files that a Primary hands to an ECU');
  }
}
