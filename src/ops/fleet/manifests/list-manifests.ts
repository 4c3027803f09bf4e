/** `manifest list`: what vehicles have reported. */
import type { Vin } from '../../../core/brands.ts';
import type { Io } from '../../../core/ports.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import { manifestsOnRecord } from '../../../store/manifests.ts';
import type { ManifestOnRecord } from '../../../store/manifests.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';

/** Which manifests. */
export interface ManifestListInput {
  readonly repository: RepositoryChoice;
  /** Of this vehicle only. */
  readonly vin?: Vin | undefined;
  /** Only those that tell of an attack. */
  readonly attacks: boolean;
  readonly limit: number;
}

/** Manifests on record, the newest first. @throws VEHICLE_UNKNOWN */
export async function listManifests(input: ManifestListInput, io: Io): Promise<readonly ManifestOnRecord[]> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const { vin, attacks, limit } = input;
  if (vin !== undefined) vehicleOfVin(repository, vin);
  return manifestsOnRecord(repository, { vin, attacks, limit });
}
