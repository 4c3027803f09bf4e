/** `secureev campaign withdraw`: takes a release back from every vehicle that has not installed it. */
import type { Command } from 'commander';
import { formatInstant, parseName } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { withdrawCampaign } from '../ops/fleet/campaigns/withdraw.ts';
import { withdrawalText } from '../render/campaigns.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  example,
  flag,
  keyFlags,
  passphraseChoice,
  repositoryChoice,
  requiredText,
  texts,
} from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('take a release back from the vehicles that have not reported it as installed, and sign them anew')
    .argument('<name>', 'the campaign')
    .requiredOption('--reason <text>', 'why, for the audit log');
  example(dryRunFlag(keyFlags(command)), "secureev campaign withdraw 2026.4 --reason 'brakes' --key keys/director.key");
}

/** Withdraws it. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    name: parseName(argument(call, 0, 'NAME'), 'campaign'),
    reason: requiredText(call, 'reason'),
    signers: texts(call, 'key'),
    passphrases: passphraseChoice(call),
    dryRun,
  };
  const withdrawn = await withdrawCampaign(input, call.io);
  const { cachedUntil, kitsUntil } = withdrawn;
  const times = { cachedUntil: timeOf(cachedUntil), kitsUntil: timeOf(kitsUntil) };
  return { result: { ...withdrawn, ...times, dryRun }, text: withdrawalText(withdrawn, dryRun) };
}

function timeOf(instant: Instant | null): string | null {
  return instant === null ? null : formatInstant(instant);
}
