/** `secureev key show`: whose keys a file holds, what for, and their ids. */
import type { Command } from 'commander';
import { showKeys } from '../ops/keys/key-show.ts';
import { identityJson, keyFileText } from '../render/keys.ts';
import type { Call, Outcome } from './command.ts';
import { example, flag, passphraseChoice } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('show whose keys a file holds, what for, and their ids; no passphrase is needed')
    .argument('<file...>', 'NAME.key or NAME.pub')
    .option('--check', 'open private keys with their passphrase and work the ids out');
  example(command, 'secureev key show keys/root-a.pub', 'secureev key show --check keys/root-a.key');
}

/** Shows the files. */
export async function run(call: Call): Promise<Outcome> {
  const input = { files: call.rest, check: flag(call, 'check'), passphrases: passphraseChoice(call) };
  const files = await showKeys(input, call.io);
  const result = files.map(({ path, kind, encrypted, checked, ...facts }) => {
    return { path, kind, encrypted, checked, ...identityJson(facts) };
  });
  return { result: { files: result }, text: files.map(keyFileText).join('\n\n') };
}
