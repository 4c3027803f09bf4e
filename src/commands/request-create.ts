/** `secureev request create`: what an offline signer is to sign, in one file. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { createBundleRequest } from '../ops/release/bundle-request.ts';
import { createRequest } from '../ops/repository/request-create.ts';
import { fingerprint } from '../render/fingerprint.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, requiredText } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('freeze the next version of a role and write what an offline signer needs to see and sign it')
    .argument('<role>', 'root, targets, snapshot, timestamp, director/root; or the word bundle')
    .argument('[file]', 'after the word bundle: what `package --incomplete` wrote')
    .requiredOption('-o, --out <file>', 'the request, F.sigreq');
  example(
    dryRunFlag(command),
    'secureev request create root -o root-2.sigreq',
    'secureev request create bundle bundles/ZG.otap -o ZG.sigreq',
  );
}

/** Writes the request. */
export async function run(call: Call): Promise<Outcome> {
  if (argument(call, 0, 'ROLE') === 'bundle') return await runForBundle(call);
  if (call.args.length > 1) throw failure('USAGE', 'a file is named only after the word bundle');
  const input = {
    repository: repositoryChoice(call),
    role: argument(call, 0, 'ROLE'),
    out: requiredText(call, 'out'),
    dryRun: flag(call, 'dryRun'),
  };
  const made = await createRequest(input, call.io);
  const text = [
    `wrote ${input.out}: ${made.role} ${made.version}`,
    `request ${fingerprint(made.digest)}`,
    `payload ${fingerprint(made.payloadDigest)}`,
  ].join('\n');
  return { result: { ...made, file: input.out }, text };
}

async function runForBundle(call: Call): Promise<Outcome> {
  const out = requiredText(call, 'out');
  const bundle = argument(call, 1, 'FILE');
  const input = { repository: repositoryChoice(call), bundle, out, dryRun: flag(call, 'dryRun') };
  const made = await createBundleRequest(input, call.io);
  const text = `wrote ${out}: ${made.target}\nrequest ${fingerprint(made.digest)}\npayload ${fingerprint(made.payloadDigest)}`;
  return { result: { ...made, file: out }, text };
}
