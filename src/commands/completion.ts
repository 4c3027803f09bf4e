/** `secureev completion bash|zsh|fish`: a script that completes commands and flags. */
import { Argument, Command } from 'commander';
import { SHELLS, completionScript } from '../render/completion.ts';
import type { CompletedCommand } from '../render/completion.ts';
import type { Call, CommandEntry, Outcome } from './command.ts';
import { argument, example } from './flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';

export function configure(command: Command): void {
  command.addArgument(new Argument('<shell>', 'the shell').choices(SHELLS));
  example(command, 'source <(secureev completion bash)');
}

export async function run(call: Call): Promise<Outcome> {
  // The list of commands names this one, so it is asked for only now.
  const { COMMANDS } = await import('./index.ts');
  const wanted = argument(call, 0, 'SHELL');
  const shell = SHELLS.find((known) => known === wanted) ?? 'bash';
  const script = completionScript(shell, await Promise.all(COMMANDS.map(completed)));
  return { result: { shell, script }, text: script };
}

async function completed({ path, summary, load }: CommandEntry): Promise<CompletedCommand> {
  const command = new Command();
  for (const { flags } of GLOBAL_FLAGS) command.option(flags);
  (await load()).configure(command);
  const named = command.options.map(({ long, required }) => ({ long: long ?? '', required }));
  return {
    path,
    summary,
    flags: [...named.map(({ long }) => long), '--help'],
    valued: named.filter(({ required }) => required).map(({ long }) => long),
  };
}
