/** `secureev vehicle key set`: the key that a vehicle's envelopes go to from now on. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { setVehicleKey } from '../ops/fleet/vehicles-keys.ts';
import { vehicleKeyText } from '../render/vehicles.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, requiredText } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('give a vehicle an encryption key; the one it had is revoked')
    .argument('<vin>', 'its vehicle identification number')
    .requiredOption('--encryption-key <pub>', 'the public key: NAME.pub');
  example(dryRunFlag(command), 'secureev vehicle key set 5YJ3E1EA0KF000316 --encryption-key keys/car-1b.pub');
}

/** Sets the key. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    vin: parseVin(argument(call, 0, 'VIN')),
    encryptionKey: requiredText(call, 'encryptionKey'),
    dryRun,
  };
  const key = await setVehicleKey(input, call.io);
  return { result: { ...key, dryRun }, text: vehicleKeyText(key, dryRun) };
}
