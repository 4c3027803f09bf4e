/** `secureev envelope remove`: vehicles that get a payload's envelope no more. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { removeEnvelopes } from '../ops/release/envelope.ts';
import { envelopeChangeText } from '../render/sealed.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repeatable, repositoryChoice, text, texts } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description("take vehicles' envelopes of a payload away; revokes nothing that was delivered")
    .argument('<payload>', 'the payload, NAME.sev, or the name of its target')
    .addOption(repeatable('--vehicle <vin>', 'a vehicle'))
    .option('--vehicles <file>', 'the same from a file, one VIN a line');
  example(dryRunFlag(command), 'secureev envelope remove sealed/ZG_BODY.otap.sev --vehicle 1HGCM82633A004352');
}

/** Takes the envelopes away. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    payload: argument(call, 0, 'PAYLOAD'),
    vins: texts(call, 'vehicle').map(parseVin),
    vehicles: text(call, 'vehicles'),
    dryRun,
  };
  const state = await removeEnvelopes(input, call.io);
  return { result: { ...state, dryRun }, text: envelopeChangeText('removed', state, dryRun) };
}
