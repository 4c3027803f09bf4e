/** `secureev unpack`: the images of a bundle as files. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { unpackBundle } from '../ops/release/unpack.ts';
import { unpackedText } from '../render/unpacked.ts';
import type { Call, Outcome } from './command.ts';
import {
  allowSkipFlag,
  argument,
  atFlag,
  example,
  fixedNow,
  flag,
  pinnedRoot,
  requiredText,
  rootFlag,
  text,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('write the images of a bundle as files, once the bundle is verified')
    .argument('<bundle>', 'the bundle file')
    .requiredOption('-o, --output <folder>', 'where the images go, each under its target name')
    .option('--metadata <folder>', 'the metadata folder of a published tree')
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says')
    .option('--unverified', 'trust nobody: write what the file holds, whoever made it');
  example(allowSkipFlag(atFlag(rootFlag(command))), 'secureev unpack received.otap -o images --root trust/root.json');
}

/** Unpacks the bundle. */
export async function run(call: Call): Promise<Outcome> {
  const unverified = flag(call, 'unverified');
  if (unverified && text(call, 'root') !== undefined) {
    throw failure('USAGE', '--unverified and --root exclude each other');
  }
  const trust = {
    metadata: text(call, 'metadata')?.replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
  };
  const { images, verified, verdict } = await unpackBundle(
    {
      file: argument(call, 0, 'BUNDLE'),
      out: requiredText(call, 'output').replace(/(?<=.)\/+$/, ''),
      trust: unverified ? undefined : { ...trust, root: pinnedRoot(call) },
      allowSkip: texts(call, 'allowSkip'),
    },
    call.io,
  );
  return { result: { verified, images, checks: verdict?.checks ?? [] }, text: unpackedText(images, verified) };
}
