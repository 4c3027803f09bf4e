/** `secureev campaign list`. */
import type { Command } from 'commander';
import { formatInstant } from '../core/brands.ts';
import { listCampaigns } from '../ops/fleet/campaigns/show.ts';
import { campaignsText } from '../render/campaigns.ts';
import type { Call, Outcome } from './command.ts';
import { example, repositoryChoice } from './flags.ts';

/** Declares nothing but an example. */
export function configure(command: Command): void {
  example(command.description('list campaigns and how far they are'), 'secureev campaign list');
}

/** Lists them. */
export async function run(call: Call): Promise<Outcome> {
  const listed = await listCampaigns(repositoryChoice(call), call.io);
  const campaigns = listed.map((campaign) => ({
    ...campaign,
    createdAt: formatInstant(campaign.createdAt),
    changedAt: formatInstant(campaign.changedAt),
  }));
  return { result: { campaigns }, text: campaignsText(listed) };
}
