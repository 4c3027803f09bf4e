/** `secureev publish kit`: a folder for use without a network. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { publishKit } from '../ops/repository/publish-kit.ts';
import { kitText } from '../render/kits.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repeatable, repositoryChoice, text, texts } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'write a folder for use without a network: metadata, sealed payloads, the named vehicles’ envelopes and Director metadata\n\nA kit that is in the folder is brought up to date. It is verified with `secureev verify kit`.',
    )
    .argument('<dir>', 'the folder; new, or with a kit in it')
    .addOption(repeatable('--vehicle <vin>', 'a vehicle that it is for'))
    .option('--vehicles <file>', 'more vehicles: VINs, one a line')
    .option('--release <name>', 'the release that it is for (default: all that is published)')
    .option('--upload-list <file>', 'write the paths that changed, in the order in which to copy them, one a line');
  example(dryRunFlag(command), 'secureev publish kit /media/stick/kit --release 2026.4 --vehicle 5YJ3E1EA0KF000316');
}

/** Makes the kit. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    folder: argument(call, 0, 'DIR').replace(/(?<=.)\/+$/, ''),
    vins: texts(call, 'vehicle').map((vin) => parseVin(vin)),
    vehicles: text(call, 'vehicles'),
    release: text(call, 'release'),
    uploadList: text(call, 'uploadList'),
    dryRun: flag(call, 'dryRun'),
  };
  const kit = await publishKit(input, call.io);
  const result = { ...kit, folder: input.folder, dryRun: input.dryRun };
  return { result, text: kitText({ ...kit, folder: input.folder, dryRun: input.dryRun }) };
}
