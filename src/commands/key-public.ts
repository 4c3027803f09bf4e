/** `secureev key public`: the public half of any signer or recipient. */
import type { Command } from 'commander';
import { publicOf } from '../ops/keys/key-public.ts';
import { identityJson, identityText } from '../render/keys.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, passphraseChoice, text } from './flags.ts';
import { keyPurpose, purposeFlag } from './key-flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('write the public half of any signer: the content of its NAME.pub')
    .argument('<signer>', 'NAME.key, NAME.signer, or a URI such as pkcs11:token=...')
    .option('-o, --out <file>', 'where to write it (default: standard output)')
    .option('--holder <who>', 'who holds it, in place of what the key file says');
  purposeFlag(command, 'what a P-256 key of another tool is for (default: signing)');
  example(command, 'secureev key public keys/root-a.key -o keys/root-a.pub');
}

/** Writes the public half. */
export async function run(call: Call): Promise<Outcome> {
  const answer = await publicOf(
    {
      signer: argument(call, 0, 'SIGNER'),
      holder: text(call, 'holder'),
      purpose: keyPurpose(call),
      out: text(call, 'out'),
      passphrases: passphraseChoice(call),
    },
    call.io,
  );
  const { publicFile } = answer;
  const shown = publicFile === undefined ? answer.text.trimEnd() : `wrote ${publicFile}\n${identityText(answer)}`;
  return { result: { publicFile: publicFile ?? null, publicKey: answer.text, ...identityJson(answer) }, text: shown };
}
