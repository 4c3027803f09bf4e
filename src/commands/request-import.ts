/** `secureev request import`: the signatures of offline signers. */
import type { Command } from 'commander';
import { importAnswers } from '../ops/repository/request-import.ts';
import { outcomeJson, outcomesText } from '../render/role-outcomes.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('verify the signatures of offline signers, take them in, and say who is still missing')
    .argument('<sig...>', 'F.sig');
  example(dryRunFlag(command), 'secureev request import root-2-a.sig root-2-b.sig');
}

/** Takes the signatures in. */
export async function run(call: Call): Promise<Outcome> {
  const input = { repository: repositoryChoice(call), files: call.rest, dryRun: flag(call, 'dryRun') };
  const outcomes = await importAnswers(input, call.io);
  const complete = outcomes.every(({ state }) => state === 'complete');
  return { result: { complete, roles: outcomes.map(outcomeJson) }, text: outcomesText(outcomes) };
}
