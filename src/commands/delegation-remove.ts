/** `secureev delegation remove`: stops delegating. */
import type { Command } from 'commander';
import { removeDelegation } from '../ops/repository/delegation-change.ts';
import { removedDelegationText } from '../render/delegations.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('stage the removal of a delegation, or of hashed bins')
    .argument('<name>', 'the delegation, or the prefix of bins');
  example(dryRunFlag(command), 'secureev delegation remove brakes');
}

/** Stages the removal. */
export async function run(call: Call): Promise<Outcome> {
  const input = { repository: repositoryChoice(call), name: argument(call, 0, 'NAME'), dryRun: flag(call, 'dryRun') };
  const removed = await removeDelegation(input, call.io);
  return { result: { ...removed }, text: removedDelegationText(removed) };
}
