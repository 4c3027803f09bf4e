/**
 * What a Director had given to vehicles after the backup was made, taken over from its published tree: its roots, and of
 * each vehicle of the backup the last files, and from them what is assigned.
 *
 * Invariants: every file is verified from the Director's root of the backup; a vehicle's numbers only rise; a few vehicles
 * are in memory at a time.
 */
import { instantOf } from '../../../core/brands.ts';
import { equalBytes } from '../../../core/bytes.ts';
import { failure, SecureevError } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { DirectorEntry } from '../../../formats/metadata/director-targets.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../../formats/metadata/limits.ts';
import type { Envelope, Root } from '../../../formats/metadata/types.ts';
import { assign, assignmentsOf, unassign } from '../../../store/assignments.ts';
import { clearChanged, directorFileFacts, putDirectorFile } from '../../../store/director.ts';
import type { VehicleRole } from '../../../store/director.ts';
import { findVehicleById, vehicles } from '../../../store/fleet.ts';
import { vehicleEcus } from '../../../store/inventory.ts';
import type { Reader, Tx } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { findRole } from '../../../store/roles.ts';
import { lastComplete } from '../../../store/versions.ts';
import { takeDirectorTargets } from '../../../trust/director.ts';
import { metadataFileName } from '../../../trust/file-names.ts';
import { TRUST_LIMITS } from '../../../trust/limits.ts';
import { nextRoot, pinRoot } from '../../../trust/root-chain.ts';
import type { TrustSource } from '../../../trust/source.ts';
import { updateFrom } from '../../../trust/update.ts';
import { vehicleIds } from '../../fleet/director/vehicle-ids.ts';
import { directorSource } from '../director-tree.ts';
import { isUrl, treeSource } from '../tree-source.ts';
import { knownPublicFiles } from './key-definitions.ts';
import { takeRoot } from './take-over.ts';
import type { TakenVersion } from './take-over.ts';

/** Where the Director's tree may be. */
export interface DirectorPlace {
  /** The tree of the Image repository, or a folder with `image` and `director` in it. */
  readonly published: string;
  /** The Director's own tree. */
  readonly director: string | undefined;
  readonly neverPublished: boolean;
}

/** What was taken over of the Director. */
export interface DirectorTaken {
  readonly roots: readonly TakenVersion[];
  /** Vehicles whose files were newer in the tree than in the backup. */
  readonly vehicles: number;
}

/** Vehicles read at once, and taken over in one transaction. */
const AT_ONCE = 16;

/** Takes over the Director's part; undefined where the backup has no Director. @throws RESTORE_DIRECTOR_MISSING, TRUST_* */
export async function takeOverDirector(
  repository: Repository,
  place: DirectorPlace,
): Promise<DirectorTaken | undefined> {
  const { io } = repository;
  const role = findRole(repository, { repository: 'director', name: 'root' });
  const pinned = role === undefined ? undefined : lastComplete(repository, role)?.file;
  if (pinned === undefined || place.neverPublished) return undefined;
  const tree = await directorTree(io, place);
  const roots = await walkRoots(io, treeSource(io, tree).metadata, pinned);
  const taken = continued(repository, (tx) => {
    const known = knownPublicFiles(tx);
    return roots.map((root, i) => takeRoot(tx, { kind: 'director', root, signers: roots[i - 1] ?? root, known }));
  });
  const newest = roots.at(-1)?.bytes ?? pinned;
  const count = await takeVehicles(repository, tree, newest);
  return { roots: taken.filter((one) => one !== undefined), vehicles: count };
}

/** The entry of the log that the restore writes says it all. */
function continued<T>(repository: Repository, work: (tx: Tx) => T): T {
  return repository.transact({ command: 'restore', summary: '', continues: true }, work);
}

async function directorTree(io: Io, { published, director }: DirectorPlace): Promise<string> {
  if (director !== undefined) return director;
  const beside = `${published}/director`;
  if (!isUrl(published) && (await io.files.status(`${beside}/metadata`)) !== undefined) return beside;
  throw new SecureevError('RESTORE_DIRECTOR_MISSING', {
    message: 'the backup has a Director, and what it has given to vehicles since is not known',
    hint: 'name its tree with --published-director DIR-or-URL; if nothing of it was ever published, say --director-never-published',
  });
}

