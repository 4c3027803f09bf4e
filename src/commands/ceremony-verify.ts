/** `secureev ceremony verify`: checks a ceremony's folder offline. */
import type { Command } from 'commander';
import { CEREMONY_CHECKS, verifyCeremony } from '../ops/keys/ceremony/verify.ts';
import { ceremonyReport } from '../render/ceremony-report.ts';
import { checkList } from '../render/checks.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, flag, texts } from './flags.ts';
import { reportFlags, writeReport } from './report-flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      `check a ceremony offline; exit status 3 unless every check passes\n\nChecks: ${Object.keys(CEREMONY_CHECKS).join(', ')}`,
    )
    .argument('<folder>', "the ceremony's folder")
    .option('--rehearsal', 'accept a rehearsal');
  example(reportFlags(command), 'secureev ceremony verify ceremony');
}

/** Verifies the ceremony. */
export async function run(call: Call): Promise<Outcome> {
  const folder = argument(call, 0, 'FOLDER').replace(/(?<=.)\/+$/, '');
  const allowSkip = texts(call, 'allowSkip');
  const input = { folder, rehearsal: flag(call, 'rehearsal'), allowSkip, report: ceremonyReport };
  const { checks, refusal } = await verifyCeremony(input, call.io);
  await writeReport(call, 'ceremony verify', checks);
  const outcome = {
    result: { folder, verified: refusal === undefined, checks },
    text: `${folder}: ${refusal === undefined ? 'VERIFIED' : 'NOT VERIFIED'}\n${checkList(checks)}`,
  };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}
