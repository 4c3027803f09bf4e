/** `secureev verify blob`: a sealed payload against a pinned root, offline. */
import type { Command } from 'commander';
import { parseTargetName } from '../core/brands.ts';
import { BLOB_CHECKS, verifyBlob } from '../ops/release/sealed-verify.ts';
import { blobVerdictText } from '../render/sealed.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  atFlag,
  example,
  fixedNow,
  flag,
  passphraseChoice,
  pinnedRoot,
  rootFlag,
  text,
  texts,
} from './flags.ts';
import { reportFlags, writeReport } from './report-flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      `check a sealed payload offline; exit status 3 unless every check passes\n\nChecks: ${Object.keys(BLOB_CHECKS).join(', ')}`,
    )
    .argument('<blob>', 'the payload, NAME.sev')
    .option('--metadata <folder>', 'the metadata folder of a published tree')
    .option('--key <signer>', "a recipient's private key: also checks the contents, which go nowhere")
    .option('--envelopes <file>', 'the envelopes (default: NAME.sevk beside the payload)')
    .option('--target <name>', 'the name it is listed under (default: found by its hash)')
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says');
  example(
    reportFlags(atFlag(rootFlag(command))),
    'secureev verify blob sealed/ZG_BODY.otap.sev --key keys/car-1.key --root trust/root.json --metadata public/metadata',
    'secureev verify blob ZG_BODY.otap.sev --root trust/root.json --metadata public/metadata --allow-skip contents --allow-skip clear-target',
  );
}

/** Verifies the blob. */
export async function run(call: Call): Promise<Outcome> {
  const blob = argument(call, 0, 'BLOB');
  const target = text(call, 'target');
  const allowSkip = texts(call, 'allowSkip');
  const input = {
    blob,
    allowSkip,
    root: pinnedRoot(call),
    metadata: text(call, 'metadata')?.replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    key: text(call, 'key'),
    passphrases: passphraseChoice(call),
    envelopes: text(call, 'envelopes'),
    target: target === undefined ? undefined : parseTargetName(target),
  };
  const verdict = await verifyBlob(input, call.io);
  const { checks, refusal } = verdict;
  await writeReport(call, 'verify blob', checks);
  const { suite = null, target: found = null } = verdict;
  const result = { file: blob, verified: refusal === undefined, checks, suite, target: found };
  const outcome = { result, text: blobVerdictText(blob, checks, refusal === undefined) };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}
