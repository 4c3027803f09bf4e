/** `secureev request create`: what an offline signer is to sign, in one file. */
import type { Command } from 'commander';
import { createRequest } from '../ops/repository/request-create.ts';
import { fingerprint } from '../render/fingerprint.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, requiredText } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('freeze the next version of a role and write what an offline signer needs to see and sign it')
    .argument('<role>', 'root, targets, snapshot, timestamp, or director/root')
    .requiredOption('-o, --out <file>', 'the request, F.sigreq');
  example(dryRunFlag(command), 'secureev request create root -o root-2.sigreq');
}

/** Writes the request. */
export async function run(call: Call): Promise<Outcome> {
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
