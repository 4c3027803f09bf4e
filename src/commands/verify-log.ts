/** `secureev verify log`: whether the audit log is whole. */
import type { Command } from 'commander';
import { verifyLog } from '../ops/report/verify-log.ts';
import { checkList } from '../render/checks.ts';
import type { Call, Outcome } from './command.ts';
import { atFlag, example, fixedNow, repositoryChoice, rootFlag, text, texts } from './flags.ts';
import { reportFlags, writeReport } from './report-flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('verify the audit log, by itself and against what published Snapshots have signed of it')
    .option('--anchor <published>', 'a published tree, kept where nobody who can write here can write');
  example(
    reportFlags(atFlag(rootFlag(command))),
    'secureev verify log --anchor /mnt/cdn/public --root trust/root.json',
  );
}

/** Verifies the log. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    anchor: text(call, 'anchor'),
    root: text(call, 'root') ?? call.io.environment.get('SECUREEV_ROOT'),
    now: fixedNow(call),
    allowSkip: texts(call, 'allowSkip'),
  };
  const { checks, length, head, refusal } = await verifyLog(input, call.io);
  await writeReport(call, 'verify log', checks);
  const result = { checks, length, head };
  return { result, text: checkList(checks), ...(refusal === undefined ? {} : { failure: refusal }) };
}
