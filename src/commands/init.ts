/** `secureev init`: a new repository. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { initRepository } from '../ops/repository/init.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, requiredText, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('make a repository: Image and Director in one folder')
    .argument('<dir>', 'the folder')
    .requiredOption('--name <name>', 'what it is called, e.g. the manufacturer')
    .option('--dialect <dialect>', 'how metadata is written', 'tuf');
  example(dryRunFlag(command), "secureev init oem --name 'Example Motors'");
}

/** Makes the repository. */
export async function run(call: Call): Promise<Outcome> {
  const name = requiredText(call, 'name');
  if (!/^[\x20-\x7e]{1,128}$/.test(name)) throw failure('USAGE', '--name is not 1 to 128 printable ASCII characters');
  const input = { folder: argument(call, 0, 'DIR'), name, dialect: text(call, 'dialect') ?? 'tuf' };
  const made = await initRepository({ ...input, dryRun: flag(call, 'dryRun') }, call.io);
  const next = 'next: make keys with `secureev keygen`, then `secureev role set root --key ...`';
  return { result: { ...made, folder: input.folder }, text: `made the repository ${name} in ${input.folder}\n${next}` };
}
