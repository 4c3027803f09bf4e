/** `secureev target list`: what the next version of Targets lists. */
import type { Command } from 'commander';
import { listTargets } from '../ops/repository/targets.ts';
import { targetJson, targetsText } from '../render/targets.ts';
import type { Call, Outcome } from './command.ts';
import { example, integer, repositoryChoice, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('list targets, staged ones included')
    .option('--prefix <text>', 'only names that begin with this')
    .option('--limit <count>', 'at most that many', '1000');
  example(command, 'secureev target list --prefix EV-1/BMS/');
}

/** Lists the targets. */
export async function run(call: Call): Promise<Outcome> {
  const limit = integer(call, 'limit', { min: 1, max: 1_000_000 }) ?? 1000;
  const input = { repository: repositoryChoice(call), prefix: text(call, 'prefix') ?? '', limit };
  const { targets, more } = await listTargets(input, call.io);
  return { result: { targets: targets.map(targetJson), more }, text: targetsText(targets, more) };
}
