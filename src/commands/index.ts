/**
 * Every subcommand, one line each, in the order of `secureev --help`.
 *
 * Invariant: nothing but types is imported here; a command's module is loaded only when it is called.
 */
import type { CommandEntry } from './command.ts';

/** The subcommands; `path` is unique, and none is the beginning of another's unless it is a command of its own. */
export const COMMANDS: readonly CommandEntry[] = [
  // Repository and roles
  // Keys
  // Releases
  // Fleet
  // Verification
  // This machine
  {
    path: 'doctor',
    summary: 'check this machine: engines, known answers, entropy, clock, interfaces, database',
    group: 'This machine',
    load: () => import('./doctor.ts'),
  },
  {
    path: 'completion',
    summary: 'a completion script for bash, zsh or fish',
    group: 'This machine',
    load: () => import('./completion.ts'),
  },
];
