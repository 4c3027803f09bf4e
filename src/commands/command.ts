/** What a subcommand is: the contract between `commands/index.ts`, each command file and `main.ts`. */
import type { Command } from 'commander';
import type { Io } from '../core/ports.ts';

/** One line of `commands/index.ts`: known at start, its module loaded only when called. */
export interface CommandEntry {
  /** The words after `secureev`, e.g. `verify bundle`. */
  readonly path: string;
  /** One line for `--help`. */
  readonly summary: string;
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
  /** Exit status where it is not 0 although nothing failed (e.g. 6 when something is due). */
  readonly status?: number;
}

/** A command file's exports. */
export interface CommandModule {
  /** Declares arguments, flags, description and an example; global flags are declared by `main.ts`. */
  configure(command: Command): void;
  run(call: Call): Promise<Outcome>;
}
