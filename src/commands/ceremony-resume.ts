/** `secureev ceremony resume`: goes on with a ceremony where it was interrupted, or gives it up. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { abortCeremony, loadCeremony, resumeCeremony } from '../ops/keys/ceremony/run.ts';
import { ceremonyReport } from '../render/ceremony-report.ts';
import { ceremonyAnswerText } from '../render/ceremony.ts';
import { answersAreForRehearsals, answersFlag, withAsker } from './ceremony-asker.ts';
import type { Call, Outcome } from './command.ts';
import { argument, confirm, example, flag, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('go on with a ceremony at the step where it was interrupted')
    .argument('<folder>', "the ceremony's folder")
    .option('--abort', 'give the ceremony up, for good, and record that')
    .option('--reason <text>', 'why it is given up');
  example(
    answersFlag(command),
    'secureev ceremony resume ceremony',
    "secureev ceremony resume ceremony --abort --reason 'a medium broke'",
  );
}

/** Goes on, or gives up. */
export async function run(call: Call): Promise<Outcome> {
  const folder = argument(call, 0, 'FOLDER').replace(/(?<=.)\/+$/, '');
  const answer = flag(call, 'abort') ? await abort(call, folder) : await resume(call, folder);
  return { result: { ...answer }, text: ceremonyAnswerText(answer) };
}

async function abort(call: Call, folder: string) {
  const reason = text(call, 'reason');
  if (reason === undefined || reason.trim() === '') throw failure('USAGE', '--abort needs --reason');
  await confirm(call, `give up the ceremony in ${folder}, for good?`);
  return await abortCeremony({ folder, reason }, call.io);
}

async function resume(call: Call, folder: string) {
  const { rehearsal } = await loadCeremony(folder, call.io);
  if (text(call, 'answers') !== undefined && !rehearsal) throw answersAreForRehearsals();
  return await withAsker(call, (asker) => resumeCeremony({ folder, asker, report: ceremonyReport }, call.io));
}
