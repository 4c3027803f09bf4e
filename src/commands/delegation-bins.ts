/** `secureev delegation bins`: spreads all targets of a role over hashed bins. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { addBins } from '../ops/repository/delegation-add.ts';
import { newDelegationText } from '../render/delegations.ts';
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
  text,
  texts,
} from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'stage hashed bins: each target goes to one of N roles by the hash of its name, all with the same keys',
    )
    .argument('<n>', 'how many: a power of two from 2 to 65536')
    .addOption(repeatable('--key <pub>', 'a public key, NAME.pub'))
    .option('--threshold <n>', 'how many of the keys must sign')
    .option('--expires <duration>', 'how long their versions live (90d)')
    .option('--under <role>', 'whose targets', 'targets')
    .option('--prefix <name>', 'how their names begin: bins-00, bins-01, ...', 'bins')
    .option('--move', 'move the targets that the role lists already');
  example(
    dryRunFlag(command),
    'secureev delegation bins 256 --under images --key keys/images.pub',
    'secureev sign targets bins snapshot timestamp --key ...',
  );
}

/** Stages the bins. */
export async function run(call: Call): Promise<Outcome> {
  const publicFiles = texts(call, 'key');
  if (publicFiles.length === 0) throw failure('USAGE', '--key is missing', { flag: '--key' });
  const count = argument(call, 0, 'N');
  const bins = /^\d{1,6}$/.test(count) ? Number(count) : Number.NaN;
  const input = {
    repository: repositoryChoice(call),
    bins,
    namePrefix: text(call, 'prefix') ?? 'bins',
    under: text(call, 'under') ?? 'targets',
    publicFiles,
    threshold: integer(call, 'threshold', { min: 1, max: 1000 }),
    lifetimeSeconds: durationSeconds(call, 'expires'),
    move: flag(call, 'move'),
    dryRun: flag(call, 'dryRun'),
  };
  const added = await addBins(input, call.io);
  return { result: { ...added, bins }, text: newDelegationText(added, `${bins} hashed bins`) };
}
