/** `secureev publish provisioning`: what ECUs get at the factory. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { publishProvisioning } from '../ops/repository/publish-provisioning.ts';
import { provisioningText } from '../render/provisioned.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repeatable, repositoryChoice, text, texts } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'write what ECUs get at the factory: metadata and map for full verification, Director Root and Targets for partial verification, and the root keys as a C header',
    )
    .argument('<dir>', 'the folder; with --vehicle it gets one folder for each vehicle, named by its random id')
    .addOption(repeatable('--vehicle <vin>', 'a vehicle to make sets for'))
    .option('--vehicles <file>', 'more vehicles: VINs, one a line')
    .addOption(repeatable('--image-url <url>', 'where ECUs will find the Image repository; for map.json'))
    .addOption(repeatable('--director-url <url>', 'where they will find the Director; for map.json'));
  example(
    dryRunFlag(command),
    'secureev publish provisioning factory --vehicle 5YJ3E1EA0KF000316 --image-url https://updates.example/image --director-url https://updates.example/director',
  );
}

/** Writes the sets. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    folder: argument(call, 0, 'DIR').replace(/(?<=.)\/+$/, ''),
    vins: texts(call, 'vehicle').map((vin) => parseVin(vin)),
    vehicles: text(call, 'vehicles'),
    imageUrls: texts(call, 'imageUrl'),
    directorUrls: texts(call, 'directorUrl'),
    dryRun: flag(call, 'dryRun'),
  };
  const made = await publishProvisioning(input, call.io);
  const result = { ...made, folder: input.folder, dryRun: input.dryRun };
  return { result, text: provisioningText({ ...made, folder: input.folder, dryRun: input.dryRun }) };
}
