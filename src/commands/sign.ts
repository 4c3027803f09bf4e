/** `secureev sign`: the next versions of what has changed, and the signatures that can be added. */
import type { Command } from 'commander';
import { signRoles } from '../ops/repository/sign.ts';
import { outcomeJson, outcomesText } from '../render/role-outcomes.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, keyFlags, passphraseChoice, repositoryChoice, texts } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'make the next version of roles that changed and add signatures, in any order and by any subset of signers',
    )
    .argument('<role...>', 'root, targets, snapshot, timestamp, or director/root');
  example(
    dryRunFlag(keyFlags(command)),
    'secureev sign root --key keys/root-a.key --key keys/root-b.key',
    'secureev sign targets snapshot timestamp --key targets.key --key snapshot.key --key timestamp.key',
  );
}

/** Signs. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    roles: call.rest,
    signers: texts(call, 'key'),
    passphrases: passphraseChoice(call),
    dryRun: flag(call, 'dryRun'),
  };
  const { outcomes, complete } = await signRoles(input, call.io);
  return { result: { complete, roles: outcomes.map(outcomeJson) }, text: outcomesText(outcomes) };
}
