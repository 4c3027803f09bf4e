/** `secureev delegation change`: keys, paths, threshold, place and other terms of a delegation. */
import type { Command } from 'commander';
import { parseName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { changeDelegation } from '../ops/repository/delegation-change.ts';
import { delegationChangeText } from '../render/delegations.ts';
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
import { replacement } from './role-change.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('stage a change of a delegation, or of the keys of hashed bins')
    .argument('<name>', 'the delegation, or the prefix of bins')
    .addOption(repeatable('--add <pub>', 'a public key to add, NAME.pub'))
    .addOption(repeatable('--remove <keyid>', 'a key to take away, by its id or the first 8 digits'))
    .addOption(repeatable('--replace <keyid=pub>', 'a key to put in the place of another'))
    .option('--role <name>', 'whose keys, where several roles must agree')
    .option('--threshold <n>', 'how many of the keys must sign')
    .option('--expires <duration>', 'how long its versions live')
    .addOption(repeatable('--add-path <pattern>', 'a path to add'))
    .addOption(repeatable('--remove-path <pattern>', 'a path to take away'))
    .addOption(repeatable('--hardware <id>', 'the hardware ids instead of those before'))
    .option('--any-hardware', 'for any hardware')
    .option('--terminating', 'no later delegation is asked for these paths')
    .option('--no-terminating', 'later delegations are asked too')
    .option('--agree <n>', 'how many of several roles must list the same')
    .option('--before <name>', 'put it before this delegation')
    .option('--last', 'put it after all others')
    .option('--move', 'move targets of its paths that are listed above it')
    .option('--allow-revoked', 'take back the revocation of a key that was revoked by mistake');
  example(
    dryRunFlag(command),
    'secureev delegation change bundles --replace 3f9a01c4=keys/packaging-2.pub',
    "secureev delegation change brakes --add-path 'EV-2/BRAKES/*/*' --before bundles",
  );
}

/** Stages the change. */
export async function run(call: Call): Promise<Outcome> {
  const hardware = texts(call, 'hardware').map((id) => parseName(id, 'hardware id'));
  const terminating = call.options['terminating'];
  const before = text(call, 'before');
  if (before !== undefined && flag(call, 'last')) throw failure('USAGE', '--before and --last exclude each other');
  const input = {
    repository: repositoryChoice(call),
    name: argument(call, 0, 'NAME'),
    role: text(call, 'role'),
    add: texts(call, 'add'),
    remove: texts(call, 'remove'),
    replace: texts(call, 'replace').map(replacement),
    threshold: integer(call, 'threshold', { min: 1, max: 1000 }),
    lifetimeSeconds: durationSeconds(call, 'expires'),
    addPaths: texts(call, 'addPath'),
    removePaths: texts(call, 'removePath'),
    hardwareIds: flag(call, 'anyHardware') ? [] : hardware.length === 0 ? undefined : hardware,
    terminating: typeof terminating === 'boolean' ? terminating : undefined,
    agreement: integer(call, 'agree', { min: 1, max: 1000 }),
    before: flag(call, 'last') ? null : before,
    move: flag(call, 'move'),
    allowRevoked: flag(call, 'allowRevoked'),
    dryRun: flag(call, 'dryRun'),
  };
  const changed = await changeDelegation(input, call.io);
  return { result: { ...changed }, text: delegationChangeText(changed) };
}
