/** `secureev target remove`: takes a target out of the next version. */
import type { Command } from 'commander';
import { parseTargetName } from '../core/brands.ts';
import { removeTarget } from '../ops/repository/targets.ts';
import { removedTargetText } from '../render/targets.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares the argument. */
export function configure(command: Command): void {
  command.description('stage the removal of a target').argument('<target>', 'its target name');
  example(dryRunFlag(command), 'secureev target remove EV-1/BMS/2.0.0/bms.bin');
}

/** Stages the removal. */
export async function run(call: Call): Promise<Outcome> {
  const name = parseTargetName(argument(call, 0, 'TARGET'));
  const assigned = await removeTarget(
    { repository: repositoryChoice(call), name, dryRun: flag(call, 'dryRun') },
    call.io,
  );
  return { result: { removed: name, assigned }, text: removedTargetText(name, assigned) };
}
