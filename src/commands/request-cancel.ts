/** `secureev request cancel`: gives up a version that waits for offline signatures. */
import type { Command } from 'commander';
import { discardRoles } from '../ops/repository/discard.ts';
import { discardedText } from '../render/discarded.ts';
import type { Call, Outcome } from './command.ts';
import { confirm, dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'give up the versions that requests went out for, with all that was staged since; their numbers are not used again',
    )
    .argument('<role...>', 'root, targets, snapshot, timestamp, or director/root');
  example(dryRunFlag(command), 'secureev request cancel targets');
}

/** Cancels them. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  if (!dryRun)
    await confirm(
      call,
      `give up what waits for signatures of ${call.rest.join(', ')}, and all that was staged for it since?`,
    );
  const discarded = await discardRoles({ repository: repositoryChoice(call), roles: call.rest, dryRun }, call.io);
  return { result: { roles: discarded }, text: discardedText(discarded) };
}
