/** `secureev delivery create`: a supplier signs images for its delegation; needs no repository. */
import type { Command } from 'commander';
import { formatInstant, parseName, parseRoleName, parseTargetName, parseVersion } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { createDelivery } from '../ops/release/delivery/create-delivery.ts';
import { createdDeliveryText } from '../render/deliveries.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  atFlag,
  dryRunFlag,
  durationSeconds,
  example,
  fixedNow,
  flag,
  integer,
  keyFlags,
  passphraseChoice,
  pinnedRoot,
  repeatable,
  requiredText,
  rootFlag,
  text,
  texts,
} from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description(
      'make and sign the next version of a delegated role, with the images that are new in it; without images the first, empty version',
    )
    .argument('<role>', 'the delegated role, as the repository names it')
    .argument('[image...]', 'TARGET=FILE, e.g. EV-1/BMS/2.1/bms.bin=out/bms.bin')
    .requiredOption(
      '--tree <tree>',
      'what the repository has published: folder, or http(s) URL, with metadata below it',
    )
    .requiredOption('-o, --out <file>', 'the delivery')
    .addOption(repeatable('--hardware <id>', 'a hardware id the images are for'))
    .option('--release-counter <n>', 'their release counter; vehicles refuse a lower one')
    .option('--version-id <version>', 'their version (default: the third part of each target name)')
    .option('--as-version <n>', 'number of this version, where the one after the published one was used up')
    .addOption(repeatable('--remove <target>', 'take this target out'))
    .option('--expires <duration>', 'how long this version is good (default: 90d)');
  example(
    dryRunFlag(atFlag(rootFlag(keyFlags(command)))),
    'secureev delivery create acme EV-1/BMS/2.1/bms.bin=bms.bin --hardware BMS-H2 --release-counter 7 --tree https://updates.example/image --root root.json --key acme.key -o acme-7.delivery',
  );
}

/** Makes the delivery. */
export async function run(call: Call): Promise<Outcome> {
  const signers = texts(call, 'key');
  if (signers.length === 0) throw failure('USAGE', '--key is missing', { flag: '--key' });
  const counter = integer(call, 'releaseCounter', { min: 1 });
  const version = text(call, 'versionId');
  const out = requiredText(call, 'out');
  const dryRun = flag(call, 'dryRun');
  const input = {
    role: parseRoleName(argument(call, 0, 'ROLE')),
    tree: requiredText(call, 'tree'),
    root: pinnedRoot(call),
    images: call.rest.map(imageOf),
    hardwareIds: texts(call, 'hardware').map((id) => parseName(id, 'hardware id')),
    releaseCounter: counter === undefined ? undefined : parseVersion(counter, 'release counter'),
    version: version === undefined ? undefined : parseName(version, 'version'),
    asVersion: integer(call, 'asVersion', { min: 1 }),
    remove: texts(call, 'remove').map(parseTargetName),
    lifetimeSeconds: durationSeconds(call, 'expires'),
    signers,
    passphrases: passphraseChoice(call),
    out,
    now: fixedNow(call),
    dryRun,
  };
  const made = await createDelivery(input, call.io);
  const result = { ...made, expires: formatInstant(made.expires), file: out, dryRun };
  return { result, text: createdDeliveryText(made, { out, dryRun }) };
}

function imageOf(argumentText: string): { name: TargetName; file: string } {
  const at = argumentText.indexOf('=');
  if (at < 1 || at === argumentText.length - 1) {
    throw failure('USAGE', 'an image is given as TARGET=FILE, e.g. EV-1/BMS/2.1/bms.bin=out/bms.bin', {
      found: argumentText,
    });
  }
  return { name: parseTargetName(argumentText.slice(0, at)), file: argumentText.slice(at + 1) };
}
