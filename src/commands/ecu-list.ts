/** `secureev ecu list`: gateways and ECUs of the models. */
import type { Command } from 'commander';
import { listEcus } from '../ops/fleet/ecus.ts';
import { ecusText } from '../render/ecus.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command.description('the gateways and ECUs of each model').option('--model <model>', 'of this model only');
  example(command, 'secureev ecu list --model EV-1');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const gateways = await listEcus({ repository: repositoryChoice(call), model: text(call, 'model') }, call.io);
  return { result: { gateways }, text: ecusText(gateways) };
}
