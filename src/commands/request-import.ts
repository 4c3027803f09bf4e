/** `secureev request import`: the signatures of offline signers. */
import type { Command } from 'commander';
import { importAnswers } from '../ops/repository/request-import.ts';
import { completionText } from '../render/requests.ts';
import { outcomeJson, outcomesText, warningLines } from '../render/role-outcomes.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, repeatable, repositoryChoice, texts } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('verify the signatures of offline signers, take them in, and say who is still missing')
    .argument('<sig...>', 'F.sig')
    .addOption(repeatable('--bundle <file>', 'a bundle that signatures came for; it is completed in place'));
  example(
    dryRunFlag(command),
    'secureev request import root-2-a.sig root-2-b.sig',
    'secureev request import ZG.sig --bundle bundles/ZG.otap',
  );
}

/** Takes the signatures in. */
export async function run(call: Call): Promise<Outcome> {
  const bundles = texts(call, 'bundle');
  const input = { repository: repositoryChoice(call), files: call.rest, bundles, dryRun: flag(call, 'dryRun') };
  const answer = await importAnswers(input, call.io);
  const complete =
    answer.roles.every(({ state }) => state === 'complete') && answer.bundles.every((one) => one.complete);
  const words = [
    ...(answer.roles.length === 0 ? [] : [outcomesText(answer.roles)]),
    ...answer.bundles.map(completionText),
    ...warningLines(answer.warnings),
  ];
  return {
    result: { complete, roles: answer.roles.map(outcomeJson), bundles: answer.bundles, warnings: answer.warnings },
    text: words.join('\n'),
  };
}
