/** `secureev log`: who changed what, when. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { readLog } from '../ops/report/log.ts';
import { logText } from '../render/log.ts';
import type { Call, Outcome } from './command.ts';
import { example, instant, integer, repositoryChoice, text } from './flags.ts';

const SUBJECTS = ['vehicle', 'release', 'key', 'role'] as const;

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('show the audit log: who changed what, when')
    .option('--vehicle <vin>', 'only what is about this vehicle')
    .option('--release <name>', 'only what is about this release')
    .option('--role <role>', 'only what is about this role')
    .option('--key <id>', 'only what is about the key of this id')
    .option('--since <time>', 'only from this time on, YYYY-MM-DDTHH:MM:SSZ')
    .option('--limit <count>', 'the newest that many entries', '1000');
  example(command, 'secureev log --release 2026.11 --since 2026-11-01T00:00:00Z');
}

/** Reads and shows the log. */
export async function run(call: Call): Promise<Outcome> {
  const subject = subjectOf(call);
  const limit = integer(call, 'limit', { min: 1, max: 1_000_000 }) ?? 1000;
  const input = { repository: repositoryChoice(call), subject, since: instant(call, 'since'), limit };
  const { entries, length } = await readLog(input, call.io);
  const shown = entries.map((entry) => ({ ...entry, time: formatInstant(entry.time) }));
  return { result: { entries: shown, length }, text: logText(entries) };
}

function subjectOf(call: Call): string | undefined {
  const given = SUBJECTS.flatMap((kind) => {
    const value = text(call, kind);
    return value === undefined ? [] : [`${kind}:${value}`];
  });
  if (given.length > 1) throw failure('USAGE', 'give one of --vehicle, --release, --role and --key');
  return given[0];
}
