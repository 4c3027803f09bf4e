/** `secureev publish image`: the static tree for a server or CDN. */
import type { Command } from 'commander';
import { publishImage } from '../ops/repository/publish-image.ts';
import { publishedText } from '../render/published.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repeatable, repositoryChoice, text, texts } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('write the Image repository as a static tree, only what changed, Timestamp last')
    .argument('<dir>', 'the folder; gets metadata/ and targets/')
    .option('--upload-list <file>', 'write the paths that changed, in upload order, one a line')
    .addOption(repeatable('--image-url <url>', 'where clients will find this tree: also writes map.json'))
    .addOption(repeatable('--director-url <url>', "where they will find the Director's; for map.json"));
  example(dryRunFlag(command), 'secureev publish image public');
}

/** Publishes. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    folder: argument(call, 0, 'DIR'),
    uploadList: text(call, 'uploadList'),
    map: { imageUrls: texts(call, 'imageUrl'), directorUrls: texts(call, 'directorUrl') },
    dryRun: flag(call, 'dryRun'),
  };
  const published = await publishImage(input, call.io);
  return { result: { ...published, folder: input.folder }, text: publishedText(published) };
}
