/** `secureev verify repository`: a published tree, in a folder or behind a URL, as a client sees it. */
import type { Command } from 'commander';
import { parseTargetName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { filesOf } from '../ops/repository/metadata-checks.ts';
import { REPOSITORY_CHECKS, verifyRepository } from '../ops/repository/verify-repository.ts';
import type { VerifyRepositoryInput } from '../ops/repository/verify-repository.ts';
import type { AllTargets } from '../ops/repository/verify-all-targets.ts';
import { bundleVerdictText } from '../render/verified-bundle.ts';
import type { Call, Outcome } from './command.ts';
import { argument, atFlag, example, fixedNow, flag, pinnedRoot, rootFlag, text, texts } from './flags.ts';
import { reportFlags, writeReport } from './report-flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      `verify a published tree as a client that keeps what it trusts; exit status 3 unless every check passes\n\nChecks: ${Object.keys(REPOSITORY_CHECKS).join(', ')}`,
    )
    .argument('<tree>', 'folder, or http(s) URL, with metadata and targets below it')
    .option('--state <folder>', 'where trusted metadata is kept from run to run, so that nothing goes back unseen')
    .option('--target <name>', 'find this target and verify its content')
    .option(
      '--all-targets',
      'verify the content of every target there is; clear bytes of confidential releases are not',
    )
    .option('--out <folder>', 'put verified targets here, under their names')
    .option('--vehicle <vin>', 'what this vehicle is to install, by Director and Image repository together')
    .option('--director <tree>', "the Director's tree (default: director/ in TREE, beside image/)")
    .option('--director-root <file>', 'the pinned root of the Director')
    .option('--vehicle-id <id>', "the vehicle's folder in the Director's tree (found by its VIN in a folder)")
    .option('--installed <file>', 'what the vehicle has and runs (ecus: - id, version, release_counter)')
    .option('--ecu <id>', 'this ECU alone, as the Director names it')
    .option('--image <file>', 'check this image as that ECU would')
    .option('--partial', "as an ECU does that has the Director's roots and Targets alone; TREE may be the Director's")
    .option('--lint', 'look for what verifies but should not be so; exit status 6 where there is something')
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says');
  example(
    reportFlags(atFlag(rootFlag(command))),
    'secureev verify repository https://updates.example/image --root trust/root.json --state client',
    'secureev verify repository public --root trust/root.json --state client --target bundles/1.0/ZG.otap --out got',
    'secureev verify repository public --root trust/root.json --all-targets --allow-skip targets-there',
    'secureev verify repository public --root trust/root.json --director director --director-root trust/director.json --vehicle 5YJ3E1EA0KF000316 --state car',
  );
}

/** Verifies the tree, or a vehicle's view of it and of the Director's. */
export async function run(call: Call): Promise<Outcome> {
  if (text(call, 'vehicle') === undefined) {
    refuseFlags(call, VEHICLE_FLAGS, 'needs --vehicle');
    return await runTree(call);
  }
  refuseFlags(call, IMAGE_FLAGS, 'is about the Image repository alone: leave --vehicle out');
  const { runVehicleView } = await import('./vehicle-view.ts');
  const { checks, outcome } = await runVehicleView(call);
  await writeReport(call, 'verify repository', checks);
  return outcome;
}

const VEHICLE_FLAGS = ['director', 'directorRoot', 'vehicleId', 'installed', 'ecu', 'image', 'partial'];
const IMAGE_FLAGS = ['lint', 'allTargets', 'allowSkip'];

/** @throws USAGE where one of the flags (camel case) was given */
function refuseFlags(call: Call, names: readonly string[], why: string): void {
  const given = names.find((name) => call.options[name] !== undefined);
  if (given === undefined) return;
  throw failure('USAGE', `--${given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} ${why}`);
}

async function runTree(call: Call): Promise<Outcome> {
  const input = inputOf(call);
  const { checks, refusal, set, downloaded, allTargets, findings } = await verifyRepository(input, call.io);
  await writeReport(call, 'verify repository', checks);
  const roles = set && Object.fromEntries(filesOf(set).map(({ role, version }) => [role, version]));
  const verified = refusal === undefined || refusal.code === 'LINT_FOUND';
  const result = {
    tree: input.tree,
    verified,
    checks,
    roles: roles ?? null,
    lint: findings,
    target: downloaded === undefined ? null : { name: input.target, ...downloaded, path: downloaded.path ?? null },
    targets: allTargets === undefined ? null : targetsJson(allTargets),
  };
  const outcome = { result, text: bundleVerdictText(input.tree, checks, verified) };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}

function targetsJson({ verified, bytes, missing, refused }: AllTargets): Readonly<Record<string, unknown>> {
  return { verified, bytes, missing, refused: refused.map(({ name, error: { code } }) => ({ name, code })) };
}

function inputOf(call: Call): VerifyRepositoryInput {
  const name = text(call, 'target');
  const out = text(call, 'out');
  const allTargets = flag(call, 'allTargets');
  if (out !== undefined && name === undefined && !allTargets) {
    throw failure('USAGE', '--out needs --target or --all-targets');
  }
  if (name !== undefined && allTargets) throw failure('USAGE', '--target and --all-targets: give one of them');
  return {
    tree: argument(call, 0, 'TREE').replace(/(?<=.)\/+$/, ''),
    root: pinnedRoot(call),
    state: text(call, 'state')?.replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    target: name === undefined ? undefined : parseTargetName(name),
    allTargets,
    out,
    lint: flag(call, 'lint'),
    allowSkip: texts(call, 'allowSkip'),
  };
}
