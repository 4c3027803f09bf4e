/** `secureev ceremony run`: holds a root key ceremony. */
import type { Command } from 'commander';
import { runCeremony } from '../ops/keys/ceremony/run.ts';
import { ceremonyReport } from '../render/ceremony-report.ts';
import { ceremonyAnswerText } from '../render/ceremony.ts';
import { answersAreForRehearsals, answersFlag, withAsker } from './ceremony-asker.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, flag, requiredText, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'hold a root key ceremony: one step at a time, each written to a transcript; Ctrl-C stops, `resume` goes on',
    )
    .argument('<plan>', 'the plan, as `ceremony plan` wrote it and people edited it')
    .requiredOption(
      '--out <folder>',
      "the ceremony's folder, for transcript, public keys and roots; private keys go to the media",
    )
    .option('--rehearsal', 'mark keys and repository so that production refuses them; a network and swap are allowed');
  example(
    answersFlag(command),
    'secureev ceremony run ceremony.yaml --out rehearsal --rehearsal',
    'secureev ceremony run ceremony.yaml --out ceremony',
  );
}

/** Holds the ceremony. */
export async function run(call: Call): Promise<Outcome> {
  const planFile = argument(call, 0, 'PLAN');
  const folder = requiredText(call, 'out').replace(/(?<=.)\/+$/, '');
  const rehearsal = flag(call, 'rehearsal');
  if (text(call, 'answers') !== undefined && !rehearsal) throw answersAreForRehearsals();
  const answer = await withAsker(call, (asker) =>
    runCeremony({ planFile, folder, rehearsal, asker, report: ceremonyReport }, call.io),
  );
  return { result: { ...answer }, text: ceremonyAnswerText(answer) };
}
