/** `secureev publish director`: the Director's static tree, per vehicle. */
import type { Command } from 'commander';
import { publishDirector } from '../ops/fleet/director/publish-director.ts';
import { directorPublishedText } from '../render/director.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description("write the Director's roots, and each vehicle's metadata and envelopes, only what changed")
    .argument('<dir>', 'the folder; gets metadata/ and vehicles/ID/ with the random ids of vehicles')
    .option('--upload-list <file>', 'write the paths that changed, in upload order, one a line');
  example(dryRunFlag(command), 'secureev publish director public-director');
}

/** Publishes. */
export async function run(call: Call): Promise<Outcome> {
  const folder = argument(call, 0, 'DIR');
  const dryRun = flag(call, 'dryRun');
  const input = { repository: repositoryChoice(call), folder, uploadList: text(call, 'uploadList'), dryRun };
  const { written, ...published } = await publishDirector(input, call.io);
  const result = { ...published, folder, dryRun, files: written.length };
  return { result, text: directorPublishedText({ ...published, files: written.length }) };
}
