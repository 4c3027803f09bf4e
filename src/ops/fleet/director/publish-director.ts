/**
 * `publish director`: the Director's roots, and each vehicle's metadata and envelopes, as a static tree.
 *
 * Invariants: only what changed is written; of each vehicle envelopes and numbered files come first and Timestamp last, so
 * that it finds a whole state whenever it looks; no VIN is in any path.
 */
import { failure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import type { Progress } from '../../../core/report.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { signedVehicles } from '../../../store/director.ts';
import type { Reader } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { findRole } from '../../../store/roles.ts';
import { writeSetting } from '../../../store/settings.ts';
import { completeAt, completeVersions } from '../../../store/versions.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import type { PublishedFile } from '../../repository/publication.ts';
import { isAllPublished } from '../../repository/situation.ts';
import { refusePlace } from '../../repository/publish-place.ts';
import { refuseImageTree } from '../../repository/published-tree.ts';
import { changedFiles, startUploadList, writeTree } from '../../repository/tree-writer.ts';
import type { TreeFile } from '../../repository/tree-writer.ts';
import { directorDefinitions } from './keys.ts';
import { vehicleIds } from './vehicle-ids.ts';
import type { VehicleIds } from './vehicle-ids.ts';
import { vehiclePublication } from './vehicle-publication.ts';
import type { VehiclePublishing } from './vehicle-publication.ts';

/** Where to publish. */
export interface PublishDirectorInput {
  readonly repository: RepositoryChoice;
  readonly folder: string;
  readonly uploadList?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

/** What was published. */
export interface PublishDirectorAnswer {
  /** The Director's root. */
  readonly root: number;
  /** Vehicles in the tree, and of how many something was written. */
  readonly vehicles: number;
  readonly changed: number;
  /** Paths within the tree, in the order in which to upload them. */
  readonly written: readonly string[];
  readonly notes: readonly string[];
}

/** @throws REPOSITORY_HELD, DIRECTOR_ROOT_MISSING, DIRECTOR_NOT_SIGNED, PUBLISH_*, TRUST_*, INTERRUPTED, DISK_FULL */
export async function publishDirector(input: PublishDirectorInput, io: Io): Promise<PublishDirectorAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  await refusePlace(repository, input.folder);
  await refuseImageTree(io, input.folder);
  directorDefinitions(repository);
  const roots = directorRoots(repository);
  const root = decodeRole(newest(roots).bytes, 'root').unverified.signed;
  const publishing = { reader: repository, dialect: dialectOf(repository.identity.dialect), root };
  const vehicles = vehicleIds(signedVehicles(repository));
  const plan = await planTree(publishing, { folder: input.folder, roots, vehicles });
  const isToWrite = input.dryRun !== true && (plan.paths.length > 0 || input.uploadList !== undefined);
  const written = isToWrite ? await writePlan(publishing, { input, roots, plan }) : plan.paths;
  const result = { root: newest(roots).version, vehicles: vehicles.count, changed: plan.changed.length };
  if (isToWrite && written.length > 0) record(repository, result);
  return { ...result, written, notes: notesOn(repository, plan) };
}

interface Plan {
  /** Vehicles with something to write. */
  readonly changed: readonly string[];
  readonly paths: readonly string[];
  readonly withoutEnvelope: readonly { readonly vehicle: string; readonly target: string }[];
}

/** Vehicles that are looked at or written at once; each in its own order. */
const AT_ONCE = 8;

/** Looks at what is there. Paths alone are kept: the bytes of a fleet are read again when they are written. */
async function planTree(
  publishing: VehiclePublishing,
  tree: { folder: string; roots: readonly PublishedFile[]; vehicles: VehicleIds },
): Promise<Plan> {
  const { io } = publishing.reader;
  const { folder, roots, vehicles } = tree;
  const task = io.progress.start(`looking at ${folder}`, vehicles.count, 'items');
  const paths = (await changedFiles(io, folder, roots)).map(({ path }) => path);
  const plan = { changed: new Array<string>(), paths, withoutEnvelope: new Array<Plan['withoutEnvelope'][number]>() };
  for (let at = 0; at < vehicles.count; at += AT_ONCE) {
    const ids = vehicles.slice(at, AT_ONCE);
    const looked = await Promise.all(ids.map((id) => changesOf(publishing, folder, id)));
    for (const { id, changed, withoutEnvelope } of looked) {
      plan.withoutEnvelope.push(...withoutEnvelope.map((target) => ({ vehicle: id, target })));
      if (changed.length === 0) continue;
      plan.changed.push(id);
      plan.paths.push(...changed);
    }
    task.advance(ids.length);
  }
  task.done();
  return plan;
}

async function changesOf(
  publishing: VehiclePublishing,
  folder: string,
  id: string,
): Promise<{ id: string; changed: readonly string[]; withoutEnvelope: readonly string[] }> {
  const publication = vehiclePublication(publishing, id);
  if (publication === undefined) return { id, changed: [], withoutEnvelope: [] };
  const changed = await changedFiles(publishing.reader.io, folder, publication.files);
  return { id, changed: changed.map(({ path }) => path), withoutEnvelope: publication.withoutEnvelope };
}

interface Writing {
  readonly publishing: VehiclePublishing;
  readonly folder: string;
}

/** Writes the plan; gives the paths that were written, which are more where a vehicle was signed again meanwhile. */
async function writePlan(
  publishing: VehiclePublishing,
  { input, roots, plan }: { input: PublishDirectorInput; roots: readonly PublishedFile[]; plan: Plan },
): Promise<readonly string[]> {
  const { io } = publishing.reader;
  const { folder, uploadList } = input;
  const writing = { publishing, folder };
  const list = uploadList === undefined ? undefined : await startUploadList(io, uploadList, plan.paths);
  const written = [...(await writeFiles(writing, roots))];
  const task = io.progress.start(`publishing to ${folder}`, plan.changed.length, 'items');
  for (let at = 0; at < plan.changed.length; at += AT_ONCE) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; each vehicle finds a whole state');
    const ids = plan.changed.slice(at, at + AT_ONCE);
    const paths = await Promise.all(
      ids.map((id) => writeFiles(writing, vehiclePublication(publishing, id)?.files ?? [])),
    );
    written.push(...paths.flat());
    task.advance(ids.length);
  }
  task.done();
  const isAsPlanned = written.length === plan.paths.length && written.every((path, i) => path === plan.paths[i]);
  if (uploadList !== undefined && !isAsPlanned) await (await startUploadList(io, uploadList, written)).finish();
  else await list?.finish();
  return written;
}

