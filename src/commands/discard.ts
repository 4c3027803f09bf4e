/** `secureev discard`: drops what is staged. */
import type { Command } from 'commander';
import { discardRoles } from '../ops/repository/discard.ts';
import { discardedText } from '../render/discarded.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('drop what is staged for roles, and cancel a version that waits for signatures')
    .argument('<role...>', 'the roles');
  example(dryRunFlag(command), 'secureev discard targets');
}

/** Discards. */
export async function run(call: Call): Promise<Outcome> {
  const input = { repository: repositoryChoice(call), roles: call.rest, dryRun: flag(call, 'dryRun') };
  const discarded = await discardRoles(input, call.io);
  return { result: { roles: discarded }, text: discardedText(discarded) };
}
