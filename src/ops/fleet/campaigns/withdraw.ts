/**
 * `campaign pause` and `campaign withdraw`.
 *
 * Pausing stops further waves; withdrawing takes the assignments back of every vehicle that has not reported the release as
 * installed, and signs its metadata anew. What was fetched before stays valid until it expires: the answer says how long.
 */
import type { Instant } from '../../../core/brands.ts';
import type { Io } from '../../../core/ports.ts';
import type { PassphraseChoice } from '../../../signers/signer.ts';
import {
  campaignCounts,
  campaignExpiry,
  campaignVehicles,
  campaignVehicleState,
  setCampaignState,
  setCampaignVehicle,
  unassignCampaign,
  withdrawUnsigned,
} from '../../../store/campaigns.ts';
import type { CampaignCounts } from '../../../store/campaigns.ts';
import { markChanged } from '../../../store/director.ts';
import type { Tx } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { refuseIfHeld } from '../../repository/hold.ts';
import { openChosen } from '../../repository/locate.ts';
import type { RepositoryChoice } from '../../repository/locate.ts';
import { openSigners } from '../../repository/sign.ts';
import { openDirectorKeys } from '../director/keys.ts';
import { noteKeys } from '../director/rotation.ts';
import { signVehicles } from '../director/sign-vehicles.ts';
import type { SignedVehicles } from '../director/sign-vehicles.ts';
import { vehicleIds } from '../director/vehicle-ids.ts';
import { requireCampaign } from './start.ts';
import { stateRefusal } from './wave.ts';

/** A campaign to pause. */
export interface CampaignPauseInput {
  readonly repository: RepositoryChoice;
  readonly name: string;
  readonly reason: string;
  readonly dryRun?: boolean | undefined;
}

/** What a pause stops. */
export interface CampaignPauseAnswer {
  readonly campaign: string;
  readonly counts: CampaignCounts;
}

/** Pauses a campaign; a wave in work stops at its next batch. @throws CAMPAIGN_UNKNOWN, CAMPAIGN_STATE */
export async function pauseCampaign(input: CampaignPauseInput, io: Io): Promise<CampaignPauseAnswer> {
  using repository = await openChosen(io, input.repository);
  const { name, reason, dryRun } = input;
  const { state } = requireCampaign(repository, name);
  if (state !== 'running') throw stateRefusal(name, state, 'only a running campaign is paused');
  repository.transact({ command: 'campaign pause', summary: `paused campaign ${name}: ${reason}`, dryRun }, (tx) => {
    setCampaignState(tx, name, { state: 'paused', reason });
  });
  return { campaign: name, counts: campaignCounts(repository, name) };
}

/** A campaign to withdraw. */
export interface CampaignWithdrawInput extends CampaignPauseInput {
  readonly signers: readonly string[];
  readonly passphrases: PassphraseChoice;
}

/** What was withdrawn. */
export interface CampaignWithdrawAnswer {
  readonly campaign: string;
  /** Vehicles that were signed anew; with a dry run, that would be. */
  readonly withdrawn: number;
  /** Vehicles that had not got it yet. */
  readonly neverSigned: number;
  /** Vehicles that have installed it, and keep it. */
  readonly installed: number;
  /** Until when a vehicle that fetches nothing new believes what it has. */
  readonly cachedUntil: Instant | null;
  /** Until when an offline kit can be installed by whoever accepts a stale Timestamp and Snapshot. */
  readonly kitsUntil: Instant | null;
  readonly signed: SignedVehicles | null;
}

/** Withdraws a campaign, or goes on with that. @throws REPOSITORY_HELD, CAMPAIGN_UNKNOWN, DIRECTOR_*, INTERRUPTED, SIGNER_* */
export async function withdrawCampaign(input: CampaignWithdrawInput, io: Io): Promise<CampaignWithdrawAnswer> {
  using repository = await openChosen(io, input.repository);
  refuseIfHeld(repository);
  const { name } = input;
  requireCampaign(repository, name);
  using signers = await openSigners(repository, input);
  const before = campaignCounts(repository, name);
  const valid = campaignExpiry(repository, name, 'signed');
  const vehicles = vehicleIds(campaignVehicles(repository, name, { state: 'signed' }));
  await using keys = await openDirectorKeys(repository, signers.keys, vehicles.count);
  const answer = {
    campaign: name,
    withdrawn: vehicles.count,
    neverSigned: before.pending + before.failed,
    installed: before.installed,
    cachedUntil: valid.timestamp,
    kitsUntil: valid.targets,
  };
  if (input.dryRun === true) return { ...answer, signed: null };
  noteKeys(repository);
  recordWithdrawal(repository, input, vehicles.count);
  const signed = await signVehicles(repository, {
    keys,
    vehicles,
    prepare: (tx, id) => takeBack(tx, name, id),
    command: 'campaign withdraw',
    summary: '',
    announced: true,
    resume: `go on with \`secureev campaign withdraw ${name} --reason ... --key ...\``,
  });
  return { ...answer, signed };
}

function recordWithdrawal(repository: Repository, { name, reason }: CampaignWithdrawInput, count: number): void {
  const summary = `withdrew campaign ${name}, ${count} vehicles to be signed anew: ${reason}`;
  repository.transact({ command: 'campaign withdraw', summary }, (tx) => {
    refuseIfHeld(tx);
    setCampaignState(tx, name, { state: 'withdrawn', reason });
    withdrawUnsigned(tx, name);
  });
}

/** A later campaign's assignments stay. */
function takeBack(tx: Tx, name: string, vehicle: string): boolean {
  // It may have reported the release as installed meanwhile, and keeps it then.
  if (campaignVehicleState(tx, name, vehicle) !== 'signed') return false;
  setCampaignVehicle(tx, name, { vehicle, state: 'withdrawn' });
  if (!unassignCampaign(tx, name, vehicle)) return false;
  markChanged(tx, vehicle);
  return true;
}
