/**
 * `verify bundle`: a bundle against a pinned root, offline, in one pass over the file, as a list of named checks.
 *
 * Invariants: no payload is decoded unless the manifest's signatures were good; no repository, database or network is
 * touched; what `sinkOf` is given is verified chunk by chunk, but good only when the whole list is.
 */
import { formatInstant } from '../../core/brands.ts';
import type { TargetName } from '../../core/brands.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { Check } from '../../core/report.ts';
import type { Verified } from '../../core/verified.ts';
import { decodeInstalled } from '../../formats/installed.ts';
import type { TargetFile } from '../../formats/metadata/types.ts';
import type { BundleHead, Manifest } from '../../formats/otap/bundle.ts';
import { openBundle } from '../../formats/otap/index.ts';
import type { OpenBundle, PayloadsContext } from '../../formats/otap/index.ts';
import { YAML_BYTES_MAX } from '../../formats/yaml.ts';
import { requireNoRollback } from '../../plan/installed-versions.ts';
import { verifyManifest } from '../../trust/bundle-manifest.ts';
import { bundlePolicyOf } from '../../trust/bundle-policy.ts';
import type { BundlePolicy } from '../../trust/bundle-policy.ts';
import type { FoundTarget } from '../../trust/find-target.ts';
import { rootPolicy } from '../../trust/state.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { bundleTargetName } from './bundle-names.ts';
import { findListed, requireListedBundle, requireListedHardware, requireListedImages } from './bundle-targets.ts';
import type { TargetLookup } from './bundle-targets.ts';
import { checkBook, refusalFrom, refusalOf } from './check-book.ts';
import type { CheckBook } from './check-book.ts';
import { establishVehicle, readDirectorRoot, requireAssigned } from './director-bundle.ts';
import type { BundleVehicle, VehicleTargets } from './director-bundle.ts';
import { filesOf } from '../repository/metadata-checks.ts';
import { establishTrust, readPinnedRoot } from './pinned-trust.ts';
import { checkUnsigned } from './verify-unsigned.ts';
import type { PinnedTrust, Trusted } from './pinned-trust.ts';

/** The checks, in their order. */
export const BUNDLE_CHECKS = {
  structure: 'header, manifest and lengths are well-formed',
  metadata: 'metadata chain from the pinned root to Targets',
  expiry: 'metadata is unexpired',
  hybrid: 'post-quantum thresholds where the root demands them',
  'manifest-signatures': 'manifest signed by the role that lists the bundle',
  'chunk-tree': 'every stored chunk is in the signed tree',
  'image-content': 'size and SHA-256 of every decompressed image',
  'bundle-target': 'length and hashes of the bundle are in Targets',
  'image-targets': 'length and hashes of every image are in Targets',
  hardware: 'gateway, ECU hardware, versions and release counters are those in Targets',
  director: "Director: metadata chain from its pinned root to this vehicle's Targets",
  'director-match': 'the Director gives this bundle and its images to this vehicle, and both repositories agree',
  'installed-versions': 'no ECU goes back and requirements are met',
} as const;

/** The id of a check of {@link BUNDLE_CHECKS}. */
export type BundleCheckId = keyof typeof BUNDLE_CHECKS;

/** What to verify and under what. */
export interface VerifyBundleInput extends PinnedTrust {
  readonly file: string;
  /** Path of the list of installed versions. */
  readonly installed: string | undefined;
  /** The vehicle that the bundle must be for; undefined to leave the Director out. */
  readonly vehicle?: BundleVehicle | undefined;
  /** Ids of checks that may be skipped. */
  readonly allowSkip: readonly string[];
  /** Where images go while they are verified. */
  readonly sinkOf?: PayloadsContext['sinkOf'] | undefined;
}

/** What was found. */
export interface BundleVerdict {
  readonly checks: readonly Check[];
  /** Why the bundle is refused; undefined where it is good. */
  readonly refusal: SecureevError | undefined;
  /** What was read of it, verified or not; undefined where not even that could be. */
  readonly head: BundleHead | undefined;
  /** The manifest, where its signatures were good. */
  readonly manifest: Verified<Manifest> | undefined;
}

type Book = CheckBook<BundleCheckId>;

/**
 * Verifies a bundle. A bundle that is not good is a verdict, not an exception.
 *
 * @throws FILE_NOT_FOUND, FILE_ACCESS, FILE_TOO_LARGE, ROOT_INSIDE_TREE, INSTALLED_MALFORMED, INTERRUPTED
 */
