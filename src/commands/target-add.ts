/** `secureev target add`: one firmware image, without a release. */
import type { Command } from 'commander';
import { parseName, parseTargetName, parseVersion } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { addTarget } from '../ops/repository/targets.ts';
import { targetJson, targetsText } from '../render/targets.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  example,
  flag,
  integer,
  repeatable,
  repositoryChoice,
  requiredText,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('stage one firmware image as a target')
    .argument('<file>', 'the image')
    .requiredOption('--name <target>', 'its target name, MODEL/ECU/VERSION/FILE')
    .requiredOption('--version-id <version>', 'its version')
    .requiredOption('--release-counter <n>', 'its release counter; vehicles refuse a lower one')
    .addOption(repeatable('--hardware <id>', 'a hardware id it is for'))
    .option(
      '--replace',
      'take the place of other content that is signed under this name; its bundles no longer fit then',
    )
    .option('--clear', 'let its clear bytes be published (default: only a sealed payload of it)');
  example(
    dryRunFlag(command),
    'secureev target add bms.bin --name EV-1/BMS/2.1.0/bms.bin --version-id 2.1.0 --release-counter 7 --hardware BMS-H2',
  );
}

/** Stages the image. */
export async function run(call: Call): Promise<Outcome> {
  const hardwareIds = texts(call, 'hardware').map((id) => parseName(id, 'hardware id'));
  if (hardwareIds.length === 0) throw failure('USAGE', '--hardware is missing', { flag: '--hardware' });
  const input = {
    repository: repositoryChoice(call),
    file: argument(call, 0, 'FILE'),
    name: parseTargetName(requiredText(call, 'name')),
    hardwareIds,
    releaseCounter: parseVersion(integer(call, 'releaseCounter', { min: 1 }) ?? 0, 'release counter'),
    version: parseName(requiredText(call, 'versionId'), 'version'),
    clear: flag(call, 'clear'),
    replace: flag(call, 'replace'),
    dryRun: flag(call, 'dryRun'),
  };
  const target = await addTarget(input, call.io);
  const text = `${targetsText([target], false)}\nstaged for the next version of ${target.role}`;
  return { result: { target: targetJson(target), role: target.role }, text };
}
