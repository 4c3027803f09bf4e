/** `secureev root export`: the root of trust to pin. */
import type { Command } from 'commander';
import { exportRoot } from '../ops/repository/root-export.ts';
import { fingerprint } from '../render/fingerprint.ts';
import type { Call, Outcome } from './command.ts';
import { example, flag, repositoryChoice, requiredText, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('write the root of trust that vehicles and verifiers pin, and show its fingerprint')
    .requiredOption('-o, --out <file>', 'where to write it')
    .option('--role <role>', 'root or director/root', 'root')
    .option('--director', 'the same as --role director/root')
    .option('--overwrite', 'replace the file if it is there');
  example(command, 'secureev root export -o trust/root.json');
}

/** Writes the root. */
export async function run(call: Call): Promise<Outcome> {
  const input = {
    repository: repositoryChoice(call),
    role: flag(call, 'director') ? 'director/root' : (text(call, 'role') ?? 'root'),
    out: requiredText(call, 'out'),
    overwrite: flag(call, 'overwrite'),
  };
  const { version, sha256 } = await exportRoot(input, call.io);
  const words = `wrote ${input.role} ${version} to ${input.out}\nSHA-256 fingerprint: ${fingerprint(sha256)}`;
  return { result: { role: input.role, version, sha256, file: input.out }, text: words };
}
