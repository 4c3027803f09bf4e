/** `secureev delivery import`: what a supplier delivered, checked and taken in. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { importDelivery } from '../ops/release/delivery/import-delivery.ts';
import { importedDeliveryText } from '../render/deliveries.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      "check a supplier's delivery against its delegation - keys, threshold, paths, hardware, counters, images - and take it in as the role's next version",
    )
    .argument('<delivery>', 'the file from `delivery create`')
    .option('--root <file>', "a pinned root that must be one of this repository's own")
    .option('--clear', 'let the images be published as they are (default: they travel inside bundles only)')
    .option('--allow-removal', 'let it take targets out that the role lists now');
  example(dryRunFlag(command), 'secureev delivery import acme-7.delivery');
}

/** Takes the delivery in. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    file: argument(call, 0, 'DELIVERY'),
    root: text(call, 'root'),
    clear: flag(call, 'clear'),
    allowRemoval: flag(call, 'allowRemoval'),
    dryRun,
  };
  const taken = await importDelivery(input, call.io);
  const result = { ...taken, expires: formatInstant(taken.expires), dryRun };
  return { result, text: importedDeliveryText(taken, dryRun) };
}
