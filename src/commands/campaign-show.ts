/** `secureev campaign show`. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { formatInstant, parseName } from '../core/brands.ts';
import { showCampaign } from '../ops/fleet/campaigns/show.ts';
import { campaignText } from '../render/campaigns.ts';
import type { Call, Outcome } from './command.ts';
import { argument, example, integer, repositoryChoice, text } from './flags.ts';

const STATES = ['pending', 'signed', 'installed', 'failed', 'withdrawn'] as const;
const LIMIT = 20;
const LIMIT_MAX = 1_000_000;

/** Declares arguments and flags. */
export function configure(command: Command): void {
  command
    .description('show a campaign: its waves, how many vehicles are in which state, and some of them')
    .argument('<name>', 'the campaign')
    .addOption(new Option('--state <state>', 'only vehicles in this state').choices(STATES))
    .option('--limit <count>', `how many vehicles to show (default: ${LIMIT})`);
  example(command, 'secureev campaign show 2026.4 --state failed');
}

/** Shows it. */
export async function run(call: Call): Promise<Outcome> {
  const wanted = text(call, 'state');
  const input = {
    repository: repositoryChoice(call),
    name: parseName(argument(call, 0, 'NAME'), 'campaign'),
    state: STATES.find((state) => state === wanted),
    limit: integer(call, 'limit', { max: LIMIT_MAX }) ?? LIMIT,
  };
  const { campaign, vehicles } = await showCampaign(input, call.io);
  const { createdAt, changedAt } = campaign;
  const times = { createdAt: formatInstant(createdAt), changedAt: formatInstant(changedAt) };
  return { result: { campaign: { ...campaign, ...times }, vehicles }, text: campaignText(campaign, vehicles) };
}
