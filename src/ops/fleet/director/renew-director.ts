/** `renew director`: signs the files of vehicles again that expire soon, saying the same as before. */
import type { Io } from '../../../core/ports.ts';
import type { PassphraseChoice } from '../../../signers/signer.ts';
import { dueVehicles } from '../../../store/director.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { openSigners } from '../../repository/sign.ts';
import { dueTimes } from './due.ts';
import { danglingAssignments } from './image-targets.ts';
import { directorDefinitions, openDirectorKeys } from './keys.ts';
import type { SignDirectorAnswer } from './sign-director.ts';
import { signVehicles } from './sign-vehicles.ts';
import { vehicleIds } from './vehicle-ids.ts';

/** What to renew with which keys. */
export interface RenewDirectorInput {
  readonly repository: RepositoryChoice;
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
  readonly withinSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
}

/** Renews; new assignments wait for `sign director`. @throws as `signDirector` */
export async function renewDirector(input: RenewDirectorInput, io: Io): Promise<SignDirectorAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  const renew = dueTimes(directorDefinitions(repository), io.clock.now(), input.withinSeconds);
  using signers = await openSigners(repository, input);
  const vehicles = vehicleIds(dueVehicles(repository, renew));
  if (vehicles.count === 0) return { vehicles: 0 };
  await using keys = await openDirectorKeys(repository, signers.keys, vehicles.count);
  const warnings = [...keys.warnings, ...danglingAssignments(repository)];
  if (input.dryRun === true) return { vehicles: vehicles.count, warnings };
  const signed = await signVehicles(repository, {
    keys,
    vehicles,
    renew,
    command: 'renew',
    summary: `renews the Director's metadata of ${vehicles.count} vehicles, list ${vehicles.hash(io.engine)}`,
    about: ['role:director'],
    resume: 'go on with `secureev renew director --key ...`',
  });
  return { ...signed, warnings };
}
