/** `secureev --help` and the help on a word such as `verify`: made from the list of commands, no module loaded. */
import { COMMAND_GROUPS } from './command.ts';
import type { CommandEntry } from './command.ts';

/** The help on the commands that begin with `words`; on the whole program where that is empty. */
export function overview(words: string, commands: readonly CommandEntry[]): string {
  const chosen = commands.filter(({ path }) => words === '' || path.startsWith(`${words} `));
  const width = Math.max(...chosen.map(({ path }) => path.length));
  const sections = COMMAND_GROUPS.map((group) => {
    const lines = chosen.filter((entry) => entry.group === group);
    return [group, ...lines.map(({ path, summary }) => `  ${path.padEnd(width)}  ${summary}`)];
  });
  return [
    `Usage: secureev ${words === '' ? 'COMMAND' : `${words} COMMAND`} [flags]`,
    ...(words === '' ? ['Signs, packages, encrypts and verifies vehicle firmware for Uptane repositories.'] : []),
    ...sections.filter((section) => section.length > 1).map((section) => section.join('\n')),
    `\`secureev ${words === '' ? '' : `${words} `}COMMAND --help\` tells a command's flags and gives an example.`,
  ].join('\n\n');
}
