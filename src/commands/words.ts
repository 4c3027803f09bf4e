/** Which command the words of a command line name, before any command's module is loaded. */
import { SecureevError } from '../core/errors.ts';
import { quote } from '../core/brands.ts';
import type { CommandEntry } from './command.ts';
import { globalFlagWords } from './global-flags.ts';
import { nearest } from './suggest.ts';

/** What a command line asks for. */
export type Request =
  /** Help on the program, or on the commands that begin with `words`. */
  | { readonly kind: 'help'; readonly words: string }
  | { readonly kind: 'command'; readonly entry: CommandEntry; readonly argv: readonly string[] };

interface Split {
  /** The command's words. */
  readonly words: readonly string[];
  /** All others, in order. */
  readonly rest: readonly string[];
  /** The first word that is neither a global flag nor a command's. */
  readonly stuckAt: string | undefined;
}

/** Finds the command that `argv` (without node and script) names. @throws USAGE */
export function parseRequest(argv: readonly string[], commands: readonly CommandEntry[]): Request {
  if (argv[0] === 'help') return parseRequest([...argv.slice(1), '--help'], commands);
  const { words, rest, stuckAt } = split(argv, commands);
  const path = words.join(' ');
  const entry = commands.find((candidate) => candidate.path === path);
  if (entry !== undefined) return { kind: 'command', entry, argv: rest };
  if (stuckAt?.startsWith('-') === true) throw unknownFlag(path, stuckAt);
  if (stuckAt !== undefined) throw unknownCommand(path, stuckAt, commands);
  if (rest.some((word) => word === '--help' || word === '-h')) return { kind: 'help', words: path };
  throw incomplete(path, commands);
}

/** The command that `argv` seems to mean, for the `command` of an error document: its words, or none. */
export function commandWords(argv: readonly string[], commands: readonly CommandEntry[]): string {
  return split(argv, commands).words.join(' ');
}

/** Takes the command's words out of `argv`; global flags may stand before and between them. */
function split(argv: readonly string[], commands: readonly CommandEntry[]): Split {
  const words: string[] = [];
  const flags: string[] = [];
  let at = 0;
  for (let taken = 1; at < argv.length && taken > 0; at += taken) {
    const word = argv[at] ?? '';
    taken = globalFlagWords(word);
    if (taken > 0) flags.push(...argv.slice(at, at + taken));
    else if (begins([...words, word].join(' '), commands)) taken = words.push(word) && 1;
  }
  return { words, rest: [...flags, ...argv.slice(at)], stuckAt: argv[at] };
}

function begins(words: string, commands: readonly CommandEntry[]): boolean {
  return commands.some(({ path }) => path === words || path.startsWith(`${words} `));
}

function following(path: string, commands: readonly CommandEntry[]): readonly string[] {
  const prefix = path === '' ? '' : `${path} `;
  const under = commands.filter((entry) => entry.path.startsWith(prefix));
  return [...new Set(under.map((entry) => entry.path.slice(prefix.length).split(' ')[0] ?? ''))];
}

function unknownCommand(path: string, word: string, commands: readonly CommandEntry[]): SecureevError {
  const meant = nearest(word, following(path, commands));
  const before = path === '' ? '' : `${path} `;
  return new SecureevError('USAGE', {
    message: `unknown command ${quote(`${before}${word}`)}`,
    hint: meant === undefined ? helpHint(path) : `did you mean \`secureev ${before}${meant}\`?`,
  });
}

function unknownFlag(path: string, flag: string): SecureevError {
  return new SecureevError('USAGE', { message: `unknown flag ${quote(flag)} before a command`, hint: helpHint(path) });
}

function incomplete(path: string, commands: readonly CommandEntry[]): SecureevError {
  if (path === '') return new SecureevError('USAGE', { message: 'no command is given', hint: helpHint('') });
  const choices = following(path, commands).map((word) => `\`${path} ${word}\``);
  return new SecureevError('USAGE', {
    message: `${path} needs one more word: ${choices.join(', ')}`,
    hint: helpHint(path),
  });
}

function helpHint(path: string): string {
  return `\`secureev ${path === '' ? '' : `${path} `}--help\` lists the commands`;
}
