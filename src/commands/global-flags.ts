/** The flags that every command takes. */

/** A flag of every command. */
export interface GlobalFlag {
  /** As commander takes it. */
  readonly flags: string;
  readonly description: string;
}

/** The flags of every command, in the order of `--help`. */
export const GLOBAL_FLAGS: readonly GlobalFlag[] = [
  { flags: '--repo <folder>', description: 'the repository (default: SECUREEV_REPO, else the working folder)' },
  { flags: '--json', description: 'one JSON document on standard output' },
  { flags: '--quiet', description: 'no progress' },
  { flags: '--yes', description: 'answer every yes-or-no question with yes' },
  { flags: '--passphrase-file <file>', description: 'passphrases, one per line, in the order of the keys' },
  { flags: '--passphrase-fd <number>', description: 'the same from an open file descriptor' },
  { flags: '--lock-timeout <duration>', description: 'how long to wait for a repository in use (default: 30s)' },
];

/** How many words of the command line the global flag at its head takes; 0 where `word` is none. */
export function globalFlagWords(word: string): number {
  if (word === '-h' || word === '--help') return 1;
  const name = word.split('=')[0] ?? '';
  const known = GLOBAL_FLAGS.find(({ flags }) => flags.split(' ')[0] === name);
  if (known === undefined) return 0;
  return known.flags.includes('<') && !word.includes('=') ? 2 : 1;
}