export async function verifyBundle(input: VerifyBundleInput, io: Io): Promise<BundleVerdict> {
  const book = checkBook<BundleCheckId>(titlesFor(input));
  const pinnedRoot = await readPinnedRoot(io, input);
  const trusted = await checkMetadata(book, input, () => establishTrust(io, pinnedRoot, input));
  const vehicle = input.vehicle && (await checkVehicle(book, { input, io }, input.vehicle));
  await using file = await io.files.open(input.file);
  const task = io.progress.start(`verifying ${input.file}`, file.sizeBytes, 'bytes');
  const opened = await attempt(book, 'structure', () =>
    openBundle(file.stream({ reuse: true }), io.engine, { file, zstd: io.zstd }),
  );
  const context: PayloadsContext = {
    engine: io.engine,
    zstd: io.zstd,
    onChunk: (sizeBytes) => task.advance(sizeBytes),
    sinkOf: input.sinkOf,
  };
  const manifest = opened && trusted && (await checkOpened({ book, input, io, trusted, opened, context, vehicle }));
  task.done();
  const checks = book.list();
  return { checks, refusal: refusalFrom(checks, input.allowSkip), head: opened?.head, manifest };
}

/** The checks of installed versions and of the Director are there only where they are given. */
function titlesFor({ installed, vehicle }: VerifyBundleInput): Readonly<Record<string, string>> {
  const asked: Readonly<Record<string, unknown>> = {
    'installed-versions': installed,
    director: vehicle,
    'director-match': vehicle,
  };
  return Object.fromEntries(Object.entries(BUNDLE_CHECKS).filter(([id]) => !(id in asked) || asked[id] !== undefined));
}

/** One verification under way. */
interface Work {
  readonly book: Book;
  readonly input: VerifyBundleInput;
  readonly io: Io;
  readonly trusted: Trusted;
  readonly opened: OpenBundle;
  readonly context: PayloadsContext;
  /** What the Director says; undefined where it was not asked, or is not believed. */
  readonly vehicle: VehicleTargets | undefined;
}

/** The Director's chain, up to what it says of the vehicle. */
async function checkVehicle(
  book: Book,
  { input, io }: { input: VerifyBundleInput; io: Io },
  vehicle: BundleVehicle,
): Promise<VehicleTargets | undefined> {
  const pinnedRoot = await readDirectorRoot(io, vehicle, input);
  const { now, requireHybrid } = input;
  return await attempt(book, 'director', async () => {
    const targets = await establishVehicle(io, vehicle, { now, requireHybrid, pinnedRoot });
    book.pass('director', `${vehicle.vin}, ${filesOf(targets.set).map(versionText).join(', ')}`);
    return targets;
  });
}

function versionText({ role, version }: { role: string; version: number }): string {
  return `${role} ${version}`;
}

async function checkOpened(work: Work): Promise<Verified<Manifest> | undefined> {
  const { book, trusted, opened } = work;
  const lookup = trusted.source && { source: trusted.source, set: trusted.set };
  if (!opened.head.isSignable) {
    await checkUnsigned(book, { opened, lookup, context: work.context });
    return undefined;
  }
  const found = lookup && (await findBundle(book, lookup, opened.head));
  const manifest = checkSignatures(work, found ? bundlePolicyOf(found) : rootBundlePolicy(trusted.set));
  if (manifest === undefined) return undefined;
  const measured = await checkPayloads(work, manifest);
  if (lookup === undefined) skipTargets(book);
  else await checkTargets(work, { lookup, found, manifest, measured });
  if (measured !== undefined) await checkAssigned(work, lookup, { manifest, measured });
  if (work.input.installed !== undefined) await checkInstalled(work, work.input.installed, manifest);
  return manifest;
}

/** Runs one check; a refusal is its outcome. */
async function attempt<T>(book: Book, id: BundleCheckId, work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    book.fail(id, refusalOf(thrown));
    return undefined;
  }
}

const HYBRID_CODES: ReadonlySet<string> = new Set(['TRUST_HYBRID_THRESHOLD', 'TRUST_HYBRID_MISSING']);

async function checkMetadata(
  book: Book,
  input: VerifyBundleInput,
  establish: () => Promise<Trusted>,
): Promise<Trusted | undefined> {
  try {
    const trusted = await establish();
    recordMetadata(book, input, trusted);
    return trusted;
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    const isHybrid = HYBRID_CODES.has(refusal.code);
    if (isHybrid) book.fail('hybrid', refusal);
    book.fail(refusal.code === 'TRUST_EXPIRED' ? 'expiry' : 'metadata', refusal);
    return undefined;
  }
}

function recordMetadata(book: Book, { now }: VerifyBundleInput, { set, source }: Trusted): void {
  if (source === undefined) {
    for (const id of ['metadata', 'expiry'] as const) book.skip(id, 'no metadata was given (--metadata)');
    return;
  }
  const files = filesOf(set);
  book.pass('metadata', files.map(versionText).join(', '));
  const first = files.reduce((a, b) => (b.expires < a.expires ? b : a), set.root.verified.signed);
  book.pass(
    'expiry',
    `${first.role} is the first to expire, ${formatInstant(first.expires)}; now is ${formatInstant(now)}`,
  );
}

async function findBundle(
  book: Book,
  lookup: TargetLookup,
  { manifest, gateway }: BundleHead,
): Promise<Verified<FoundTarget> | undefined> {
  return attempt(book, 'bundle-target', () =>
    findListed(lookup, bundleTargetName(manifest.unverified.release, gateway), gateway),
  );
}

