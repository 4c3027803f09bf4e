/** Vehicles that change their state between the beginning of a run and their own turn. */
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../../../core/brands.ts';
import {
  addCampaign,
  addCampaignVehicle,
  campaignCounts,
  campaignsOfVehicle,
  campaignVehicles,
  findCampaign,
  setCampaignVehicle,
} from '../../../store/campaigns.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import { addRelease } from '../../../store/releases.ts';
import { directorFleet, FLEET_TARGETS, fleetVin } from '../../../testing/director-fleet.ts';
import type { TestRepository } from '../../../testing/signed-repository.ts';
import { openDirectorKeys } from '../director/keys.ts';
import type { CampaignEnvelopes } from './envelopes.ts';
import { nextWave, signWave } from './wave.ts';
import type { SignedWave } from './wave.ts';

const [, NEW] = FLEET_TARGETS;
const NO_ENVELOPES: CampaignEnvelopes = { obstacle: () => undefined, add: () => 0, [Symbol.dispose]: () => undefined };
const OFFER = {
  ecu: 'BMS',
  target: parseTargetName(NEW),
  sha256: '',
  hardwareIds: ['H1'],
  version: '2.0',
  releaseCounter: 2,
  requires: [],
  conflicts: [],
};

/** A fleet of three in one campaign. */
async function begun(): Promise<TestRepository> {
  const fleet = await directorFleet(3);
  await fleet.open((open) =>
    open.transact({ command: 'test', summary: 'a campaign' }, (tx) => {
      addRelease(tx, { name: 'r1', model: 'EV-1', confidential: false, plan: {} });
      addCampaign(tx, { name: 'c1', release: 'r1', vehiclesSha256: new Uint8Array(32) });
      for (const index of [0, 1, 2]) {
        addCampaignVehicle(tx, 'c1', { vehicle: vehicleOfVin(tx, fleetVin(index)).id, wave: 1 });
      }
    }),
  );
  return fleet;
}

/** Signs the wave after `meanwhile` has changed what it found. */
async function sign(
  fleet: TestRepository,
  meanwhile: (vehicle: string) => 'installed' | undefined,
): Promise<SignedWave> {
  const { keys: named } = await fleet.key('director');
  return await fleet.open(async (open) => {
    const next = nextWave(open, 'c1');
    if (next === undefined) throw new Error('no wave');
    open.transact({ command: 'test', summary: 'meanwhile' }, (tx) => {
      for (const vehicle of next.vehicles.slice(0, 3)) {
        const state = meanwhile(vehicle);
        if (state !== undefined) setCampaignVehicle(tx, 'c1', { vehicle, state });
      }
    });
    await using keys = await openDirectorKeys(open, named, 3);
    const offers = { model: 'EV-1', confidential: false, offers: [OFFER] };
    const judging = { offers, envelopes: NO_ENVELOPES, allowDowngrade: false };
    return await signWave(open, next.vehicles, { campaign: 'c1', wave: 1, judging, keys, announced: false });
  });
}

describe('a wave', () => {
  test('leaves vehicles alone that another process has taken on since', async () => {
    await using fleet = await begun();
    let first = true;
    const signed = await sign(fleet, () => {
      const state = first ? 'installed' : undefined;
      first = false;
      return state;
    });
    expect(signed).toMatchObject({ vehicles: 2, failed: 0, stopped: false });
    await fleet.open((open) => {
      expect(campaignCounts(open, 'c1')).toMatchObject({ pending: 0, signed: 2, installed: 1 });
      expect([...campaignVehicles(open, 'c1', { state: 'signed' })]).toHaveLength(2);
      expect(campaignsOfVehicle(open, fleetVin(0))).toEqual(['c1']);
      expect(findCampaign(open, 'c1')?.state).toBe('running');
    });
  });
});
