/** `secureev key revoke`: what a lost key means, and what to do about it. */
import type { Command } from 'commander';
import { revokeSigningKey } from '../ops/repository/key-revoke.ts';
import { revocationText } from '../render/revocation.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, requiredText } from './flags.ts';

const SOMETHING_DUE = 6;

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('find a lost key in every role, escrow and vehicle, stage its removal, and say who must sign what')
    .argument('<keyid>', 'its id, or the first 8 digits')
    .requiredOption('--reason <text>', 'why, for the log');
  example(dryRunFlag(command), "secureev key revoke 3f9a01c4 --reason 'laptop stolen, INC-4711'");
}

/** Revokes the key; 6 where a replacement is needed. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const keyId = argument(call, 0, 'KEYID').toLowerCase();
  const input = { repository: repositoryChoice(call), keyId, reason: requiredText(call, 'reason'), dryRun };
  const answer = await revokeSigningKey(input, call.io);
  const text = revocationText(answer, dryRun);
  return { result: { ...answer, dryRun }, text, ...(answer.complete ? {} : { status: SOMETHING_DUE }) };
}
