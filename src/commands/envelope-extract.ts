/** `secureev envelope extract`: one vehicle's envelope as a file. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { extractEnvelope } from '../ops/release/envelope.ts';
import { printableLine } from '../render/text.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, repositoryChoice, requiredText } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description("write one vehicle's envelope of a payload to a file of its own")
    .argument('<payload>', 'the payload, NAME.sev, or the name of its target')
    .requiredOption('--vehicle <vin>', 'the vehicle')
    .requiredOption('-o, --output <file>', 'where it goes, e.g. NAME.sevk');
  example(
    command,
    'secureev envelope extract sealed/ZG_BODY.otap.sev --vehicle 5YJ3E1EA0KF000316 -o usb/ZG_BODY.otap.sevk',
  );
}

/** Writes the envelope. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    payload: argument(call, 0, 'PAYLOAD'),
    vin: parseVin(requiredText(call, 'vehicle')),
    out: requiredText(call, 'output'),
  };
  const { out: file, vin, keyId, sizeBytes } = await extractEnvelope(input, call.io);
  return {
    result: { file, vin, keyId, sizeBytes },
    text: `wrote ${printableLine(file)}: the envelope of vehicle ${vin} (${sizeBytes} bytes)`,
  };
}
