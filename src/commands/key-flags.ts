/** Flags that the key commands share. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import type { Call } from './command.ts';
import { integer, text } from './flags.ts';

/** Declares `--purpose signing|encryption`. */
export function purposeFlag(command: Command, description: string): Command {
  return command.addOption(new Option('--purpose <purpose>', description).choices(['signing', 'encryption']));
}

/** What `--purpose` says. */
export function keyPurpose(call: Call): 'signing' | 'encryption' | undefined {
  const purpose = text(call, 'purpose');
  return purpose === 'signing' || purpose === 'encryption' ? purpose : undefined;
}

/** Declares where a new passphrase comes from. */
export function newPassphraseFlags(command: Command): Command {
  return command
    .option('--new-passphrase-file <file>', 'the new passphrase, one line (default: asked for twice)')
    .option('--new-passphrase-fd <number>', 'the same from an open file descriptor');
}

/** Where a new passphrase comes from. @throws USAGE where both are given */
export function newPassphraseChoice(call: Call): { file: string | undefined; fd: number | undefined } {
  const file = text(call, 'newPassphraseFile');
  const fd = integer(call, 'newPassphraseFd', { max: 1023 });
  if (file === undefined || fd === undefined) return { file, fd };
  throw failure('USAGE', '--new-passphrase-file and --new-passphrase-fd exclude each other');
}
