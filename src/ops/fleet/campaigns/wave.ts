/** Signs the next wave of a campaign: assignment, envelopes and metadata of a vehicle in one transaction. */
import { SecureevError } from '../../../core/errors.ts';
import { assign } from '../../../store/assignments.ts';
import {
  campaignVehicles,
  campaignVehicleState,
  campaignWaves,
  findCampaign,
  setCampaignVehicle,
} from '../../../store/campaigns.ts';
import { isChanged } from '../../../store/director.ts';
import { findVehicleById } from '../../../store/fleet.ts';
import type { Tx } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import type { DirectorKeys } from '../director/keys.ts';
import { signVehicles } from '../director/sign-vehicles.ts';
import type { SignedVehicles } from '../director/sign-vehicles.ts';
import { vehicleIds } from '../director/vehicle-ids.ts';
import type { VehicleIds } from '../director/vehicle-ids.ts';
import { judge } from './survey.ts';
import type { Judging } from './survey.ts';

/** A wave to sign. */
export interface WaveRequest {
  readonly campaign: string;
  readonly wave: number;
  readonly judging: Judging;
  readonly keys: DirectorKeys;
  /** Whether the campaign's beginning was just told to the audit log. */
  readonly announced: boolean;
}

/** What became of a wave. */
export interface SignedWave extends SignedVehicles {
  readonly wave: number;
  /** Vehicles that cannot get it any more. */
  readonly failed: number;
  /** Envelopes that were made. */
  readonly envelopes: number;
  /** Whether somebody paused or withdrew the campaign meanwhile. */
  readonly stopped: boolean;
}

/** The vehicles of the next wave; undefined where none is pending. */
export function nextWave(repository: Repository, campaign: string): { wave: number; vehicles: VehicleIds } | undefined {
  const { next } = campaignWaves(repository, campaign);
  if (next === null) return undefined;
  return { wave: next, vehicles: vehicleIds(campaignVehicles(repository, campaign, { state: 'pending', wave: next })) };
}

/** Signs a wave. @throws as `signVehicles` */
export async function signWave(
  repository: Repository,
  vehicles: VehicleIds,
  request: WaveRequest,
): Promise<SignedWave> {
  const { campaign, wave, judging, keys, announced } = request;
  const release = findCampaign(repository, campaign)?.release ?? 'RELEASE';
  const counts = { failed: 0, envelopes: 0, stopped: false };
  const verdict = judge(repository, judging);
  const prepare = (tx: Tx, id: string): boolean => {
    if (findCampaign(tx, campaign)?.state !== 'running') {
      counts.stopped = true;
      return false;
    }
    const vehicle = findVehicleById(tx, id);
    // Another process may have signed it meanwhile.
    if (vehicle === undefined || campaignVehicleState(tx, campaign, id) !== 'pending') return false;
    const found = verdict(vehicle.vin);
    if (found.state === 'eligible') {
      assign(tx, id, { targets: found.assign, campaign });
      counts.envelopes += judging.envelopes.add(tx, vehicle, targetsOf(found.assign));
    } else if (found.state !== 'nothing-to-do') {
      setCampaignVehicle(tx, campaign, { vehicle: id, state: 'failed', reason: found.detail });
      counts.failed += 1;
      return false;
    }
    setCampaignVehicle(tx, campaign, { vehicle: id, state: 'signed' });
    return found.state === 'eligible' || isChanged(tx, id);
  };
  const signed = await signVehicles(repository, {
    keys,
    vehicles,
    prepare,
    command: 'campaign start',
    summary: `campaign ${campaign} goes on with wave ${wave}: ${vehicles.count} vehicles`,
    announced,
    about: [`campaign:${campaign}`],
    resume: `go on with \`secureev campaign start ${release} --name ${campaign} --key ...\` and the flags it began with`,
  });
  return { ...signed, ...counts, wave };
}

function targetsOf(assigned: readonly { readonly target: string }[]): readonly string[] {
  return assigned.map(({ target }) => target);
}

/** Refuses a campaign in another state. @throws CAMPAIGN_STATE */
export function stateRefusal(campaign: string, state: string, hint: string): SecureevError {
  return new SecureevError('CAMPAIGN_STATE', { message: `campaign ${campaign} is ${state}`, hint, details: { state } });
}
