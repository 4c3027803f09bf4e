/** `secureev verify repository`: a published tree, in a folder or behind a URL, as a client sees it. */
import type { Command } from 'commander';
import { parseTargetName } from '../core/brands.ts';
import { utf8 } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { Check } from '../core/report.ts';
import { filesOf } from '../ops/repository/metadata-checks.ts';
import { REPOSITORY_CHECKS, verifyRepository } from '../ops/repository/verify-repository.ts';
import type { VerifyRepositoryInput } from '../ops/repository/verify-repository.ts';
import { bundleVerdictText } from '../render/verified-bundle.ts';
import type { Call, Outcome } from './command.ts';
import { argument, atFlag, example, fixedNow, flag, pinnedRoot, rootFlag, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      `verify a published tree as a client that keeps what it trusts; exit status 3 unless every check passes\n\nChecks: ${Object.keys(REPOSITORY_CHECKS).join(', ')}`,
    )
    .argument('<tree>', 'folder, or http(s) URL, with metadata and targets below it')
    .option('--state <folder>', 'where trusted metadata is kept from run to run, so that nothing goes back unseen')
    .option('--target <name>', 'find this target and verify its content')
    .option('--out <folder>', 'put the verified target here, under its name')
    .option('--vehicle <vin>', 'what this vehicle is to install, by Director and Image repository together')
    .option('--director <tree>', "the Director's tree (default: director/ in TREE, beside image/)")
    .option('--director-root <file>', 'the pinned root of the Director')
    .option('--vehicle-id <id>', "the vehicle's folder in the Director's tree (found by its VIN in a folder)")
    .option('--installed <file>', 'what the vehicle has and runs (ecus: - id, version, release_counter)')
    .option('--ecu <id>', 'this ECU alone, as the Director names it')
    .option('--image <file>', 'check this image as that ECU would')
    .option('--partial', "as an ECU does that has the Director's roots and Targets alone; TREE may be the Director's")
    .option('--lint', 'look for what verifies but should not be so; exit status 6 where there is something')
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says')
    .option('--junit <file>', 'write the checks as JUnit XML too');
  example(
    atFlag(rootFlag(command)),
    'secureev verify repository https://updates.example/image --root trust/root.json --state client',
    'secureev verify repository public --root trust/root.json --state client --target bundles/1.0/ZG.otap --out got',
    'secureev verify repository public --root trust/root.json --director director --director-root trust/director.json --vehicle 5YJ3E1EA0KF000316 --state car',
  );
}

/** Verifies the tree, or a vehicle's view of it and of the Director's. */
export async function run(call: Call): Promise<Outcome> {
  if (text(call, 'vehicle') === undefined) {
    const given = VEHICLE_FLAGS.find(([name]) => call.options[name] !== undefined);
    if (given !== undefined) throw failure('USAGE', `${given[1]} needs --vehicle`);
    return await runTree(call);
  }
  if (flag(call, 'lint')) throw failure('USAGE', '--lint looks at the Image repository alone: leave --vehicle out');
  const { runVehicleView } = await import('./vehicle-view.ts');
  const outcome = await runVehicleView(call);
  await writeJunit(call, outcome.checks);
  return outcome.outcome;
}

const VEHICLE_FLAGS = [
  ['director', '--director'],
  ['directorRoot', '--director-root'],
  ['vehicleId', '--vehicle-id'],
  ['installed', '--installed'],
  ['ecu', '--ecu'],
  ['image', '--image'],
  ['partial', '--partial'],
] as const;

async function writeJunit(call: Call, checks: readonly Check[]): Promise<void> {
  const junit = text(call, 'junit');
  if (junit === undefined) return;
  const { junitXml } = await import('../render/junit.ts');
  await call.io.files.write(junit, utf8(junitXml('verify repository', checks, [])), { overwrite: true });
}

async function runTree(call: Call): Promise<Outcome> {
  const input = inputOf(call);
  const { checks, refusal, set, downloaded, findings } = await verifyRepository(input, call.io);
  await writeJunit(call, checks);
  const roles = set && Object.fromEntries(filesOf(set).map(({ role, version }) => [role, version]));
  const verified = refusal === undefined || refusal.code === 'LINT_FOUND';
  const result = {
    tree: input.tree,
    verified,
    checks,
    roles: roles ?? null,
    lint: findings,
    target: downloaded === undefined ? null : { name: input.target, ...downloaded, path: downloaded.path ?? null },
  };
  const outcome = { result, text: bundleVerdictText(input.tree, checks, verified) };
  return refusal === undefined ? outcome : { ...outcome, failure: refusal };
}

function inputOf(call: Call): VerifyRepositoryInput {
  const name = text(call, 'target');
  const out = text(call, 'out');
  if (out !== undefined && name === undefined) throw failure('USAGE', '--out needs --target');
  return {
    tree: argument(call, 0, 'TREE').replace(/(?<=.)\/+$/, ''),
    root: pinnedRoot(call),
    state: text(call, 'state')?.replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    target: name === undefined ? undefined : parseTargetName(name),
    out,
    lint: flag(call, 'lint'),
  };
}
