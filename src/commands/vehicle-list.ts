/** `secureev vehicle list`: vehicles by VIN, a page at a time. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { listVehicles } from '../ops/fleet/vehicles.ts';
import { vehiclesText } from '../render/vehicles.ts';
import type { Call, Outcome } from './command.ts';
import { example, integer, repositoryChoice, text } from './flags.ts';

const LIMIT = 1000;

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('list vehicles by VIN')
    .option('--model <model>', 'of this model only')
    .option('--after <vin>', 'begin after this VIN')
    .option('--limit <n>', `at most so many (default: ${LIMIT})`);
  example(command, 'secureev vehicle list --model EV-1');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    model: text(call, 'model'),
    after: text(call, 'after'),
    limit: integer(call, 'limit', { min: 1 }) ?? LIMIT,
  };
  const page = await listVehicles(input, call.io);
  const vehicles = page.vehicles.map((vehicle) => ({ ...vehicle, addedAt: formatInstant(vehicle.addedAt) }));
  return { result: { ...page, vehicles }, text: vehiclesText(page) };
}
