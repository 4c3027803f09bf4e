/** `secureev sign`: the next versions of what has changed, and the signatures that can be added. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { signDirector } from '../ops/fleet/director/sign-director.ts';
import type { SignDirectorInput } from '../ops/fleet/director/sign-director.ts';
import { signRoles } from '../ops/repository/sign.ts';
import { directorSignedText } from '../render/director.ts';
import { outcomeJson, outcomesText, warningLines } from '../render/role-outcomes.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, keyFlags, passphraseChoice, repeatable, repositoryChoice, texts } from './flags.ts';

/** Stands for every changed vehicle of the Director. */
const DIRECTOR = 'director';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'make the next version of roles that changed and add signatures, in any order and by any subset of signers',
    )
    .argument(
      '[role...]',
      'roles, delegated ones too, or director: vehicles that changed (default: what the keys may sign)',
    )
    .addOption(repeatable('--vehicle <vin>', 'of director: this vehicle, if it changed or was never signed'));
  example(
    dryRunFlag(keyFlags(command)),
    'secureev sign root --key keys/root-a.key --key keys/root-b.key',
    'secureev sign targets snapshot timestamp --key targets.key --key snapshot.key --key timestamp.key',
    'secureev sign director --key keys/director.key',
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
  if (call.rest.includes(DIRECTOR)) return await runDirector(call, input);
  const { outcomes, complete, warnings } = await signRoles(input, call.io);
  const lines = [outcomesText(outcomes), ...warningLines(warnings)];
  return { result: { complete, roles: outcomes.map(outcomeJson), warnings }, text: lines.join('\n') };
}

/** The Director's vehicles have online keys of their own, so they are signed on their own. */
async function runDirector(call: Call, input: Omit<SignDirectorInput, 'vins'> & { dryRun: boolean }): Promise<Outcome> {
  if (call.rest.length > 1) throw failure('USAGE', 'director is signed on its own: its keys serve no other role');
  const vins = texts(call, 'vehicle').map((vin) => parseVin(vin));
  const director = await signDirector({ ...input, vins }, call.io);
  const { dryRun } = input;
  const text = directorSignedText(director, { verb: 'signed', dryRun });
  return { result: { complete: !dryRun || director.vehicles === 0, director, dryRun }, text };
}
