/**
 * `publish kit`: a folder for use without a network. See `formats/kit/FORMAT.md`.
 *
 * Invariants: a kit is a published tree cut down to what it is for, and verifies as one; no clear bytes of a confidential
 * target, no envelope of the escrow key and none of another vehicle is in it; what an earlier kit in the same folder had and
 * this one has not goes away last.
 */
import { instantOf } from '../../core/brands.ts';
import type { Vin } from '../../core/brands.ts';
import { concatBytes } from '../../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import {
  decodeKitIndex,
  encodeKitIndex,
  KIT_FILES_MAX,
  KIT_INDEX,
  KIT_INDEX_BYTES_MAX,
  KIT_MAP,
  kitMap,
} from '../../formats/kit/kit-index.ts';
import type { KitIndex } from '../../formats/kit/kit-index.ts';
import { vehicleOfVin } from '../../store/fleet.ts';
import type { Vehicle } from '../../store/fleet.ts';
import type { Reader } from '../../store/reader.ts';
import { bundlesOf, findRelease } from '../../store/releases.ts';
import type { Repository } from '../../store/repository.ts';
import { envelopeForUse, findSealedPayload } from '../../store/sealed.ts';
import { readVins } from '../release/envelope-recipients.ts';
import { refuseOutdated } from '../release/outdated.ts';
import { directorKit } from './kit-director.ts';
import { neededMetadata } from './kit-metadata.ts';
import { isUnfinished, removeOld, removeUnfinished } from './kit-tidying.ts';
import { refuseIfHeld } from './hold.ts';
import { counted } from './kit-work.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { collectPublication } from './publication.ts';
import type { Publication, PublishedTarget } from './publication.ts';
import { changedFiles, writeTree } from './tree-writer.ts';
import type { PlainFile, TreeFile } from './tree-writer.ts';
import { verifyPublication } from './verify-publication.ts';

/** What goes into which kit. */
export interface PublishKitInput {
  readonly repository: RepositoryChoice;
  readonly folder: string;
  readonly vins: readonly Vin[];
  /** A file of VINs, one a line. */
  readonly vehicles?: string | undefined;
  /** All that is published where it is left out. */
  readonly release?: string | undefined;
  readonly uploadList?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What is in the kit. */
export interface PublishKitAnswer {
  readonly release: string | null;
  readonly vehicles: number;
  /** Names of the targets whose bytes are in it. */
  readonly targets: readonly string[];
  readonly envelopes: number;
  /** How many of the vehicles have Director metadata in it; null without a Director. */
  readonly director: number | null;
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
  readonly sizeBytes: number;
}

/** Vehicles whose envelopes a kit may hold. */
export const KIT_VEHICLES_MAX = 10_000;

/** @throws REPOSITORY_HELD, RELEASE_UNKNOWN, VEHICLE_UNKNOWN, VEHICLE_OF_ANOTHER_MODEL, KIT_*, PUBLISH_*, OBJECT_*, DISK_FULL */
export async function publishKit(input: PublishKitInput, io: Io): Promise<PublishKitAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  const vehicles = await vehiclesOf(repository, input);
  const before = await earlierFiles(io, input.folder);
  const plan = await planKit(repository, { input, vehicles });
  const changed = await changedFiles(io, input.folder, plan.files);
  const kept = new Set(plan.index.files);
  const removed = before.filter((path) => !kept.has(path));
  const writes = [...changed, indexFile(plan.index)];
  if (input.dryRun !== true) {
    // Until the end the index names what comes and what goes, so that a run that is killed can be made good by the next.
    const meanwhile = indexFile({ ...plan.index, files: [...plan.index.files, ...removed] });
    await io.files.write(`${input.folder}/${KIT_INDEX}`, meanwhile.bytes, { overwrite: true });
    await writeTree(repository, { folder: input.folder, writes, uploadList: input.uploadList });
    await removeOld(io.files, input.folder, removed);
    await removeUnfinished(io.files, input.folder, plan.index.files);
    record(repository, { input, vehicles, plan });
  }
  const written = writes.map(({ path }) => path);
  const { targets, envelopes, director, sizeBytes } = plan;
  return {
    release: input.release ?? null,
    vehicles: vehicles.length,
    targets: targets.map(({ name }) => name),
    envelopes,
    director,
    written,
    removed,
    unchanged: plan.files.length - changed.length,
    sizeBytes,
  };
}

async function vehiclesOf(repository: Reader, input: PublishKitInput): Promise<readonly Vehicle[]> {
  const vins = await readVins(repository.io, input.vins, input.vehicles);
  if (vins.length > KIT_VEHICLES_MAX) {
    throw failure('USAGE', `a kit is for at most ${KIT_VEHICLES_MAX} vehicles, and ${vins.length} are named`);
  }
  const vehicles = vins.map((vin) => vehicleOfVin(repository, vin));
  const release = input.release === undefined ? undefined : findRelease(repository, input.release);
  if (input.release !== undefined && release === undefined) {
    throw failure('RELEASE_UNKNOWN', `there is no release ${input.release}`, { release: input.release });
  }
  if (release !== undefined) refuseOutdated(repository, release.name);
  const other = release === undefined ? undefined : vehicles.find(({ model }) => model !== release.model);
  if (other === undefined) return vehicles;
  throw failure('VEHICLE_OF_ANOTHER_MODEL', `${other.vin} is of model ${other.model}, the release is for another`, {
    vin: other.vin,
    model: other.model,
  });
}

