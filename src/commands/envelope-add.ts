/** `secureev envelope add`: more vehicles for a payload that exists. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { addEnvelopes } from '../ops/release/envelope.ts';
import { parseKems } from '../ops/release/envelope-recipients.ts';
import { envelopeChangeText } from '../render/sealed.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  example,
  flag,
  instant,
  passphraseChoice,
  repeatable,
  repositoryChoice,
  requiredText,
  text,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description("give more vehicles an envelope of a payload, by the escrow's")
    .argument('<payload>', 'the payload, NAME.sev, or the name of its target')
    .addOption(repeatable('--vehicle <vin>', 'a vehicle'))
    .option('--vehicles <file>', 'the same from a file, one VIN a line')
    .requiredOption('--key <signer>', "the escrow's private key")
    .option('--expires <time>', 'advice to vehicles with a secure clock: do not open it after this time')
    .addOption(repeatable('--allow-kem <kem>', "also seal to vehicles with a key of this KEM, beside the suite's"));
  example(
    dryRunFlag(command),
    'secureev envelope add sealed/ZG_BODY.otap.sev --vehicle 1HGCM82633A004352 --key keys/escrow.key',
  );
}

/** Adds the envelopes. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    payload: argument(call, 0, 'PAYLOAD'),
    vins: texts(call, 'vehicle').map(parseVin),
    vehicles: text(call, 'vehicles'),
    key: requiredText(call, 'key'),
    passphrases: passphraseChoice(call),
    expires: instant(call, 'expires'),
    allowedKems: parseKems(texts(call, 'allowKem')),
    dryRun,
  };
  const state = await addEnvelopes(input, call.io);
  return { result: { ...state, dryRun }, text: envelopeChangeText('added', state, dryRun) };
}
