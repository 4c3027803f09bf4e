/** `secureev verify bundle`: a bundle against a pinned root, offline. */
import type { Command } from 'commander';
import { utf8 } from '../core/bytes.ts';
import { bundleFacts } from '../ops/release/inspect/bundle.ts';
import { BUNDLE_CHECKS, verifyBundle } from '../ops/release/verify-bundle.ts';
import { junitXml } from '../render/junit.ts';
import { bundleVerdictText } from '../render/verified-bundle.ts';
import type { Call, Outcome } from './command.ts';
import {
  allowSkipFlag,
  argument,
  atFlag,
  example,
  fixedNow,
  flag,
  pinnedRoot,
  rootFlag,
  text,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      `check a bundle offline; exit status 3 unless every check passes\n\nChecks: ${Object.keys(BUNDLE_CHECKS).join(', ')}`,
    )
    .argument('<bundle>', 'the bundle file')
    .option('--metadata <folder>', 'the metadata folder of a published tree')
    .option('--installed <file>', 'what the vehicle runs now (ecus: - id, version): nothing may go back')
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says')
    .option('--junit <file>', 'write the checks as JUnit XML too');
  example(
    allowSkipFlag(atFlag(rootFlag(command))),
    'secureev verify bundle received.otap --root trust/root.json --metadata public/metadata',
  );
}

/** Verifies the bundle. */
export async function run(call: Call): Promise<Outcome> {
  const file = argument(call, 0, 'BUNDLE');
  const allowSkip = texts(call, 'allowSkip');
  const input = {
    file,
    allowSkip,
    root: pinnedRoot(call),
    metadata: text(call, 'metadata')?.replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    installed: text(call, 'installed'),
  };
  const { checks, refusal, head } = await verifyBundle(input, call.io);
  const junit = text(call, 'junit');
  if (junit !== undefined) {
    await call.io.files.write(junit, utf8(junitXml('verify bundle', checks, allowSkip)), { overwrite: true });
  }
  const result = {
    file,
    verified: refusal === undefined,
    checks,
    bundle: head === undefined ? null : bundleFacts(head),
  };
  const outcome = { result, text: bundleVerdictText(file, checks, refusal === undefined) };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}
