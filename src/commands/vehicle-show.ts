/** `secureev vehicle show`: all there is to know of one vehicle. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { showVehicle } from '../ops/fleet/vehicles.ts';
import { vehicleJson, vehicleText } from '../render/vehicles.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, repositoryChoice } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('show a vehicle, its keys, and what was sealed to it')
    .argument('<vin>', 'its vehicle identification number');
  example(command, 'secureev vehicle show 5YJ3E1EA0KF000316');
}

/** Shows it. */
export async function run(call: Call): Promise<Outcome> {
  const details = await showVehicle(
    { repository: repositoryChoice(call), vin: parseVin(argument(call, 0, 'VIN')) },
    call.io,
  );
  return { result: vehicleJson(details), text: vehicleText(details) };
}
