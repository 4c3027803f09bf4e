/** `secureev vehicle key revoke`: nothing more is encrypted to a key. */
import type { Command } from 'commander';
import { parseVin } from '../core/brands.ts';
import { revokeKey } from '../ops/fleet/vehicles-keys.ts';
import { revokedKeyText } from '../render/vehicles.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, requiredText } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description("revoke a vehicle's key: nothing more is encrypted to it")
    .argument('<vin>', 'its vehicle identification number')
    .argument('[keyid]', 'the key, or the beginning of its id (default: its encryption key)')
    .requiredOption('--reason <text>', 'why, for the log');
  example(dryRunFlag(command), "secureev vehicle key revoke 5YJ3E1EA0KF000316 --reason 'gateway replaced'");
}

/** Revokes the key. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    vin: parseVin(argument(call, 0, 'VIN')),
    keyId: call.args[1],
    reason: requiredText(call, 'reason'),
    dryRun,
  };
  const revoked = await revokeKey(input, call.io);
  return { result: { ...revoked, dryRun }, text: revokedKeyText(revoked, dryRun) };
}