/** The pinned root and those after it, rising. */
async function walkRoots(io: Io, source: TrustSource, pinned: Uint8Array): Promise<readonly Envelope<Root>[]> {
  const terms = { limits: TRUST_LIMITS, requireHybrid: false, kind: 'director', maxStalenessSeconds: 0 } as const;
  let set = pinRoot(pinned, { engine: io.engine, now: instantOf(0), ...terms });
  const { version: first } = set.root.verified.signed;
  const own = await source.fetch(metadataFileName('root', first), METADATA_BYTES_MAX.root);
  if (own === undefined) throw failure('TRUST_FILE_MISSING', `the Director's tree has no root ${first}`);
  if (!equalBytes(own, pinned)) {
    throw failure('RESTORE_OTHER', `the published director/root ${first} is not the one of the backup`);
  }
  const roots = [set.root.verified];
  while (roots.length <= TRUST_LIMITS.rootRotationsMax) {
    const bytes = await source.fetch(metadataFileName('root', first + roots.length), METADATA_BYTES_MAX.root);
    if (bytes === undefined) break;
    set = nextRoot(set, bytes);
    roots.push(set.root.verified);
  }
  return roots;
}

async function takeVehicles(repository: Repository, tree: string, pinnedRoot: Uint8Array): Promise<number> {
  const { io } = repository;
  const ids = vehicleIds(idsOf(repository));
  const task = io.progress.start("reading the Director's tree", ids.count, 'items');
  let taken = 0;
  for (let at = 0; at < ids.count; at += AT_ONCE) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; nothing was restored');
    const batch = ids.slice(at, AT_ONCE);
    const read = await Promise.all(batch.map((id) => readVehicle(repository, { tree, id, pinnedRoot })));
    const newer = read.filter((vehicle) => vehicle !== undefined);
    if (newer.length > 0) continued(repository, (tx) => newer.forEach((vehicle) => takeVehicle(tx, vehicle)));
    taken += newer.length;
    task.advance(batch.length);
  }
  task.done();
  return taken;
}

function* idsOf(reader: Reader): Iterable<string> {
  for (const { id } of vehicles(reader)) yield id;
}

interface ReadVehicle {
  readonly id: string;
  readonly files: readonly { readonly role: VehicleRole; readonly envelope: Envelope }[];
  readonly entries: readonly DirectorEntry[];
}

/** A vehicle's files, verified; undefined where the tree has none, or none that is newer. */
async function readVehicle(
  reader: Reader,
  { tree, id, pinnedRoot }: { tree: string; id: string; pinnedRoot: Uint8Array },
): Promise<ReadVehicle | undefined> {
  const { io } = reader;
  const source = directorSource(io, tree, id);
  const bytes = await source.fetch(metadataFileName('timestamp', undefined), METADATA_BYTES_MAX.timestamp);
  const known = directorFileFacts(reader, id).get('timestamp')?.version ?? 0;
  if (bytes === undefined || decodeRole(bytes, 'timestamp').unverified.signed.version <= known) return undefined;
  const set = await updateFrom(source, { engine: io.engine, pinnedRoot, now: instantOf(0), kind: 'director' });
  const vin = findVehicleById(reader, id)?.vin;
  const { entries } = takeDirectorTargets(set, { vin, vehicleId: id }).verified;
  const [targets, snapshot, timestamp] = [set.targets.get('targets')?.file, set.snapshot, set.timestamp];
  if (targets === undefined || snapshot === undefined || timestamp === undefined)
    throw new RangeError('an update without files');
  const files = [
    { role: 'targets' as const, envelope: targets.verified },
    { role: 'snapshot' as const, envelope: snapshot.verified },
    { role: 'timestamp' as const, envelope: timestamp.verified },
  ];
  return { id, files, entries };
}

function takeVehicle(tx: Tx, { id, files, entries }: ReadVehicle): void {
  for (const { role, envelope } of files) {
    const { bytes: file, signed } = envelope;
    const { version, expires } = signed;
    const facts = { role, version, expires, length: file.length, sha256: sha256(tx.io.engine, file) };
    putDirectorFile(tx, id, { ...facts, file });
  }
  takeAssignments(tx, id, entries);
  clearChanged(tx, id);
}

/** What is assigned is what the vehicle was told last. */
function takeAssignments(tx: Tx, id: string, entries: readonly DirectorEntry[]): void {
  const bySerial = new Map(
    vehicleEcus(tx, id).flatMap(({ ecu, serial }) => (serial === null ? [] : [[serial, ecu] as const])),
  );
  const told = new Map(
    entries.flatMap(({ name, ecus }) => [...ecus.keys()].map((ecu) => [bySerial.get(ecu) ?? ecu, name] as const)),
  );
  const before = assignmentsOf(tx, id);
  for (const { ecu } of before) if (!told.has(ecu)) unassign(tx, id, ecu);
  const same = new Map<string, string>(before.map(({ ecu, target }) => [ecu, target]));
  const targets = [...told].flatMap(([ecu, target]) => (same.get(ecu) === target ? [] : [{ ecu, target }]));
  assign(tx, id, { targets, campaign: null });
}
