/** `sign director`: the vehicles whose assignments changed, or that were never signed. */
import type { Vin } from '../../../core/brands.ts';
import type { Io } from '../../../core/ports.ts';
import type { PassphraseChoice } from '../../../signers/signer.ts';
import { changedVehicles, directorFileFacts, everyVehicle, isChanged } from '../../../store/director.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import type { Repository } from '../../../store/repository.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { openSigners } from '../../repository/sign.ts';
import { directorDefinitions, openDirectorKeys } from './keys.ts';
import { keysHaveChanged, noteKeys } from './rotation.ts';
import { signVehicles } from './sign-vehicles.ts';
import type { SignedVehicles } from './sign-vehicles.ts';
import { vehicleIds } from './vehicle-ids.ts';
import type { VehicleIds } from './vehicle-ids.ts';

/** Which vehicles to sign with which keys. */
export interface SignDirectorInput {
  readonly repository: RepositoryChoice;
  /** Only these, signed for the first time where they never were; all that changed where it is empty. */
  readonly vins: readonly Vin[];
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly dryRun?: boolean | undefined;
}

/** What was signed, or with a dry run would be. */
export interface SignDirectorAnswer extends Partial<SignedVehicles> {
  readonly vehicles: number;
}

/** Signs changed vehicles. @throws REPOSITORY_HELD, DIRECTOR_ROOT_MISSING, DIRECTOR_KEYS_MISSING, VEHICLE_UNKNOWN, INTERRUPTED */
export async function signDirector(input: SignDirectorInput, io: Io): Promise<SignDirectorAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  directorDefinitions(repository);
  using signers = await openSigners(repository, input);
  const vehicles = chosenVehicles(repository, input.vins);
  await using keys = await openDirectorKeys(repository, signers.keys, vehicles.count);
  if (input.dryRun === true) return { vehicles: vehicles.count, warnings: keys.warnings };
  noteKeys(repository);
  if (vehicles.count === 0) return { vehicles: 0 };
  return await signVehicles(repository, {
    keys,
    vehicles,
    command: 'sign director',
    summary: `signs the Director's metadata of ${vehicles.count} vehicles, list ${vehicles.hash(io.engine)}`,
    about: ['role:director'],
    resume: 'go on with `secureev sign director --key ...`',
  });
}

function chosenVehicles(repository: Repository, vins: readonly Vin[]): VehicleIds {
  // New keys leave no signed vehicle as it is.
  const isRotated = keysHaveChanged(repository);
  if (vins.length === 0) return vehicleIds(isRotated ? everyVehicle(repository) : changedVehicles(repository));
  const ids = [...new Set(vins)].map((vin) => vehicleOfVin(repository, vin).id);
  const isDue = (id: string): boolean =>
    isRotated || isChanged(repository, id) || directorFileFacts(repository, id).size === 0;
  return vehicleIds(ids.filter(isDue));
}
