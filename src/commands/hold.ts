/** `secureev hold`: the emergency stop. */
import type { Command } from 'commander';
import { failure } from '../core/errors.ts';
import { hold } from '../ops/repository/hold.ts';
import { printableLine } from '../render/text.ts';
import type { Call, Outcome } from './command.ts';
import { dryRunFlag, example, flag, repositoryChoice, text } from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('stop sign, renew and publish in an emergency, or lift that')
    .option('--reason <text>', 'begin a hold, for this reason')
    .option('--lift', 'end the hold');
  example(dryRunFlag(command), "secureev hold --reason 'targets key lost, see INC-4711'", 'secureev hold --lift');
}

/** Begins or lifts a hold, or shows it. */
export async function run(call: Call): Promise<Outcome> {
  const reason = text(call, 'reason');
  const lift = flag(call, 'lift');
  if (lift && reason !== undefined) throw failure('USAGE', '--reason and --lift exclude each other');
  if (reason?.trim() === '') throw failure('USAGE', '--reason is empty');
  const input = { repository: repositoryChoice(call), reason, lift, dryRun: flag(call, 'dryRun') };
  const state = await hold(input, call.io);
  const words = state.held
    ? `on hold: ${printableLine(state.reason ?? '')}`
    : 'not on hold: sign, renew and publish work';
  return { result: { held: state.held, reason: state.reason ?? null, changed: state.changed }, text: words };
}
