/** Campaigns as they stand. */
import { toHex } from '../../../core/bytes.ts';
import type { Io } from '../../../core/ports.ts';
import { campaignCounts, campaigns, campaignWaves, listCampaignVehicles } from '../../../store/campaigns.ts';
import type {
  Campaign,
  CampaignCounts,
  CampaignVehicleState,
  ListedCampaignVehicle,
} from '../../../store/campaigns.ts';
import type { Reader } from '../../../store/reader.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { requireCampaign } from './start.ts';

/** A campaign and how far it is. */
export interface CampaignStanding extends Omit<Campaign, 'vehiclesSha256'> {
  /** Hex. */
  readonly vehiclesSha256: string;
  readonly vehicles: number;
  readonly counts: CampaignCounts;
  readonly waves: number;
  /** The wave that `campaign start` would go on with; null where none is pending. */
  readonly nextWave: number | null;
}

/** A campaign and some of its vehicles. */
export interface ShownCampaignAnswer {
  readonly campaign: CampaignStanding;
  readonly vehicles: readonly ListedCampaignVehicle[];
}

/** All campaigns, newest first. */
export async function listCampaigns(choice: RepositoryChoice, io: Io): Promise<readonly CampaignStanding[]> {
  using repository = await openChosen(io, choice, { readOnly: true });
  return campaigns(repository).map((campaign) => standingOf(repository, campaign));
}

/** One campaign. @throws CAMPAIGN_UNKNOWN */
export async function showCampaign(
  input: { repository: RepositoryChoice; name: string; state?: CampaignVehicleState | undefined; limit: number },
  io: Io,
): Promise<ShownCampaignAnswer> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const campaign = requireCampaign(repository, input.name);
  return {
    campaign: standingOf(repository, campaign),
    vehicles: listCampaignVehicles(repository, campaign.name, input),
  };
}

function standingOf(reader: Reader, campaign: Campaign): CampaignStanding {
  const counts = campaignCounts(reader, campaign.name);
  const { next, last } = campaignWaves(reader, campaign.name);
  const vehicles = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { ...campaign, vehiclesSha256: toHex(campaign.vehiclesSha256), vehicles, counts, waves: last, nextWave: next };
}
