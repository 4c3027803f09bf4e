/** What a subcommand is: the contract between `commands/index.ts`, each command file and `main.ts`. */
import type { Command } from 'commander';
import type { SecureevError } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';

/** The headings of `secureev --help`, in its order. */
export const COMMAND_GROUPS = [
  'Repository and roles',
  'Keys',
  'Releases',
  'Fleet',
  'Verification',
  'This machine',
] as const;

/** A heading of `secureev --help`. */
export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** One line of `commands/index.ts`: known at start, its module loaded only when called. */
export interface CommandEntry {
  /** The words after `secureev`, e.g. `verify bundle`. */
  readonly path: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Under which heading `--help` lists it. */
  readonly group: CommandGroup;
  /** Malformed input is a refusal (exit status 3, not 4): for `verify`. */
  readonly refusesMalformed?: boolean;
  readonly load: () => Promise<CommandModule>;
}

/** What every command is called with. */
export interface Call {
  readonly io: Io;
  /** Positional arguments in order; optional ones that were not given are missing. */
  readonly args: readonly string[];
  /** A variadic argument's values, e.g. `ROLE...`. */
  readonly rest: readonly string[];
  /** Flags by camel-case name, global ones included; read them with `commands/flags.ts`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What a command answers with. */
export interface Outcome {
  /** The `result` of the `--json` document: plain JSON values only. */
  readonly result: Readonly<Record<string, unknown>>;
  /** The same for a person, without a final newline; from `render/`. */
  readonly text: string;
  /** Exit status where it is not 0 although nothing failed (e.g. 6 when something is due), or not that of the failure. */
  readonly status?: number;
  /** What failed although there is a result to show, e.g. the checks of `verify`: `ok` is false, its status is the exit status. */
  readonly failure?: SecureevError;
}

/** A command file's exports. */
export interface CommandModule {
  /** Declares arguments, flags, description and an example; global flags are declared by `main.ts`. */
  configure(command: Command): void;
  run(call: Call): Promise<Outcome>;
}
