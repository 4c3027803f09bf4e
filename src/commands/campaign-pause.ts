/** `secureev campaign pause`: no further wave until `campaign start` goes on. */
import type { Command } from 'commander';
import { parseName } from '../core/brands.ts';
import { pauseCampaign } from '../ops/fleet/campaigns/withdraw.ts';
import { campaignPausedText } from '../render/campaigns.ts';
import type { Call, Outcome } from './command.ts';
import { argument, dryRunFlag, example, flag, repositoryChoice, requiredText } from './flags.ts';

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('stop further waves of a campaign; a wave in work stops at its next batch of vehicles')
    .argument('<name>', 'the campaign')
    .requiredOption('--reason <text>', 'why, for the audit log');
  example(dryRunFlag(command), "secureev campaign pause 2026.4 --reason 'two cars stopped charging'");
}

/** Pauses it. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const name = parseName(argument(call, 0, 'NAME'), 'campaign');
  const input = { repository: repositoryChoice(call), name, reason: requiredText(call, 'reason'), dryRun };
  const paused = await pauseCampaign(input, call.io);
  return { result: { ...paused, dryRun }, text: campaignPausedText(paused, dryRun) };
}
