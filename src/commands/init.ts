/** `secureev init`: a new repository. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { initFromCeremony } from '../ops/repository/init-from-ceremony.ts';
import { initRepository } from '../ops/repository/init.ts';
import { ceremonyReport } from '../render/ceremony-report.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, requiredText, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('make a repository: Image and Director in one folder')
    .argument('<dir>', 'the folder')
    .option('--name <name>', "what it is called, e.g. the manufacturer (default with --from-ceremony: its plan's)")
    .option('--dialect <dialect>', 'how metadata is written: tuf (default), or aktualizr for libaktualizr vehicles')
    .option(
      '--from-ceremony <folder>',
      'begin with the roots, keys and id of a root key ceremony, which is verified first',
    )
    .option('--rehearsal', 'for trying things out: takes example keys and rehearsed ceremonies, and is marked so');
  example(
    dryRunFlag(command),
    "secureev init oem --name 'Example Motors'",
    'secureev init oem --from-ceremony ceremony',
  );
}

/** Makes the repository. */
export async function run(call: Call): Promise<Outcome> {
  const ceremony = text(call, 'fromCeremony');
  const name = ceremony === undefined ? requiredText(call, 'name') : text(call, 'name');
  if (name !== undefined && !/^[\x20-\x7e]{1,128}$/.test(name)) {
    throw failure('USAGE', '--name is not 1 to 128 printable ASCII characters');
  }
  const dialect = text(call, 'dialect');
  const wishes = { folder: argument(call, 0, 'DIR'), rehearsal: flag(call, 'rehearsal'), dryRun: flag(call, 'dryRun') };
  const made =
    ceremony === undefined
      ? await initRepository({ ...wishes, name: name ?? '', dialect: dialect ?? 'tuf' }, call.io)
      : await initFromCeremony({ ...wishes, name, dialect, ceremony, report: ceremonyReport }, call.io);
  const next =
    ceremony === undefined
      ? `next: make keys with \`secureev keygen${schemeFor(made.dialect)}\`, then \`secureev role set root --key ...\``
      : 'next: `secureev status`, then `secureev root export -o root.json`';
  return {
    result: { ...made, folder: wishes.folder },
    text: `made the repository ${made.name} in ${wishes.folder}\n${next}`,
  };
}

/** The default scheme's keys are none that aktualizr vehicles read. */
function schemeFor(dialect: string): string {
  return dialect === 'aktualizr' ? ' --scheme hybrid-ed25519' : '';
}
