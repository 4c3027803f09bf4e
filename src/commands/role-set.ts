/** `secureev role set`: the first keys of a role, or the escrow key. */
import type { Command } from 'commander';
import { SecureevError } from '../core/errors.ts';
import { setRole } from '../ops/repository/role-set.ts';
import { definitionText } from '../render/roles.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  durationSeconds,
  example,
  flag,
  integer,
  repeatable,
  repositoryChoice,
  texts,
} from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('stage the first keys of a role')
    .argument('<role>', 'root, targets, snapshot, timestamp, the same behind director/, or escrow')
    .addOption(repeatable('--key <pub>', 'a public key, NAME.pub'))
    .option('--threshold <n>', 'how many of the keys must sign')
    .option('--expires <duration>', 'how long its versions live (root 365d, targets 90d, snapshot 30d, timestamp 1d)');
  example(dryRunFlag(command), 'secureev role set root --key a.pub --key b.pub --key c.pub --threshold 2');
}

/** Stages the keys. */
export async function run(call: Call): Promise<Outcome> {
  const publicFiles = texts(call, 'key');
  if (publicFiles.length === 0) throw keyMissing();
  const input = {
    repository: repositoryChoice(call),
    role: argument(call, 0, 'ROLE'),
    publicFiles,
    threshold: integer(call, 'threshold', { min: 1, max: 1000 }),
    lifetimeSeconds: durationSeconds(call, 'expires'),
    dryRun: flag(call, 'dryRun'),
  };
  const { definition, warnings } = await setRole(input, call.io);
  const lines = [definitionText(input.role, definition), ...warnings.map((warning) => `warning: ${warning}`)];
  return { result: { role: input.role, ...definition, warnings }, text: lines.join('\n') };
}

function keyMissing(): SecureevError {
  return new SecureevError('USAGE', {
    message: '--key is missing',
    hint: 'to change threshold or lifetime of a role that has keys, use `role change`',
    details: { flag: '--key' },
  });
}
