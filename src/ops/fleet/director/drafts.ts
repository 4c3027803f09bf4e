/** Which files a vehicle gets, and what they say: from its assignments when it changed, from its last ones when renewed. */
import type { Instant } from '../../../core/brands.ts';
import { parseVersion } from '../../../core/brands.ts';
import { failure } from '../../../core/errors.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import type { Targets } from '../../../formats/metadata/types.ts';
import { snapshotBody, timestampBody } from '../../../plan/bodies.ts';
import type { BodyFacts } from '../../../plan/bodies.ts';
import { directorTargetsBody } from '../../../plan/director-bodies.ts';
import type { EcuTarget } from '../../../plan/director-bodies.ts';
import { expiryOf } from '../../../plan/lifetime.ts';
import { versionAfter } from '../../../plan/next-version.ts';
import { logHead } from '../../../store/audit.ts';
import { assignedTargets, directorFile, directorFileFacts } from '../../../store/director.ts';
import type { DirectorFileFacts, DueTimes, VehicleRole } from '../../../store/director.ts';
import { findVehicleById } from '../../../store/fleet.ts';
import type { Reader } from '../../../store/reader.ts';
import type { Identity } from '../../../store/repository.ts';
import type { ImageTargets } from './image-targets.ts';
import type { VehicleDraft } from './vehicle-files.ts';

/** What drafts are made from. */
export interface Drafting {
  readonly reader: Reader;
  readonly identity: Identity;
  readonly now: Instant;
  readonly lifetimes: Readonly<Record<VehicleRole, number>>;
  readonly images: ImageTargets;
  /** Renew what expires by these times, and nothing else; without them all three files are made anew. */
  readonly renew: DueTimes | undefined;
}

type LastFiles = ReadonlyMap<VehicleRole, DirectorFileFacts>;

/** The draft of a vehicle; undefined where nothing of it is due. @throws DIRECTOR_TARGET_NOT_COMPLETE, ECU_TWICE */
export function draftOf(drafting: Drafting, vehicle: string): VehicleDraft | undefined {
  const last = directorFileFacts(drafting.reader, vehicle);
  const roles = rolesToMake(last, drafting.renew);
  if (roles.length === 0) return undefined;
  const targets = roles.includes('targets') ? targetsOf(drafting, vehicle, last) : undefined;
  const targetsVersion = targets?.version ?? last.get('targets')?.version ?? 1;
  const log = logHead(drafting.reader);
  const versions = new Map([['targets', targetsVersion]]);
  const snapshot = roles.includes('snapshot')
    ? snapshotBody(factsOf(drafting, 'snapshot', last), { versions, log })
    : undefined;
  const timestamp: VehicleDraft['timestamp'] = (made) => {
    const listed = made ?? last.get('snapshot');
    if (listed === undefined) throw failure('INTERNAL', 'a Timestamp without a Snapshot');
    const { version, length: sizeBytes, sha256 } = listed;
    return timestampBody(factsOf(drafting, 'timestamp', last), { version, sizeBytes, sha256 });
  };
  return { vehicle, targets, snapshot, timestamp };
}

/** A role is made anew with what it lists. */
function rolesToMake(last: LastFiles, renew: DueTimes | undefined): readonly VehicleRole[] {
  if (renew === undefined) return ['targets', 'snapshot', 'timestamp'];
  const isDue = (role: VehicleRole): boolean => (last.get(role)?.expires ?? Infinity) <= renew[role];
  if (isDue('targets')) return ['targets', 'snapshot', 'timestamp'];
  if (isDue('snapshot')) return ['snapshot', 'timestamp'];
  return isDue('timestamp') ? ['timestamp'] : [];
}

function factsOf({ identity, now, lifetimes }: Drafting, role: VehicleRole, last: LastFiles): BodyFacts {
  return {
    version: versionAfter(last.get(role)?.version ?? 0),
    expires: expiryOf(now, lifetimes[role]),
    repository: identity.uuid,
    kind: 'director',
  };
}

/** A renewal repeats what was signed: it must not approve an assignment in passing. */
function targetsOf(drafting: Drafting, id: string, last: LastFiles): Targets {
  const { reader } = drafting;
  const facts = factsOf(drafting, 'targets', last);
  const before = drafting.renew === undefined ? undefined : directorFile(reader, id, 'targets');
  if (before !== undefined) {
    const { signed } = decodeRole(before.file, 'targets').unverified;
    return { ...signed, version: parseVersion(facts.version), expires: facts.expires };
  }
  const vehicle = findVehicleById(reader, id);
  if (vehicle === undefined) throw failure('INTERNAL', `no vehicle has the id ${id}`);
  return directorTargetsBody(facts, vehicle, ecusOf(drafting, id));
}

function ecusOf({ reader, images }: Drafting, vehicle: string): readonly EcuTarget[] {
  return assignedTargets(reader, vehicle).map(({ ecu, target, serial, hardware }) => {
    if (hardware === null) throw failure('INTERNAL', `the model of a vehicle has no ECU ${ecu} any more`);
    return { identifier: serial ?? ecu, hardware, target: images.find(target) };
  });
}
