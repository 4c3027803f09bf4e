/** Parses one command's arguments and flags with commander. */
import { Command, CommanderError, Option } from 'commander';
import { SecureevError } from '../core/errors.ts';
import type { CommandEntry, CommandModule } from './command.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';

/** What the rest of a command line says: help was asked for, or the parts of a `Call`. */
export type Parsed =
  | { readonly help: string }
  | {
      readonly args: readonly string[];
      readonly rest: readonly string[];
      readonly options: Readonly<Record<string, unknown>>;
    };

/** Parses `argv`, the words after the command's own. @throws USAGE */
export function parseFlags(entry: CommandEntry, module: CommandModule, argv: readonly string[]): Parsed {
  let written = '';
  const command = new Command(`secureev ${entry.path}`)
    .description(entry.summary)
    .exitOverride()
    .configureOutput({ writeOut: (text) => (written += text), writeErr: () => undefined })
    .action(() => undefined);
  module.configure(command);
  for (const { flags, description } of GLOBAL_FLAGS) {
    command.addOption(new Option(flags, description).helpGroup('Flags of every command:'));
  }
  refuseRepeated(command);
  try {
    command.parse([...argv], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.code === 'commander.helpDisplayed') return { help: written.trimEnd() };
    throw usage(entry.path, thrown);
  }
  return { ...positional(command), options: command.opts() };
}

/** A flag given twice is a mistake unless it collects: which of the two roots was meant to be trusted? */
function refuseRepeated(command: Command): void {
  for (const option of command.options) {
    if (option.parseArg !== undefined || option.variadic) continue;
    let seen = false;
    command.on(`option:${option.name()}`, () => {
      if (seen) throw new SecureevError('USAGE', { message: `${option.long ?? option.flags} is given twice` });
      seen = true;
    });
  }
}

function positional(command: Command): { args: readonly string[]; rest: readonly string[] } {
  const args: string[] = [];
  const rest: string[] = [];
  for (const [i] of command.registeredArguments.entries()) {
    const value: unknown = command.processedArgs[i];
    if (typeof value === 'string') args.push(value);
    else if (Array.isArray(value)) rest.push(...value.filter((item) => typeof item === 'string'));
  }
  return { args, rest };
}

/** commander says `error: unknown option '--foo'` and, on a line of its own, `(Did you mean --food?)`. */
function usage(path: string, thrown: CommanderError): SecureevError {
  const [first = '', second = ''] = thrown.message.replace(/^error: /, '').split('\n');
  const meant = /^\(Did you mean (.*)\?\)$/.exec(second)?.[1];
  return new SecureevError('USAGE', {
    message: first.replace(/\.$/, ''),
    hint: meant === undefined ? `\`secureev ${path} --help\` tells its arguments and flags` : `did you mean ${meant}?`,
  });
}