/** The files of the kit that the folder holds; an empty or new folder holds none. @throws KIT_OCCUPIED */
async function earlierFiles({ files }: Io, folder: string): Promise<readonly string[]> {
  if ((await files.list(folder)).every(isUnfinished)) return [];
  try {
    return decodeKitIndex(await files.read(`${folder}/${KIT_INDEX}`, KIT_INDEX_BYTES_MAX)).files;
  } catch (thrown) {
    if (!isFailure(thrown, 'FILE_NOT_FOUND') && !isFailure(thrown, 'KIT_MALFORMED')) throw thrown;
    throw new SecureevError('KIT_OCCUPIED', {
      message: `${folder} holds something else than a kit`,
      hint: 'name a new folder, or one with a kit to bring up to date',
      details: { folder },
      cause: thrown,
    });
  }
}

function indexFile(index: KitIndex): PlainFile {
  return { path: KIT_INDEX, bytes: encodeKitIndex(index) };
}

interface KitPlan {
  readonly files: readonly TreeFile[];
  readonly index: KitIndex;
  readonly targets: readonly PublishedTarget[];
  readonly envelopes: number;
  readonly director: number | null;
  readonly sizeBytes: number;
}

async function planKit(
  repository: Repository,
  { input, vehicles }: { input: PublishKitInput; vehicles: readonly Vehicle[] },
): Promise<KitPlan> {
  const { io, identity } = repository;
  const publication = collectPublication(repository);
  await verifyPublication(io, publication);
  const targets = targetsOf(repository, publication, input.release);
  const director = directorKit(repository, vehicles);
  const queries = [...targets.map(({ name }) => ({ name })), ...(director?.targets ?? [])];
  const metadata = await neededMetadata(io, publication, input.release === undefined ? undefined : queries);
  const envelopes = targets.flatMap((target) => envelopeFile(repository, target, vehicles));
  const files: readonly TreeFile[] = [
    ...[...targets, ...envelopes.map(({ file }) => file), ...metadata].map((file) => inside('image', file)),
    ...(director?.files ?? []).map((file) => inside('director', file)),
    { path: KIT_MAP, bytes: kitMap(director !== undefined) },
  ];
  if (files.length > KIT_FILES_MAX) throw failure('USAGE', `a kit holds at most ${KIT_FILES_MAX} files`);
  const index: KitIndex = {
    created: instantOf(io.clock.now()),
    repository: identity.uuid,
    release: input.release ?? null,
    vehicles: vehicles.length,
    files: files.map(({ path }) => path),
  };
  const sizeBytes = files.reduce((sum, file) => sum + ('bytes' in file ? file.bytes.length : file.sizeBytes), 0);
  const count = envelopes.reduce((sum, one) => sum + one.count, 0);
  return { files, index, targets, envelopes: count, director: director?.vehicles ?? null, sizeBytes };
}

function inside<T extends TreeFile>(folder: string, file: T): T {
  return { ...file, path: `${folder}/${file.path}` };
}

/** Of a release its bundles, sealed where they are confidential; else all that may be downloaded. */
function targetsOf(reader: Reader, { files }: Publication, release: string | undefined): readonly PublishedTarget[] {
  if (release === undefined) return files;
  return bundlesOf(reader, release).map(({ target }) => {
    const found = files.find(({ name }) => name === `${target}.sev`) ?? files.find(({ name }) => name === target);
    if (found !== undefined) return found;
    throw new SecureevError('KIT_TARGET_UNPUBLISHED', {
      message: `${target} of release ${release} is not in a complete Targets file yet`,
      hint: 'encrypt it if it is confidential, then sign targets, snapshot and timestamp',
      details: { target },
    });
  });
}

/** The vehicles' envelopes beside a sealed payload; none beside what is not sealed. */
function envelopeFile(
  reader: Reader,
  target: PublishedTarget,
  vehicles: readonly Vehicle[],
): readonly { file: PlainFile; count: number }[] {
  const payload = findSealedPayload(reader, target.sha256);
  if (payload === undefined) return [];
  if (vehicles.length === 0) {
    throw failure('USAGE', `${target.name} is sealed: name the vehicles with --vehicle VIN or --vehicles FILE`);
  }
  const envelopes = vehicles.map(({ id, vin }) => {
    const newest = envelopeForUse(reader, payload.sha256, id);
    if (newest === undefined) throw noEnvelope(target, vin);
    return newest.envelope;
  });
  const file = { path: `${target.path.replace(/\.sev$/, '')}.sevk`, bytes: concatBytes(...envelopes) };
  return [{ file, count: envelopes.length }];
}

function noEnvelope({ name }: PublishedTarget, vin: Vin): SecureevError {
  return new SecureevError('KIT_ENVELOPE_MISSING', {
    message: `${name} has no envelope for vehicle ${vin}`,
    hint: `\`secureev envelope add ${name} --vehicle ${vin} --key ESCROW.key\``,
    details: { target: name, vin },
  });
}

function record(
  repository: Repository,
  made: { input: PublishKitInput; vehicles: readonly Vehicle[]; plan: KitPlan },
): void {
  const { input, vehicles, plan } = made;
  const of = input.release === undefined ? 'all that is published' : `release ${input.release}`;
  const summary = `made a kit of ${of}: ${counted(plan.targets.length, 'target')} for ${counted(vehicles.length, 'vehicle')}`;
  repository.transact({ command: 'publish kit', summary }, (tx) => {
    tx.about(...vehicles.map(({ vin }) => `vehicle:${vin}`));
    if (input.release !== undefined) tx.about(`release:${input.release}`);
    // The log says what left the house, though nothing else in the database changes.
    tx.sql("UPDATE settings SET value = value WHERE name = 'name'").run();
  });
}
