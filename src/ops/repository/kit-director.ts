/** The Director's part of a kit: its roots, and the files of the kit's vehicles as `publish director` writes them. */
import { readDirectorTargets } from '../../formats/metadata/director-targets.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { Vehicle } from '../../store/fleet.ts';
import { directorFile } from '../../store/director.ts';
import type { Repository } from '../../store/repository.ts';
import { findRole } from '../../store/roles.ts';
import { directorRoots } from '../fleet/director/publish-director.ts';
import { vehiclePublication } from '../fleet/director/vehicle-publication.ts';
import type { TargetQuery } from '../../trust/find-target.ts';
import type { TreeFile } from './tree-writer.ts';

/** What the Director gives to a kit. */
export interface DirectorKit {
  readonly files: readonly TreeFile[];
  /** What these vehicles will look for in the Image repository. */
  readonly targets: readonly TargetQuery[];
  /** How many of the vehicles it has signed for. */
  readonly vehicles: number;
}

/** The Director's part for these vehicles; undefined where there is no Director, or where it signed for none of them. */
export function directorKit(repository: Repository, vehicles: readonly Vehicle[]): DirectorKit | undefined {
  const role = findRole(repository, { repository: 'director', name: 'root' });
  if (role === undefined || role.completeVersion === null) return undefined;
  const roots = directorRoots(repository);
  const newest = roots.at(-1);
  if (newest === undefined) return undefined;
  const root = decodeRole(newest.bytes, 'root').unverified.signed;
  const publishing = { reader: repository, dialect: dialectOf(repository.identity.dialect), root };
  const found = vehicles.flatMap(({ id }) => {
    const publication = vehiclePublication(publishing, id);
    return publication === undefined ? [] : [{ id, files: publication.files }];
  });
  if (found.length === 0) return undefined;
  const targets = found.flatMap(({ id }) => targetsFor(repository, id));
  return { files: [...roots, ...found.flatMap(({ files }) => files)], targets, vehicles: found.length };
}

function targetsFor(repository: Repository, vehicle: string): readonly TargetQuery[] {
  const file = directorFile(repository, vehicle, 'targets');
  const signed = file && decodeRole(file.file, 'targets').unverified.signed;
  const entries = signed === undefined ? [] : readDirectorTargets(signed).entries;
  return entries.flatMap(({ name, ecus }) => [
    { name },
    ...[...ecus.values()].map((hardwareId) => ({ name, hardwareId })),
  ]);
}
