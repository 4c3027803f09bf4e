/** `secureev manifest list`: what vehicles have reported, and which attacks. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { listManifests } from '../ops/fleet/manifests/list-manifests.ts';
import { manifestJson, manifestsText } from '../render/manifests.ts';
import type { Call, Outcome } from './command.ts';
import { example, flag, integer, repositoryChoice, text } from './flags.ts';

const LIMIT = 100;

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('list the vehicle version manifests on record, the newest first')
    .option('--vin <vin>', 'of this vehicle only')
    .option('--attacks', 'only those in which an ECU tells of an attack')
    .option('--limit <n>', `at most so many (default: ${LIMIT})`);
  example(command, 'secureev manifest list --attacks');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const vin = text(call, 'vin');
  const input = {
    repository: repositoryChoice(call),
    vin: vin === undefined ? undefined : parseVin(vin),
    attacks: flag(call, 'attacks'),
    limit: integer(call, 'limit', { min: 1 }) ?? LIMIT,
  };
  const manifests = await listManifests(input, call.io);
  return { result: { manifests: manifests.map(manifestJson) }, text: manifestsText(manifests) };
}
