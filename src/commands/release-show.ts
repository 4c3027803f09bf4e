/** `secureev release show`: all there is to know of a release. */
import type { Command } from 'commander';
import { showRelease } from '../ops/release/releases.ts';
import { releaseJson, releaseText } from '../render/releases.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, repositoryChoice } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('show a release: images, hashes, hardware, bundles, what is signed and sealed, evidence and approvals')
    .argument('<release>', 'its name');
  example(command, 'secureev release show 2026.4');
}

/** Shows it. */
export async function run(call: Call): Promise<Outcome> {
  const input = { repository: repositoryChoice(call), name: argument(call, 0, 'RELEASE') };
  const details = await showRelease(input, call.io);
  return { result: releaseJson(details), text: releaseText(details) };
}
