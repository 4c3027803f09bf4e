/** `secureev diff`: what is staged, in words. */
import type { Command } from 'commander';
import { stagedChanges } from '../ops/report/diff.ts';
import { changeJson, diffText } from '../render/changes.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice } from './flags.ts';

/** Declares the arguments. */
export function configure(command: Command): void {
  command
    .description('show what the next versions change: staged, and waiting for signatures')
    .argument('[role...]', 'the roles (default: all)');
  example(command, 'secureev diff', 'secureev diff root');
}

/** Shows the changes. */
export async function run(call: Call): Promise<Outcome> {
  const diffs = await stagedChanges({ repository: repositoryChoice(call), roles: call.rest }, call.io);
  const shown = diffs.map(({ changes, ...diff }) => ({ ...diff, changes: changes.map(changeJson) }));
  return { result: { roles: shown }, text: diffText(diffs) };
}
