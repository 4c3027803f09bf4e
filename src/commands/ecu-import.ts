/** `secureev ecu import`: gateways and ECUs of a model. */
import type { Command } from 'commander';
import { importEcus } from '../ops/fleet/ecus.ts';
import { ecuImportText } from '../render/ecus.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('add or update the gateways and ECUs of a model')
    .argument('<registry.yaml>', 'the ECU registry')
    .option('--replace', 'remove the gateways and ECUs of the model that the file does not have');
  example(dryRunFlag(command), 'secureev ecu import registry.yaml');
}

/** Imports the registry. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    file: argument(call, 0, 'REGISTRY.yaml'),
    replace: flag(call, 'replace'),
    dryRun: flag(call, 'dryRun'),
  };
  const done = await importEcus(input, call.io);
  return { result: { ...done }, text: ecuImportText(done) };
}
