/** `secureev delegation add`: hands paths to another role. */
import type { Command } from 'commander';
import { parseName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { addDelegation } from '../ops/repository/delegation-add.ts';
import type { DelegatedKey } from '../ops/repository/delegation-add.ts';
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
    .description('stage a delegation: another role signs for the targets of some paths')
    .argument('<name>', 'the role, or with --multi-role the delegation')
    .addOption(repeatable('--path <pattern>', "a path; * and ? do not cross a /, e.g. 'bundles/*/*'"))
    .addOption(repeatable('--key <pub>', 'a public key, NAME.pub; with --multi-role ROLE=NAME.pub'))
    .option('--threshold <n>', 'how many of the keys must sign')
    .option('--expires <duration>', 'how long its versions live (90d)')
    .option('--under <role>', 'who delegates', 'targets')
    .addOption(repeatable('--hardware <id>', 'a hardware id that it may sign for; any where none is given'))
    .option('--terminating', 'no later delegation is asked for these paths')
    .option('--before <name>', 'put it before this delegation; last otherwise')
    .option('--multi-role', 'several roles, each with its keys, must list the same')
    .option('--agree <n>', 'with --multi-role, how many of them; all otherwise')
    .option('--move', 'move targets of these paths that are listed already');
  example(
    dryRunFlag(command),
    "secureev delegation add bundles --path 'bundles/*/*' --key keys/packaging.pub --expires 7d",
    "secureev delegation add brakes --path 'EV-1/BRAKES/*/*' --multi-role --key supplier=s.pub --key oem=o.pub",
  );
}

/** Stages the delegation. */
export async function run(call: Call): Promise<Outcome> {
  const multiRole = flag(call, 'multiRole');
  const keys = texts(call, 'key').map((key) => delegatedKey(key, multiRole));
  if (keys.length === 0) throw failure('USAGE', '--key is missing', { flag: '--key' });
  const paths = texts(call, 'path');
  const input = {
    repository: repositoryChoice(call),
    name: argument(call, 0, 'NAME'),
    under: text(call, 'under') ?? 'targets',
    paths,
    keys,
    threshold: integer(call, 'threshold', { min: 1, max: 1000 }),
    lifetimeSeconds: durationSeconds(call, 'expires'),
    hardwareIds: texts(call, 'hardware').map((id) => parseName(id, 'hardware id')),
    terminating: flag(call, 'terminating'),
    multiRole,
    agreement: integer(call, 'agree', { min: 1, max: 1000 }),
    before: text(call, 'before'),
    move: flag(call, 'move'),
    dryRun: flag(call, 'dryRun'),
  };
  const added = await addDelegation(input, call.io);
  return { result: { ...added, paths }, text: newDelegationText(added, paths.join(' ')) };
}

/** `ROLE=FILE` where several roles are meant, else a file. */
function delegatedKey(key: string, multiRole: boolean): DelegatedKey {
  const at = multiRole ? key.indexOf('=') : -1;
  return at < 1 ? { role: undefined, file: key } : { role: key.slice(0, at), file: key.slice(at + 1) };
}
