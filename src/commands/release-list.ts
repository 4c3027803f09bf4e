/** `secureev release list`: releases and how far they are. */
import type { Command } from 'commander';
import { listReleases } from '../ops/release/releases.ts';
import { listedReleaseJson, releasesText } from '../render/releases.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command.description('list releases, newest first').option('--model <model>', 'of this model only');
  example(command, 'secureev release list --model EV-1');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const releases = await listReleases({ repository: repositoryChoice(call), model: text(call, 'model') }, call.io);
  return { result: { releases: releases.map(listedReleaseJson) }, text: releasesText(releases) };
}
