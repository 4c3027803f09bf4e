/** `secureev decrypt`: what is in a sealed payload, unverified. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { decrypt } from '../ops/release/decrypt.ts';
import { prepareToPump } from '../ops/release/sealed-pump.ts';
import { decryptedText } from '../render/sealed.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, flag, passphraseChoice, requiredText, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('decrypt a sealed payload with a key that has an envelope; the result is UNVERIFIED')
    .argument('<blob>', 'the payload, NAME.sev')
    .requiredOption('--key <signer>', "the recipient's private key: NAME.key")
    .requiredOption('-o, --output <file>', 'where the content goes (readable by you only)')
    .option('--envelopes <file>', 'the envelopes (default: NAME.sevk beside the payload)')
    .option('--rehearsal', 'let an example key decrypt');
  example(command, 'secureev decrypt sealed/ZG_POWERTRAIN.otap.sev --key keys/car-1.key -o received.otap');
}

/** Decrypts the payload. */
export async function run(call: Call): Promise<Outcome> {
  const blob = argument(call, 0, 'BLOB');
  await prepareToPump(call.io, [blob]);
  const input = {
    blob,
    key: requiredText(call, 'key'),
    out: requiredText(call, 'output'),
    envelopes: text(call, 'envelopes'),
    passphrases: passphraseChoice(call),
    rehearsal: flag(call, 'rehearsal'),
  };
  const opened = await decrypt(input, call.io);
  const { out, suite, vin, keyId, expires, sealed, content } = opened;
  const result = {
    file: out,
    verified: false,
    sizeBytes: content.unverified.sizeBytes,
    sha256: toHex(content.unverified.sha256),
    payload: { file: input.blob, sizeBytes: sealed.sizeBytes, sha256: toHex(sealed.sha256), suite: suite.name },
    envelope: { vin, keyId, expires: expires === null ? null : formatInstant(expires) },
  };
  return { result, text: decryptedText(opened, call.io.clock.now()) };
}
