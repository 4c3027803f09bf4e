/**
 * `package`: from a release plan to one signed bundle per zonal gateway.
 *
 * Invariant: all bundles appear and the repository records the release, or neither; what was written is taken back when
 * anything fails.
 */
import { requireFreePath } from '../../core/free-path.ts';
import { instantOf } from '../../core/brands.ts';
import type { Instant, Name, TargetName } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { Io, OutputFile } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { BundleImage, CodecId, Manifest } from '../../formats/otap/bundle.ts';
import { signedParts } from '../../formats/otap/writer.ts';
import { decodeReleasePlan } from '../../formats/release-plan.ts';
import type { ReleasePlan } from '../../formats/release-plan.ts';
import { YAML_BYTES_MAX } from '../../formats/yaml.ts';
import { installOrder } from '../../plan/requirements.ts';
import type { PassphraseChoice } from '../../signers/signer.ts';
import { addObject, hasObject, OBJECT_MODE, objectPath } from '../../store/objects.ts';
import type { Reader } from '../../store/reader.ts';
import { findRelease } from '../../store/releases.ts';
import type { Repository } from '../../store/repository.ts';
import { owningRoles } from '../../store/delegations.ts';
import { copyVerified } from '../repository/copy-verified.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { encodeSignedParts } from '../../formats/otap/v2.ts';
import { bundleFileName, bundleTargetName } from './bundle-names.ts';
import { releasesWith } from './outdated.ts';
import { signBundle } from './bundle-signing.ts';
import type { BundleSigners } from './bundle-signing.ts';
import { recordRelease } from './record-release.ts';
import type { MadeBundle } from './record-release.ts';
import { readyRelease } from './ready-release.ts';
import { payloadFor } from './release-images.ts';
import type { ReleaseImage, ReleaseImages } from './release-images.ts';
import { reissuedPlan, requireSameTargets } from './reissue.ts';
import { resolvePlan } from './resolve-plan.ts';
import type { ResolvedPlan } from './resolve-plan.ts';
import { bundleV1Of } from './bundle-v1.ts';
import { writeBundle, writePieces } from './write-bundle.ts';

