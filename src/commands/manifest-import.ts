/** `secureev manifest import`: what vehicles report. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { EXIT, SecureevError } from '../core/errors.ts';
import { importManifests } from '../ops/fleet/manifests/import-manifests.ts';
import type { ImportedManifests } from '../ops/fleet/manifests/import-manifests.ts';
import { importedManifestsText } from '../render/manifests.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, repositoryChoice, text } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'check vehicle version manifests against the inventory, and take over what is installed; exit status 3 where one is refused, 6 where an ECU tells of an attack',
    )
    .argument('<manifest...>', 'F.json with one manifest, or F.jsonl with one a line')
    .addOption(
      new Option('--format <format>', 'how the files are written (default: by their names)').choices(['json', 'jsonl']),
    );
  example(dryRunFlag(command), 'secureev manifest import manifests.jsonl');
}

/** Takes them in. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    files: call.rest,
    format: chosenFormat(text(call, 'format')),
    dryRun,
  };
  const done = await importManifests(input, call.io);
  const shown = { result: { ...done, dryRun }, text: importedManifestsText(done, dryRun) };
  const failure = done.refused > 0 ? { failure: refused(done) } : {};
  // An attack is told once: what else is wrong must not hide it.
  return done.attacks > 0 ? { ...shown, ...failure, status: EXIT.policy } : { ...shown, ...failure };
}

function chosenFormat(format: string | undefined): 'json' | 'jsonl' | undefined {
  return format === 'json' || format === 'jsonl' ? format : undefined;
}

function refused({ refused: count, manifests, reasons }: ImportedManifests): SecureevError {
  return new SecureevError('MANIFEST_REFUSED', {
    message: `${count} of ${manifests} manifests refused`,
    hint: 'the others were taken in; a vehicle that is not believed keeps its last known configuration',
    details: { reasons },
  });
}
