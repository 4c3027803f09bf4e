/** `secureev verify kit`: a kit against pinned roots, offline. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { KIT_CHECKS } from '../ops/repository/kit-work.ts';
import type { VerifyKitInput } from '../ops/repository/kit-work.ts';
import { verifyKit } from '../ops/repository/verify-kit.ts';
import { kitVerdictText } from '../render/kits.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  atFlag,
  durationSeconds,
  example,
  fixedNow,
  flag,
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
      `check a kit offline; exit status 3 unless every check passes\n\nChecks: ${Object.keys(KIT_CHECKS).join(', ')}`,
    )
    .argument('<dir>', 'the kit')
    .option('--director-root <file>', "the Director's pinned root, where the kit has a Director's part")
    .option('--vehicle <vin>', 'the vehicle that it must be for (default: every one in it)')
    .option('--release <name>', 'the release that must be in it, whole (default: the one that the kit names)')
    .option(
      '--max-staleness <duration>',
      'how long after expiry Timestamp and Snapshot pass, e.g. 30d; nothing else does',
    )
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says');
  example(
    reportFlags(atFlag(rootFlag(command))),
    'secureev verify kit /media/stick/kit --root trust/root.json --vehicle 5YJ3E1EA0KF000316 --max-staleness 30d',
  );
}

/** Verifies the kit. */
export async function run(call: Call): Promise<Outcome> {
  const input = inputOf(call);
  const { kit } = input;
  const { checks, refusal, ...found } = await verifyKit(input, call.io);
  await writeReport(call, 'verify kit', checks);
  const result = { folder: kit, verified: refusal === undefined, checks, ...found };
  const outcome = { result, text: kitVerdictText(kit, checks, refusal === undefined) };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}

function inputOf(call: Call): VerifyKitInput {
  const vin = text(call, 'vehicle');
  return {
    kit: argument(call, 0, 'DIR').replace(/(?<=.)\/+$/, ''),
    root: pinnedRoot(call),
    directorRoot: text(call, 'directorRoot'),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    vin: vin === undefined ? undefined : parseVin(vin),
    release: text(call, 'release'),
    maxStalenessSeconds: durationSeconds(call, 'maxStaleness') ?? 0,
    allowSkip: texts(call, 'allowSkip'),
  };
}
