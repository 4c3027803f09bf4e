/** `secureev role change`: every later change of a role's keys. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { changeRole } from '../ops/repository/role-change.ts';
import { comingRootText, definitionText, membersChangeText, quorumChangeText } from '../render/roles.ts';
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
    .description('stage a change of the keys of a role')
    .argument('<role>', 'the role, or escrow')
    .addOption(repeatable('--add <pub>', 'a public key to add, NAME.pub'))
    .addOption(repeatable('--remove <keyid>', 'a key to take away, by its id or the first 8 digits'))
    .addOption(repeatable('--replace <keyid=pub>', 'a key to put in the place of another'))
    .option('--threshold <n>', 'how many of the keys must sign')
    .option('--expires <duration>', 'how long its versions live')
    .option('--shorter-expiry', 'allow --expires to be shorter than it was')
    .option('--allow-revoked', 'take back the revocation of a key that was revoked by mistake');
  example(
    dryRunFlag(command),
    'secureev role change root --replace 3f9a01c4=keys/root-d.pub',
    'secureev role change root --add keys/root-d.pub --add keys/root-e.pub --threshold 3',
  );
}

/** Stages the change. */
export async function run(call: Call): Promise<Outcome> {
  const role = argument(call, 0, 'ROLE');
  const input = {
    repository: repositoryChoice(call),
    role,
    add: texts(call, 'add'),
    remove: texts(call, 'remove'),
    replace: texts(call, 'replace').map(replacement),
    threshold: integer(call, 'threshold', { min: 1, max: 1000 }),
    lifetimeSeconds: durationSeconds(call, 'expires'),
    shorterExpiry: flag(call, 'shorterExpiry'),
    allowRevoked: flag(call, 'allowRevoked'),
    dryRun: flag(call, 'dryRun'),
  };
  const { before, after, warnings, notes, root } = await changeRole(input, call.io);
  const lines = [quorumChangeText(role, before, after), ...membersChangeText(before.members, after.members)];
  lines.push(definitionText(role, after), ...warnings.map((warning) => `warning: ${warning}`));
  if (root !== null) lines.push(comingRootText(root));
  lines.push(...notes.map((note) => `note: ${note}`));
  return { result: { role, before, after, warnings, notes, root }, text: lines.join('\n') };
}

/** Reads `OLD=NEW.pub`. @throws USAGE */
export function replacement(text: string): { old: string; file: string } {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1)
    throw failure('USAGE', '--replace is not of the form OLD=NEW.pub', { found: text });
  return { old: text.slice(0, at), file: text.slice(at + 1) };
}