/** Without metadata, or where nobody lists the bundle, only the keys of top-level Targets can vouch for it. */
function rootBundlePolicy(set: TrustedSet): BundlePolicy {
  return { target: 'the bundle', policies: [rootPolicy(set.root.verified.signed, 'targets')] };
}

function checkSignatures({ book, io, opened }: Work, policy: BundlePolicy): Verified<Manifest> | undefined {
  try {
    const manifest = verifyManifest({ engine: io.engine, policy }, opened.head);
    const roles = policy.policies.map(({ role }) => role).join(', ');
    const algorithms = manifest.verified.algorithms.join(', ');
    book.pass('manifest-signatures', `by keys of ${roles}: ${algorithms}`);
    const hybrid = policy.policies.every(({ postQuantum }) => postQuantum !== undefined);
    book.pass('hybrid', hybrid ? 'demanded and met by all roles and the bundle' : 'not demanded by the pinned root');
    return manifest;
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    if (HYBRID_CODES.has(refusal.code)) book.fail('hybrid', refusal);
    book.fail('manifest-signatures', refusal);
    return undefined;
  }
}

interface Measured {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

async function checkPayloads(work: Work, { verified }: Verified<Manifest>): Promise<Measured | undefined> {
  const { book, opened, context } = work;
  try {
    await opened.readPayloads(verified.images, context);
  } catch (thrown) {
    const refusal = refusalOf(thrown);
    const stored = ['OTAP_TREE_MISMATCH', 'OTAP_CHUNK_MISMATCH', 'OTAP_TRUNCATED'].includes(refusal.code);
    book.fail(stored ? 'chunk-tree' : 'image-content', refusal);
    return undefined;
  }
  const images = `${verified.images.length} images`;
  book.pass('chunk-tree', `${images}, each chunk before it was used`);
  book.pass('image-content', `${images} for ${verified.images.flatMap(({ ecus }) => ecus).length} ECUs`);
  const measured = await attempt(book, 'structure', () => opened.finish());
  if (measured !== undefined) book.pass('structure', `OTAP version ${opened.head.version} for ${opened.head.gateway}`);
  return measured;
}

interface Listing {
  readonly lookup: TargetLookup;
  readonly found: Verified<FoundTarget> | undefined;
  readonly manifest: Verified<Manifest>;
  readonly measured: Measured | undefined;
}

async function checkAssigned(
  { book, opened, vehicle }: Work,
  lookup: TargetLookup | undefined,
  { manifest, measured }: { manifest: Verified<Manifest>; measured: Measured },
): Promise<void> {
  if (vehicle === undefined) return;
  await attempt(book, 'director-match', async () => {
    const { gateway } = opened.head;
    const images = await requireAssigned(vehicle, { gateway, manifest, measured }, lookup);
    book.pass('director-match', `${gateway} and ${images} images`);
  });
}

async function checkTargets({ book, opened }: Work, listing: Listing): Promise<void> {
  const { lookup, found, manifest, measured } = listing;
  if (found !== undefined && measured !== undefined) {
    await attempt(book, 'bundle-target', () => {
      requireListedBundle(found, measured);
      book.pass('bundle-target', found.verified.name);
    });
  }
  const images = await attempt(book, 'image-targets', () => requireListedImages(lookup, manifest));
  if (images === undefined) return;
  book.pass('image-targets', [...images.keys()].join(', '));
  if (found === undefined) return;
  await attempt(book, 'hardware', () => passHardware(book, { found, manifest, images, opened }));
}

function passHardware(
  book: Book,
  listed: {
    found: Verified<FoundTarget>;
    manifest: Verified<Manifest>;
    images: ReadonlyMap<TargetName, TargetFile>;
    opened: OpenBundle;
  },
): void {
  const { gateway } = listed.opened.head;
  requireListedHardware({ found: listed.found, gateway }, listed.manifest, listed.images);
  const ecus = listed.manifest.verified.images.flatMap((image) => image.ecus.map(({ id }) => id));
  book.pass('hardware', `${gateway}: ${ecus.join(', ')}`);
}

function skipTargets(book: Book): void {
  for (const id of ['bundle-target', 'image-targets', 'hardware'] as const) {
    book.skip(id, 'no metadata was given (--metadata)');
  }
}

async function checkInstalled({ book, io }: Work, path: string, { verified }: Verified<Manifest>): Promise<void> {
  const installed = decodeInstalled(await io.files.read(path, YAML_BYTES_MAX), path);
  await attempt(book, 'installed-versions', () => {
    const compared = requireNoRollback(verified, installed);
    if (compared > 0) book.pass('installed-versions', `${compared} ECUs of the bundle are in ${path}`);
    else
      book.skip(
        'installed-versions',
        `no ECU of the bundle is in ${path}: its ids are those of the model, as in the bundle`,
      );
  });
}
