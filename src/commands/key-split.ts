/** `secureev key split`: a key as shares for paper. */
import type { Command } from 'commander';
import { splitKeyFile } from '../ops/keys/key-split.ts';
import { identityJson, identityText } from '../render/keys.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, integer, passphraseChoice, requiredText, text } from './flags.ts';
import { keyPurpose, purposeFlag } from './key-flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'split a key into shares (Shamir), one page to print for each: numbered lines with checks, and a QR code',
    )
    .argument('<key>', 'NAME.key')
    .requiredOption('--shares <n>', 'how many shares, 2 to 255')
    .requiredOption('--threshold <k>', 'how many of them restore the key, 2 to the number of shares')
    .option('--out <folder>', 'where to write the pages (default: the working folder)');
  purposeFlag(command, 'what a P-256 key of another tool is for (default: signing)');
  example(command, 'secureev key split keys/root-a.key --shares 3 --threshold 2 --out /media/ramdisk');
}

/** Writes the pages. */
export async function run(call: Call): Promise<Outcome> {
  requiredText(call, 'shares');
  requiredText(call, 'threshold');
  const splitting = {
    shares: integer(call, 'shares', { min: 2, max: 255 }) ?? 0,
    threshold: integer(call, 'threshold', { min: 2, max: 255 }) ?? 0,
  };
  const input = {
    file: argument(call, 0, 'KEY'),
    purpose: keyPurpose(call),
    splitting,
    folder: text(call, 'out') ?? '.',
    passphrases: passphraseChoice(call),
  };
  const { setId, files, ...facts } = await splitKeyFile(input, call.io);
  const words = `any ${splitting.threshold} of these ${splitting.shares} pages restore the key; print them, then delete the files:`;
  return {
    result: { setId, ...splitting, files, ...identityJson(facts) },
    text: [words, ...files.map((file) => `  ${file}`), identityText(facts)].join('\n'),
  };
}
