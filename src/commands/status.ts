/** `secureev status`: where every role stands. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { EXIT } from '../core/errors.ts';
import { repositoryStatus } from '../ops/report/status.ts';
import { statusText } from '../render/status.ts';
import type { Call, Outcome } from './command.ts';
import { atFlag, durationSeconds, example, fixedNow, repositoryChoice } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('show versions, expiries, thresholds, what is staged and who has signed')
    .option('--within <duration>', 'exit status 6 when a role expires within this time or lists a revoked key');
  example(atFlag(command), 'secureev status', 'secureev status --within 14d');
}

/** Shows the status. */
export async function run(call: Call): Promise<Outcome> {
  const withinSeconds = durationSeconds(call, 'within');
  const now = fixedNow(call);
  const status = await repositoryStatus({ repository: repositoryChoice(call), now, withinSeconds }, call.io);
  const roles = status.roles.map((role) => ({
    ...role,
    expires: timeOf(role.expires),
    pending: role.pending === null ? null : { ...role.pending, expires: timeOf(role.pending.expires) },
  }));
  const due = withinSeconds !== undefined && status.due.length > 0;
  const text = statusText(status, now);
  const { director } = status;
  const vehicles = director === null ? null : { ...director, nextExpiry: timeOf(director.nextExpiry) };
  return { result: { ...status, roles, director: vehicles }, text, ...(due ? { status: EXIT.policy } : {}) };
}

function timeOf(instant: Instant | null): string | null {
  return instant === null ? null : formatInstant(instant);
}
