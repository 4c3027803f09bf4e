/** `secureev renew`: signs again what has under half its life left; for cron and CI. */
import type { Command } from 'commander';
import { EXIT, failure } from '../core/errors.ts';
import { renewDirector } from '../ops/fleet/director/renew-director.ts';
import type { RenewDirectorInput } from '../ops/fleet/director/renew-director.ts';
import { renewRoles } from '../ops/repository/renew.ts';
import { directorSignedText } from '../render/director.ts';
import { outcomeJson, outcomesText, warningLines } from '../render/role-outcomes.ts';
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
    .argument('[role...]', 'the roles to look at (default: all of the Image repository), or director: every vehicle')
    .option('--within <duration>', 'what expires within this time, instead of half its life');
  example(
    dryRunFlag(keyFlags(command)),
    'secureev renew --within 12h --key snapshot.key --key timestamp.key',
    'secureev renew director --within 12h --key director.key',
  );
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
  if (call.rest.includes('director')) return await runDirector(call, input);
  const { outcomes, due, warnings } = await renewRoles(input, call.io);
  const text = outcomes.length === 0 ? 'nothing is due' : outcomesText(outcomes);
  const overdue = due.length === 0 ? [] : [`due and not signed: ${due.join(', ')}`];
  const result = { due, roles: outcomes.map(outcomeJson), warnings };
  const lines = [text, ...overdue, ...warningLines(warnings)];
  return { result, text: lines.join('\n'), ...(due.length === 0 ? {} : { status: EXIT.policy }) };
}

/** The Director's vehicles have online keys of their own, so they are renewed on their own. */
async function runDirector(call: Call, input: RenewDirectorInput & { dryRun: boolean }): Promise<Outcome> {
  if (call.rest.length > 1) throw failure('USAGE', 'director is renewed on its own: its keys serve no other role');
  const director = await renewDirector(input, call.io);
  const { dryRun } = input;
  return { result: { director, dryRun }, text: directorSignedText(director, { verb: 'renewed', dryRun }) };
}
