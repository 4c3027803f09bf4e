/**
 * `publish provisioning`: what an ECU gets at the factory, so that it believes the right repositories from its first day.
 * See `formats/provisioning/FORMAT.md`.
 *
 * Invariant: a set holds complete versions that belong together and that a client accepts now.
 *
 * @see Uptane 2.1.0 section 5.4.2 (U25)
 */
import { parseVersion } from '../../core/brands.ts';
import type { Vin } from '../../core/brands.ts';
import { fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { isSignatureId } from '../../crypto/signatures/index.ts';
import { sha256 } from '../../crypto/hash.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { cHeader, HEADER_NAME } from '../../formats/provisioning/c-header.ts';
import type { HeaderKey, HeaderRoot } from '../../formats/provisioning/c-header.ts';
import { DESCRIPTION_NAME, encodeDescription } from '../../formats/provisioning/description.ts';
import type { ProvisionedRoot } from '../../formats/provisioning/description.ts';
import { directorFile, VEHICLE_ROLES } from '../../store/director.ts';
import { vehicleOfVin } from '../../store/fleet.ts';
import type { Vehicle } from '../../store/fleet.ts';
import type { Repository } from '../../store/repository.ts';
import type { KeyThreshold } from '../../trust/role-policy.ts';
import { rootPolicy } from '../../trust/state.ts';
import { directorRoots } from '../fleet/director/publish-director.ts';
import { readVins } from '../release/envelope-recipients.ts';
import { refuseIfHeld } from './hold.ts';
import { counted } from './kit-work.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { mapFile } from './map-locations.ts';
import type { MapLocations } from './map-locations.ts';
import { collectPublication } from './publication.ts';
import type { Publication, PublishedFile } from './publication.ts';
import { changedFiles, writeTree } from './tree-writer.ts';
import { refusePlace } from './publish-place.ts';
import type { PlainFile } from './tree-writer.ts';
import { verifyPublication } from './verify-publication.ts';

/** What goes where. */
export interface PublishProvisioningInput {
  readonly repository: RepositoryChoice;
  readonly folder: string;
  readonly vins: readonly Vin[];
  readonly vehicles?: string | undefined;
  /** Where ECUs will find the Image repository, in the order in which to try. */
  readonly imageUrls: readonly string[];
  /** The same of the Director. */
  readonly directorUrls: readonly string[];
  readonly dryRun?: boolean | undefined;
}

/** What was written. */
export interface PublishProvisioningAnswer {
  /** SHA-256 of the root files, hex; null without a Director. */
  readonly imageRoot: string;
  readonly directorRoot: string | null;
  readonly vehicles: number;
  readonly written: readonly string[];
  readonly unchanged: number;
  readonly notes: readonly string[];
}

/** @throws REPOSITORY_HELD, ROLE_NOT_COMPLETE, PUBLISH_REFUSED, PUBLISH_LINK, DIRECTOR_NOT_SIGNED, VEHICLE_UNKNOWN, MAP_MALFORMED, DISK_FULL */
export async function publishProvisioning(input: PublishProvisioningInput, io: Io): Promise<PublishProvisioningAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  await refusePlace(repository, input.folder);
  const vehicles = (await readVins(io, input.vins, input.vehicles)).map((vin) => vehicleOfVin(repository, vin));
  const publication = collectPublication(repository);
  await verifyPublication(io, publication);
  const directorRoot = directorRoots(repository).at(-1);
  if (directorRoot === undefined && vehicles.length > 0) throw noDirector();
  const sources: Sources = { repository, input, publication, directorRoot };
  const sets = vehicles.length === 0 ? setFiles(sources, undefined) : vehicles.flatMap((one) => setFiles(sources, one));
  const files = [...sets, { path: HEADER_NAME, bytes: utf8(headerOf(sources)) }];
  const writes = await changedFiles(io, input.folder, files);
  if (input.dryRun !== true && writes.length > 0) {
    await writeTree(repository, { folder: input.folder, writes, uploadList: undefined });
    record(repository, vehicles);
  }
  return {
    imageRoot: fingerprintOf(io, newest(publication)),
    directorRoot: directorRoot === undefined ? null : fingerprintOf(io, directorRoot),
    vehicles: vehicles.length,
    written: writes.map(({ path }) => path),
    unchanged: files.length - writes.length,
    notes: notesOn(sources, vehicles.length),
  };
}

interface Sources {
  readonly repository: Repository;
  readonly input: PublishProvisioningInput;
  readonly publication: Publication;
  readonly directorRoot: PublishedFile | undefined;
}

/** The full and the partial set of one vehicle, or what all vehicles have in common. */
function setFiles(sources: Sources, vehicle: Vehicle | undefined): readonly PlainFile[] {
  const within = vehicle === undefined ? '' : `${vehicle.id}/`;
  const director = directorFiles(sources, vehicle);
  const partial = director.filter(({ path }) => path === 'root.json' || path === 'targets.json');
  return [
    ...imageFiles(sources.publication).map((file) => below(`${within}full/image`, file)),
    ...director.map((file) => below(`${within}full/director`, file)),
    ...mapFile(mapOf(sources)).map((file) => below(`${within}full`, file)),
    ...partial.map((file) => below(`${within}partial/director`, file)),
    { path: `${within}${DESCRIPTION_NAME}`, bytes: description(sources, vehicle) },
  ];
}

function below(folder: string, { path, bytes }: PlainFile): PlainFile {
  return { path: `${folder}/${path}`, bytes };
}

