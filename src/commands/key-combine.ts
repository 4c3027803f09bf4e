/** `secureev key combine`: shares back to a key. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { combineShares } from '../ops/keys/key-combine.ts';
import { identityJson, identityText } from '../render/keys.ts';
import type { Call, Outcome } from './command.ts';
import { example, passphraseChoice, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'restore a key from its shares, under a new passphrase; without --out only try whether they restore it',
    )
    .argument('<share...>', 'files with one share each: the page, its numbered lines, or what its QR code says')
    .option('--out <key>', 'the key file to write, NAME.key; NAME.pub is written beside it')
    .option('--holder <who>', 'who holds it, as others will see it');
  example(command, 'secureev key combine root-a-share-1-of-3.txt root-a-share-3-of-3.txt --out keys/root-a.key');
}

/** Restores the key. */
export async function run(call: Call): Promise<Outcome> {
  if (call.rest.length === 0) throw failure('USAGE', 'argument SHARE is missing');
  const out = text(call, 'out');
  const { keyFile, publicFile, ...facts } = await combineShares(
    { shares: call.rest, out, holder: text(call, 'holder'), passphrases: passphraseChoice(call) },
    call.io,
  );
  const head = keyFile === undefined ? 'these shares restore the key' : `restored ${keyFile} and ${publicFile ?? ''}`;
  return {
    result: { keyFile: keyFile ?? null, publicFile: publicFile ?? null, ...identityJson(facts) },
    text: `${head}\n${identityText(facts)}`,
  };
}
