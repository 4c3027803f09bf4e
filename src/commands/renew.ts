/** `secureev renew`: signs again what has under half its life left; for cron and CI. */
import type { Command } from 'commander';
import { EXIT } from '../core/errors.ts';
import { renewRoles } from '../ops/repository/renew.ts';
import { outcomeJson, outcomesText } from '../render/role-outcomes.ts';
import type { Call, Outcome } from './command.ts';
import {
  dryRunFlag,
  durationSeconds,
  example,
  flag,
  keyFlags,
  passphraseChoice,
  repositoryChoice,
  texts,
} from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('sign again what has under half its life left; exit status 6 when something is due and unsigned')
    .argument('[role...]', 'the roles to look at (default: all)')
    .option('--within <duration>', 'what expires within this time, instead of half its life');
  example(dryRunFlag(keyFlags(command)), 'secureev renew --within 12h --key snapshot.key --key timestamp.key');
}

/** Renews. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    roles: call.rest,
    signers: texts(call, 'key'),
    passphrases: passphraseChoice(call),
    withinSeconds: durationSeconds(call, 'within'),
    dryRun: flag(call, 'dryRun'),
  };
  const { outcomes, due } = await renewRoles(input, call.io);
  const text = outcomes.length === 0 ? 'nothing is due' : outcomesText(outcomes);
  const overdue = due.length === 0 ? '' : `\ndue and not signed: ${due.join(', ')}`;
  const result = { due, roles: outcomes.map(outcomeJson) };
  return { result, text: text + overdue, ...(due.length === 0 ? {} : { status: EXIT.policy }) };
}