/** Writes what is not there yet, in order. */
async function writeFiles({ publishing, folder }: Writing, files: readonly TreeFile[]): Promise<readonly string[]> {
  const { reader } = publishing;
  const writes = await changedFiles(reader.io, folder, files);
  await writeTree(withoutProgress(reader), { folder, writes, uploadList: undefined });
  return writes.map(({ path }) => path);
}

/** Progress is told in vehicles, not in files. */
function withoutProgress(reader: Reader): Reader {
  const start: Progress['start'] = () => ({ advance: () => undefined, done: () => undefined });
  return { ...reader, io: { ...reader.io, progress: { ...reader.io.progress, start } } };
}

/** The Director's complete roots, rising, where they lie in its tree. */
export function directorRoots(repository: Repository): readonly PublishedFile[] {
  const role = findRole(repository, { repository: 'director', name: 'root' });
  if (role === undefined) return [];
  return completeVersions(repository, role).map((version) => {
    const complete = completeAt(repository, role, version);
    if (complete === undefined) throw failure('INTERNAL', `director/root ${version} is not complete`);
    return { role: 'root', version, path: `metadata/${version}.root.json`, bytes: complete.file };
  });
}

function newest(roots: readonly PublishedFile[]): PublishedFile {
  const root = roots.at(-1);
  if (root === undefined) throw failure('DIRECTOR_ROOT_MISSING', 'the Director has no complete root');
  return root;
}

function record(repository: Repository, { vehicles, changed, root }: Omit<PublishDirectorAnswer, 'written' | 'notes'>) {
  const summary = `published director/root ${root} and ${changed} of ${vehicles} vehicles`;
  repository.transact({ command: 'publish director', summary }, (tx) => {
    writeSetting(tx, 'published-director', `${tx.now}`);
    tx.about('role:director');
  });
}

function notesOn(reader: Reader, { withoutEnvelope }: Plan): readonly string[] {
  const ahead =
    'the Image repository has versions that are not published, and vehicles look up there what they are told';
  return [
    ...(isAllPublished(reader) ? [] : [`${ahead}: \`secureev publish image\``]),
    ...envelopeNotes(withoutEnvelope),
  ];
}

function envelopeNotes(withoutEnvelope: Plan['withoutEnvelope']): readonly string[] {
  const [first] = withoutEnvelope;
  if (first === undefined) return [];
  const count = new Set(withoutEnvelope.map(({ vehicle }) => vehicle)).size;
  const example = `${first.target} for vehicle ${first.vehicle}`;
  return [`${count} vehicles have no envelope of what they are assigned, e.g. ${example}: \`secureev envelope add\``];
}
