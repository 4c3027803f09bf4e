/** `secureev inspect`: what a file of ours says. */
import type { Command } from 'commander';
import { inspectFile } from '../ops/release/inspect/index.ts';
import { inspectedText } from '../render/inspected.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      'what a bundle, sealed payload, envelope, metadata, key, request or any other file of ours says; nothing of it is verified',
    )
    .argument('<file>', 'any file of ours');
  example(command, 'secureev inspect bundles/ZG_POWERTRAIN.otap');
}

/** Looks into the file. */
export async function run(call: Call): Promise<Outcome> {
  const path = argument(call, 0, 'FILE');
  const { kind, sizeBytes, facts } = await inspectFile(path, call.io);
  return {
    result: { verified: false, file: path, kind, sizeBytes, facts },
    text: inspectedText({ path, kind, sizeBytes, facts }),
  };
}
