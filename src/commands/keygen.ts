/** `secureev keygen`: a key pair, as NAME.key and NAME.pub. */
import type { Command } from 'commander';
import { generateKey } from '../ops/keys/keygen.ts';
import { identityJson, identityText } from '../render/keys.ts';
import type { Call, Outcome } from './command.ts';
import { keyPurpose, purposeFlag } from './key-flags.ts';
import { argument, example, passphraseChoice, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('make a key pair: NAME.key (encrypted, for its owner only) and NAME.pub')
    .argument('<name>', "the files' name without its ending")
    .option('--scheme <scheme>', 'hybrid (ECDSA P-256 and ML-DSA-65), hybrid-ed25519, one algorithm, or a KEM')
    .option('--holder <who>', 'who holds it, as others will see it')
    .option(
      '--signer <pkcs11-uri>',
      'make it on this token: NAME.signer and NAME.pub; add +file: for an ML-DSA half in NAME.key',
    )
    .option('--out <folder>', 'where to write the files (default: the working folder)');
  example(
    purposeFlag(command, 'what it is for (default: signing)'),
    "secureev keygen root-a --holder 'Ada Lovelace' --out keys",
    'secureev keygen car-1 --purpose encryption --out keys',
  );
}

/** Makes the keys. */
export async function run(call: Call): Promise<Outcome> {
  const signer = text(call, 'signer');
  if (signer !== undefined) return await runOnToken(call, signer);
  const made = await generateKey(
    {
      name: argument(call, 0, 'NAME'),
      scheme: text(call, 'scheme'),
      purpose: keyPurpose(call),
      holder: text(call, 'holder'),
      folder: text(call, 'out') ?? '.',
      passphrases: passphraseChoice(call),
    },
    call.io,
  );
  const { scheme, keyFile, publicFile } = made;
  return {
    result: { scheme, keyFile, publicFile, ...identityJson(made) },
    text: `made ${keyFile} and ${publicFile} (${scheme})\n${identityText(made)}`,
  };
}

async function runOnToken(call: Call, signer: string): Promise<Outcome> {
  const { generateTokenKey } = await import('../ops/keys/keygen-token.ts');
  const made = await generateTokenKey(
    {
      name: argument(call, 0, 'NAME'),
      signer,
      scheme: text(call, 'scheme'),
      holder: text(call, 'holder'),
      folder: text(call, 'out') ?? '.',
      passphrases: passphraseChoice(call),
    },
    call.io,
  );
  const { scheme, signerFile, publicFile, token } = made;
  const keyFile = made.keyFile ?? null;
  const files = [signerFile, publicFile, ...(keyFile === null ? [] : [keyFile])].join(', ');
  return {
    result: { scheme, signerFile, publicFile, keyFile, token, ...identityJson(made) },
    text: `made ${files} (${scheme}) on ${token}\n${identityText(made)}`,
  };
}
