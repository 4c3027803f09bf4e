/** `secureev vehicle import`: vehicles and their ECUs from a file. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { importVehicles } from '../ops/fleet/import-vehicles.ts';
import { importedText } from '../render/inventory.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('add and update vehicles, their ECUs and keys from a CSV file or JSON lines; all or nothing')
    .argument('<file>', 'columns vin, model, encryption_key, ecu, serial, hardware, kind, key')
    .addOption(
      new Option('--format <format>', "of the file (default: by its name's ending)").choices(['csv', 'jsonl']),
    );
  example(
    dryRunFlag(command),
    'secureev vehicle import vehicles.csv --dry-run',
    'secureev vehicle import vehicles.jsonl   # the same file again changes nothing',
  );
}

/** Imports the file. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const file = argument(call, 0, 'FILE');
  const input = { repository: repositoryChoice(call), file, format: text(call, 'format'), dryRun };
  const done = { file, ...(await importVehicles(input, call.io)) };
  return { result: { ...done, dryRun }, text: importedText(done, dryRun) };
}
