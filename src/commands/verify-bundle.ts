/** `secureev verify bundle`: a bundle against a pinned root, offline. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import type { BundleVehicle } from '../ops/release/director-bundle.ts';
import { bundleFacts } from '../ops/release/inspect/bundle.ts';
import { BUNDLE_CHECKS, verifyBundle } from '../ops/release/verify-bundle.ts';
import { bundleVerdictText } from '../render/verified-bundle.ts';
import type { Call, Outcome } from './command.ts';
import { argument, atFlag, example, fixedNow, flag, pinnedRoot, requiredText, rootFlag, text, texts } from './flags.ts';
import { reportFlags, writeReport } from './report-flags.ts';
import { vehicleIdOf } from './vehicle-id.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      `check a bundle offline; exit status 3 unless every check passes\n\nChecks: ${Object.keys(BUNDLE_CHECKS).join(', ')}`,
    )
    .argument('<bundle>', 'the bundle file')
    .option('--metadata <folder>', 'the metadata folder of a published tree')
    .option('--installed <file>', 'what the vehicle runs now (ecus: - id, version): nothing may go back')
    .option('--vehicle <vin>', 'the bundle must be what the Director gives to this vehicle')
    .option('--director <tree>', "the Director's published tree")
    .option('--director-root <file>', 'the pinned root of the Director')
    .option('--vehicle-id <id>', "the vehicle's folder in the Director's tree (found by its VIN in a folder)")
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says');
  example(
    reportFlags(atFlag(rootFlag(command))),
    'secureev verify bundle received.otap --root trust/root.json --metadata public/metadata',
    'secureev verify bundle received.otap --root trust/root.json --metadata public/metadata --vehicle 5YJ3E1EA0KF000316 --director director --director-root trust/director.json',
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
    vehicle: vehicleOf(call),
  };
  const { checks, refusal, head } = await verifyBundle(input, call.io);
  await writeReport(call, 'verify bundle', checks);
  const result = {
    file,
    verified: refusal === undefined,
    checks,
    bundle: head === undefined ? null : bundleFacts(head),
  };
  const good = refusal === undefined && (head?.isSignable === false ? 'unsigned' : true);
  const outcome = { result, text: bundleVerdictText(file, checks, good) };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}

function vehicleOf(call: Call): BundleVehicle | undefined {
  const vin = text(call, 'vehicle');
  if (vin === undefined) {
    if (VEHICLE_FLAGS.some((name) => call.options[name] !== undefined)) throw failure('USAGE', '--vehicle is missing');
    return undefined;
  }
  return {
    vin: parseVin(vin),
    director: requiredText(call, 'director').replace(/(?<=.)\/+$/, ''),
    directorRoot: requiredText(call, 'directorRoot'),
    vehicleId: vehicleIdOf(call),
  };
}

const VEHICLE_FLAGS = ['director', 'directorRoot', 'vehicleId'];