/** One file a role, without numbers: as a client keeps what it trusts. */
function imageFiles(publication: Publication): readonly PlainFile[] {
  const { targets, snapshot, timestamp } = publication;
  const top = targets.filter(({ role }) => role === 'targets');
  return [newest(publication), timestamp, snapshot, ...top].map(({ role, bytes }) => ({ path: `${role}.json`, bytes }));
}

function newest({ roots }: Publication): PublishedFile {
  const root = roots.at(-1);
  if (root === undefined) throw failure('ROLE_NOT_COMPLETE', 'root has no complete version yet');
  return root;
}

function directorFiles({ repository, directorRoot }: Sources, vehicle: Vehicle | undefined): readonly PlainFile[] {
  if (directorRoot === undefined) return [];
  const root = { path: 'root.json', bytes: directorRoot.bytes };
  if (vehicle === undefined) return [root];
  const files = VEHICLE_ROLES.map((role) => {
    const found = directorFile(repository, vehicle.id, role);
    if (found === undefined) throw notSigned(vehicle);
    return { path: `${role}.json`, bytes: found.file };
  });
  return [root, ...files];
}

/** A Director that there is not yet is not in the map. */
function mapOf({ input, directorRoot }: Sources): MapLocations {
  const { imageUrls, directorUrls } = input;
  return { imageUrls, directorUrls: directorRoot === undefined ? [] : directorUrls };
}

/** What the set is, and the time at which it was made: the first that an ECU without a clock may believe. */
function description({ repository, publication, directorRoot }: Sources, vehicle: Vehicle | undefined): Uint8Array {
  const { io, identity } = repository;
  return encodeDescription({
    time: io.clock.now(),
    repository: identity.uuid,
    dialect: identity.dialect,
    imageRoot: provisionedRoot(io, newest(publication)),
    directorRoot: directorRoot === undefined ? null : provisionedRoot(io, directorRoot),
    vehicle: vehicle === undefined ? null : { id: vehicle.id, vin: vehicle.vin },
  });
}

function provisionedRoot(io: Io, { version, bytes }: PublishedFile): ProvisionedRoot {
  return { version: parseVersion(version), sha256: sha256(io.engine, bytes) };
}

function fingerprintOf(io: Io, { bytes }: PublishedFile): string {
  return toHex(sha256(io.engine, bytes));
}

function headerOf({ repository, publication, directorRoot }: Sources): string {
  const image = headerRoot(repository, 'image', newest(publication));
  return cHeader(directorRoot === undefined ? [image] : [image, headerRoot(repository, 'director', directorRoot)]);
}

function headerRoot({ io, identity }: Repository, kind: HeaderRoot['kind'], file: PublishedFile): HeaderRoot {
  const { signed } = decodeRole(file.bytes, 'root').unverified;
  const { classical, postQuantum } = rootPolicy(signed, 'root');
  return {
    kind,
    repository: identity.uuid,
    version: signed.version,
    sha256: sha256(io.engine, file.bytes),
    classical: headerKeys(classical),
    postQuantum: postQuantum === undefined ? { threshold: 0, keys: [] } : headerKeys(postQuantum),
  };
}

function headerKeys({ keys, threshold }: KeyThreshold): HeaderRoot['classical'] {
  const listed = [...keys.values()].map(({ algorithm, keyId, bytes }): HeaderKey => {
    if (!isSignatureId(algorithm)) throw failure('INTERNAL', `a root key of ${algorithm}`);
    return { algorithm, keyId: fromHex(keyId), bytes };
  });
  return { threshold, keys: listed };
}

function record(repository: Repository, vehicles: readonly Vehicle[]): void {
  const summary = `made provisioning sets for ${vehicles.length === 0 ? 'no vehicle in particular' : counted(vehicles.length, 'vehicle')}`;
  repository.transact({ command: 'publish provisioning', summary }, (tx) => {
    tx.about(...vehicles.map(({ vin }) => `vehicle:${vin}`));
    // The log says what left the house, though nothing else in the database changes.
    tx.sql("UPDATE settings SET value = value WHERE name = 'name'").run();
  });
}

function notesOn({ input, directorRoot }: Sources, vehicles: number): readonly string[] {
  return [
    ...(directorRoot === undefined
      ? ['there is no Director yet: the sets are those of the Image repository alone']
      : []),
    ...(directorRoot !== undefined && vehicles === 0
      ? ["the Director's Targets, Snapshot and Timestamp are each vehicle's own: name vehicles to have them"]
      : []),
    ...(input.imageUrls.length === 0
      ? ['no map.json: say with --image-url (and --director-url) where they will be']
      : []),
    ...(input.imageUrls.length > 0 && directorRoot !== undefined && input.directorUrls.length === 0
      ? ['map.json lists the Image repository alone: no --director-url was given']
      : []),
  ];
}

function noDirector(): SecureevError {
  return new SecureevError('DIRECTOR_ROOT_MISSING', {
    message: 'vehicles are named, but there is no complete root of the Director',
    hint: 'make one with `secureev role set director/...` and `secureev sign director/root`, or name no vehicle',
  });
}

function notSigned({ vin }: Vehicle): SecureevError {
  return new SecureevError('DIRECTOR_NOT_SIGNED', {
    message: `the Director has signed nothing for vehicle ${vin} yet`,
    hint: '`secureev assign` something to it, then `secureev sign director --key ...`',
    details: { vin },
  });
}
