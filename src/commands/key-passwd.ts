/** `secureev key passwd`: a new passphrase for a key file. */
import type { Command } from 'commander';
import { changePassphrase } from '../ops/keys/key-passwd.ts';
import { identityJson } from '../render/keys.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, passphraseChoice } from './flags.ts';
import { keyPurpose, newPassphraseChoice, newPassphraseFlags, purposeFlag } from './key-flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('give a key file a new passphrase; the key stays the same')
    .argument('<file>', 'NAME.key, or a PKCS#8 file of another tool');
  purposeFlag(newPassphraseFlags(command), 'what a P-256 key of another tool is for (default: signing)');
  example(command, 'secureev key passwd keys/root-a.key');
}

/** Changes the passphrase. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    file: argument(call, 0, 'FILE'),
    purpose: keyPurpose(call),
    passphrases: passphraseChoice(call),
    newPassphrases: newPassphraseChoice(call),
  };
  const { keyFile, ...facts } = await changePassphrase(input, call.io);
  return { result: { keyFile, ...identityJson(facts) }, text: `${keyFile} has a new passphrase` };
}