/** What to package and how. */
export interface PackageInput {
  readonly repository: RepositoryChoice;
  /** Path of the release plan; its images are below its folder. Only a release that is issued again needs none. */
  readonly plan: string | undefined;
  /** The name of a known release that is built again with higher release counters. */
  readonly reissue?: string | undefined;
  /** Where the bundles go. */
  readonly out: string;
  /** Signer URIs. */
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly codec: CodecId;
  /** Zstandard level, 1 to 19. */
  readonly level: number;
  readonly chunkBytes: number;
  /** The version of the bundles' format: 2, or 1, which nobody can sign. */
  readonly otapVersion?: 1 | 2 | undefined;
  /** Bundles may lack signatures: they are staged once `request import` has completed them. */
  readonly incomplete?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What was packaged. */
export interface PackageAnswer {
  readonly resolved: ResolvedPlan;
  /** The role that will list the bundles; several with a comma between. */
  readonly role: string;
  readonly bundles: readonly MadeBundle[];
  /** Releases whose bundles no longer fit once this is signed: images of theirs got a higher counter. */
  readonly outdates: readonly string[];
  /** Revoked keys among those that sign the bundles. */
  readonly warnings: readonly string[];
}

/**
 * Packages a release.
 *
 * @throws RELEASE_*, BUNDLE_THRESHOLD, COUNTER_TAKEN, FILE_EXISTS, DISK_FULL, and those of plan, images and signers
 */
export async function packageRelease(input: PackageInput, io: Io): Promise<PackageAnswer> {
  const given = input.plan === undefined ? undefined : await readPlan(io, input.plan);
  const stamp = timeStamp(io);
  const isUnsigned = input.otapVersion === 1;
  if (isUnsigned) requireNoSigners(input);
  using repository = await openChosen(io, input.repository);
  const { plan, raised } = planToPackage(repository, given, input.reissue);
  if (isUnsigned && plan.confidential) throw cannotBeSealed();
  const resolved = resolvePlan(repository, plan);
  if (input.reissue !== undefined) requireSameTargets(repository, resolved);
  const paths = await freePaths(io, resolved, input.out);
  const roles = listingRoles(repository, resolved);
  await using ready = await readyRelease(repository, resolved, {
    ...input,
    roles,
    deterministic: stamp.reproducible,
    incomplete: input.incomplete === true || isUnsigned,
    scratchFolder: input.out,
    planFolder: input.plan === undefined ? '.' : folderOf(input.plan),
    raised,
  });
  const bundles = await makeBundles(repository, { ...ready, resolved, paths, time: stamp.time }, input);
  const raisedImages = new Set(
    ready.images.images.filter((image) => image.raised).map(({ resolved: { target } }) => target),
  );
  const outdates = releasesWith(repository, raisedImages, plan.release);
  return { resolved, role: roles.join(', '), bundles, outdates, warnings: ready.signers.warnings };
}

async function readPlan(io: Io, path: string): Promise<ReleasePlan> {
  return decodeReleasePlan(await io.files.read(path, YAML_BYTES_MAX), baseName(path));
}

/** The plan of a new release, or of one that is issued again and the targets that get new counters. */
function planToPackage(
  reader: Reader,
  given: ReleasePlan | undefined,
  reissue: string | undefined,
): { plan: ReleasePlan; raised?: ReadonlySet<TargetName> } {
  if (reissue !== undefined) return reissuedPlan(reader, reissue, given);
  if (given === undefined) throw failure('USAGE', 'a release plan, or --reissue RELEASE, is missing');
  if (findRelease(reader, given.release) === undefined) return { plan: given };
  throw new SecureevError('RELEASE_NAME_TAKEN', {
    message: `release ${given.release} was packaged already`,
    hint: 'give it another name, or build the same one again with higher release counters: --reissue',
    details: { release: given.release },
  });
}

interface Making {
  readonly resolved: ResolvedPlan;
  readonly images: ReleaseImages;
  readonly signers: BundleSigners;
  readonly paths: ReadonlyMap<Name, string>;
  readonly time: Instant;
}

/** The bundles of a confidential release are for their owner only. */
const CONFIDENTIAL_MODE = 0o600;

async function makeBundles(
  repository: Repository,
  making: Making,
  input: PackageInput,
): Promise<readonly MadeBundle[]> {
  const { io } = repository;
  const open: OutputFile[] = [];
  const bundles: MadeBundle[] = [];
  try {
    for (const [gateway, path] of making.paths) {
      const output = await io.files.create(path, making.resolved.plan.confidential ? { mode: CONFIDENTIAL_MODE } : {});
      open.push(output);
      const make = input.otapVersion === 1 ? makeBundleV1 : makeBundle;
      bundles.push({ ...(await make(io, { ...making, gateway, output })), path });
    }
    await commitAll(repository, {
      making,
      bundles,
      open,
      dryRun: input.dryRun === true,
      incomplete: input.incomplete === true,
      reissue: input.reissue !== undefined,
    });
  } finally {
    for (const output of open) await output[Symbol.asyncDispose]();
  }
  return bundles;
}

async function makeBundle(
  io: Io,
  making: Making & { gateway: Name; output: OutputFile },
): Promise<Omit<MadeBundle, 'path'>> {
  const { resolved, gateway, signers, output } = making;
  const mine = imagesFor(making);
  const manifest = manifestOf(io, mine, making);
  const parts = signedParts(gateway, manifest);
  const signatures = await signBundle(parts, signers, io.engine);
  const payloads = mine.map((image) => payloadFor(image, gateway, [...making.paths.keys()]));
  const written = await writeBundle(io, output, { parts, signatures, payloads });
  const manifestSha256 = sha256(io.engine, parts.manifest);
  const head = encodeSignedParts(parts);
  return {
    ...written,
    gateway,
    target: bundleTargetName(resolved.plan.release, gateway),
    manifest,
    manifestSha256,
    parts: head,
  };
}

function imagesFor({ images, gateway }: Pick<Making, 'images'> & { gateway: Name }): readonly ReleaseImage[] {
  return images.images.filter(({ resolved: image }) => image.ecus.some((ecu) => ecu.gateway === gateway));
}

/** Version 1 has no manifest: what stands for it in the records is the digest of all that is not payload. */
async function makeBundleV1(
  io: Io,
  making: Making & { gateway: Name; output: OutputFile },
): Promise<Omit<MadeBundle, 'path'>> {
  const { resolved, gateway, output } = making;
  const mine = imagesFor(making);
  const content = bundleV1Of(gateway, mine);
  return {
    ...(await writePieces(io, output, content)),
    gateway,
    target: bundleTargetName(resolved.plan.release, gateway),
    manifest: manifestOf(io, mine, making),
    manifestSha256: sha256(io.engine, content.facts),
    parts: content.facts,
  };
}

function cannotBeSealed(): SecureevError {
  return new SecureevError('USAGE', {
    message: 'the release is confidential, and a bundle of version 1 cannot be sealed: nobody can sign it',
    hint: 'say `confidential: false` in the release plan, or build version 2, the default',
  });
}

/** @throws USAGE */
function requireNoSigners({ signers, incomplete }: PackageInput): void {
  if (signers.length === 0 && incomplete !== true) return;
  throw new SecureevError('USAGE', {
    message: 'a bundle of version 1 has no signatures, so it takes no --key and no --incomplete',
    hint: 'version 2, the default, is signed',
  });
}

function manifestOf(io: Io, images: readonly ReleaseImage[], making: Making & { gateway: Name }): Manifest {
  const { plan } = making.resolved;
  const order = installOrder(
    images.map(({ resolved: { target, ecus, planned } }) => ({ name: target, ecus, requires: planned.requires })),
  );
  return {
    release: plan.release,
    time: making.time,
    model: plan.model,
    releaseCounter: making.images.releaseCounter,
    algorithms: making.signers.algorithms,
    zstdLibrary: images.some(({ stored }) => stored.encoded.codec === 'zstd') ? io.zstd.libraryVersion : undefined,
    installOrder: order,
    images: images.map((image) => imageEntry(image, making.gateway)),
  };
}

function imageEntry({ resolved, stored, releaseCounter }: ReleaseImage, gateway: Name): BundleImage {
  const { planned, target } = resolved;
  const { tree, ...encoded } = stored.encoded;
  return {
    ...encoded,
    target,
    treeRoot: tree.root,
    ecus: resolved.ecus.filter((ecu) => ecu.gateway === gateway),
    ecuType: planned.selector.kind === 'type' ? planned.selector.name : undefined,
    version: planned.version,
    releaseCounter,
    requires: planned.requires,
  };
}

interface Committing {
  readonly making: Making;
  readonly bundles: readonly MadeBundle[];
  readonly open: readonly OutputFile[];
  readonly dryRun: boolean;
  readonly incomplete: boolean;
  readonly reissue: boolean;
}

/** The record's transaction encloses the appearance of the files: a failure of either undoes both. */
async function commitAll(
  repository: Repository,
  { making, bundles, open, dryRun, incomplete, reissue }: Committing,
): Promise<void> {
  const { resolved, images } = making;
  const appeared: string[] = [];
  const { release, confidential } = resolved.plan;
  const did = reissue ? 'issued again' : 'packaged';
  const summary = `${did} release ${release}: ${bundles.length} bundles, ${images.images.length} images`;
  try {
    await repository.transactAsync({ command: 'package', summary, dryRun }, async (tx) => {
      recordRelease(tx, resolved, { images, bundles, incomplete, reissue });
      if (dryRun) return;
      for (const [i, output] of open.entries()) {
        await output.commit();
        appeared.push(bundles[i]?.path ?? output.path);
      }
      if (!confidential) await keepClear(repository, { images, bundles: incomplete ? [] : bundles, appeared });
    });
  } catch (thrown) {
    for (const path of appeared) await repository.io.files.remove(path);
    throw thrown;
  }
}

/** A release that is not confidential is published as it is: its bytes go among the objects. */
async function keepClear(
  repository: Repository,
  made: { images: ReleaseImages; bundles: readonly MadeBundle[]; appeared: string[] },
): Promise<void> {
  for (const { path, stored } of made.images.images) {
    const { sizeBytes, sha256: hash } = stored.encoded;
    if (await hasObject(repository, hash)) continue;
    const to = objectPath(repository, hash);
    await copyVerified(repository.io, { from: path, to, sizeBytes, sha256: hash, mode: OBJECT_MODE });
    made.appeared.push(to);
  }
  for (const { path, sha256: hash } of made.bundles) {
    if (await hasObject(repository, hash)) continue;
    await addObject(repository, path, hash);
    made.appeared.push(objectPath(repository, hash));
  }
}

/** The roles that will list the bundles: the one that owns their paths, or several that must agree. */
function listingRoles(reader: Reader, { plan, gateways }: ResolvedPlan): readonly string[] {
  const roles = gateways.flatMap((gateway) =>
    owningRoles(reader, { name: bundleTargetName(plan.release, gateway), hardwareIds: [gateway] }),
  );
  return [...new Set(roles)];
}

/** Where each bundle goes; refused before any work where something is there. @throws FILE_EXISTS */
async function freePaths(io: Io, { gateways }: ResolvedPlan, out: string): Promise<ReadonlyMap<Name, string>> {
  const paths = new Map(gateways.map((gateway) => [gateway, `${out}/${bundleFileName(gateway)}`]));
  for (const path of paths.values()) await requireFreePath(io.files, path);
  return paths;
}

/** The time in the bundle: `SOURCE_DATE_EPOCH` makes bundles reproducible. @throws USAGE */
function timeStamp(io: Io): { time: Instant; reproducible: boolean } {
  const epoch = io.environment.get('SOURCE_DATE_EPOCH');
  if (epoch === undefined || epoch === '') return { time: io.clock.now(), reproducible: false };
  if (!/^[0-9]{1,12}$/.test(epoch)) throw failure('USAGE', 'SOURCE_DATE_EPOCH is not a number of seconds', { epoch });
  return { time: instantOf(Number(epoch), 'SOURCE_DATE_EPOCH'), reproducible: true };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  if (end < 0) return '.';
  return end === 0 ? '/' : path.slice(0, end);
}
