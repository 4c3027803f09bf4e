/** `secureev backup`: a whole repository in one file. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { backUp } from '../ops/repository/backup.ts';
import { backupText } from '../render/backups.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      'write the whole repository, database and objects, to one file (a tar) that only its owner may read\n\nIt holds no private keys. Keep it where the published tree is not, and restore it with `secureev restore`.',
    )
    .argument('<file>', 'the backup')
    .option('--overwrite', 'replace the file if it is there');
  example(dryRunFlag(command), 'secureev backup /mnt/backup/oem-2026-11-21.tar');
}

/** Writes the backup. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    out: argument(call, 0, 'FILE'),
    overwrite: flag(call, 'overwrite'),
    dryRun: flag(call, 'dryRun'),
  };
  const made = await backUp(input, call.io);
  const result = { ...made, created: formatInstant(made.created), file: input.out, dryRun: input.dryRun };
  return { result, text: backupText({ ...made, file: input.out, dryRun: input.dryRun }) };
}
