/** `secureev verify repository`: a published tree, in a folder or behind a URL, as a client sees it. */
import type { Command } from 'commander';
import { parseTargetName } from '../core/brands.ts';
import { utf8 } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import { filesOf } from '../ops/repository/metadata-checks.ts';
import { REPOSITORY_CHECKS, verifyRepository } from '../ops/repository/verify-repository.ts';
import type { VerifyRepositoryInput } from '../ops/repository/verify-repository.ts';
import { junitXml } from '../render/junit.ts';
import { bundleVerdictText } from '../render/verified-bundle.ts';
import type { Call, Outcome } from './command.ts';
import { argument, atFlag, example, fixedNow, flag, pinnedRoot, requiredText, rootFlag, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description(
      `verify a published tree as a client that keeps what it trusts; exit status 3 unless every check passes\n\nChecks: ${Object.keys(REPOSITORY_CHECKS).join(', ')}`,
    )
    .argument('<tree>', 'folder, or http(s) URL, with metadata and targets below it')
    .option('--state <folder>', 'where trusted metadata is kept from run to run')
    .option('--target <name>', 'find this target and verify its content')
    .option('--out <folder>', 'put the verified target here, under its name')
    .option('--lint', 'look for what verifies but should not be so; exit status 6 where there is something')
    .option('--require-hybrid', 'demand post-quantum signatures whatever the pinned root says')
    .option('--junit <file>', 'write the checks as JUnit XML too');
  example(
    atFlag(rootFlag(command)),
    'secureev verify repository https://updates.example/image --root trust/root.json --state client',
    'secureev verify repository public --root trust/root.json --state client --target bundles/1.0/ZG.otap --out got',
  );
}

/** Verifies the tree. */
export async function run(call: Call): Promise<Outcome> {
  const input = inputOf(call);
  const { checks, refusal, set, downloaded, findings } = await verifyRepository(input, call.io);
  const junit = text(call, 'junit');
  if (junit !== undefined) {
    await call.io.files.write(junit, utf8(junitXml('verify repository', checks, [])), { overwrite: true });
  }
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
    state: requiredText(call, 'state').replace(/(?<=.)\/+$/, ''),
    now: fixedNow(call),
    requireHybrid: flag(call, 'requireHybrid'),
    target: name === undefined ? undefined : parseTargetName(name),
    out,
    lint: flag(call, 'lint'),
  };
}
