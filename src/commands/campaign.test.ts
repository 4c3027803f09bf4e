/** Campaigns from the command line: begun in waves, resumed, paused, withdrawn; what is refused before anything changes. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeRole } from '../formats/metadata/envelope.ts';
import { CAMPAIGN_VINS, campaignSession } from '../testing/campaign-session.ts';
import { publishRelease } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const KEY = '--key keys/director.key';
const VINS = CAMPAIGN_VINS;
const [FIRST = '', SECOND = ''] = VINS;

const START = 'campaign start r1 --vehicles fleet.txt';

describe('a campaign whose release may be read', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await campaignSession(false);
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('is refused while the release is not complete', async () => {
    const early = await session.json(`${START} ${KEY}`);
    expect([early.status, early.error?.code]).toEqual([6, 'RELEASE_NOT_COMPLETE']);
    await publishRelease(session);
  });

  test.each([
    ['an unknown release', 'campaign start r9 --vehicles fleet.txt', '', 'RELEASE_UNKNOWN'],
    ['a vehicle twice', START, `${FIRST}\n${SECOND}\n${FIRST}\n`, 'CAMPAIGN_VEHICLE_TWICE'],
    ['a vehicle that is not known', START, '1HGCM82633A004352\n', 'CAMPAIGN_VEHICLE_UNKNOWN'],
    ['what is no VIN', START, 'car one\n', 'VEHICLE_LIST_MALFORMED'],
    ['an empty list', START, '# nobody\n', 'CAMPAIGN_EMPTY'],
    ['going on with none', 'campaign start r1', '', 'CAMPAIGN_UNKNOWN'],
    ['withdrawing none', 'campaign withdraw r1 --reason x', '', 'CAMPAIGN_UNKNOWN'],
  ])('%s is an error of its own, and nothing changed', async (_, line, list, code) => {
    const fleet = await session.read('fleet.txt');
    if (list !== '') await session.write('fleet.txt', list);
    expect((await session.json(`${line} ${KEY}`)).error?.code).toBe(code);
    await session.write('fleet.txt', fleet);
    expect(await session.ok('campaign list')).toContain('no campaigns');
  });

  test('R4 a dry run counts and changes nothing; waves go on one by one; one audit entry a campaign', async () => {
    const dry = await session.json(`${START} --wave 4 ${KEY} --dry-run`);
    expect(dry.result).toMatchObject({ waves: 2, survey: { eligible: 6, keyless: 0, blocked: 0 }, signed: null });
    expect(await session.ok('campaign list')).toContain('no campaigns');
    const begun = await session.json(`${START} --wave 4 ${KEY}`);
    expect(begun.result).toMatchObject({ campaign: 'r1', signed: { wave: 1, vehicles: 4, files: 12 } });
    const list = VINS.map((vin) => `${vin}\n`).join('');
    expect(begun.result?.['vehiclesSha256']).toBe(createHash('sha256').update(list).digest('hex'));
    expect((await session.json(`${START} ${KEY}`)).error?.code).toBe('CAMPAIGN_EXISTS');
    const log = await session.ok('log --json');
    expect(log.match(/"command":"campaign start"/g)).toHaveLength(1);
    expect(log).toContain(String(begun.result?.['vehiclesSha256']));
    const ofVehicle = await session.ok(`log --vehicle ${SECOND}`);
    expect(ofVehicle).toContain('began campaign r1 of release r1');
    const shown = await session.json('campaign show r1');
    expect(shown.result?.['campaign']).toMatchObject({ waves: 2, nextWave: 2, counts: { pending: 2, signed: 4 } });
    await session.ok('campaign pause r1 --reason waiting');
    expect((await session.json('campaign pause r1 --reason waiting')).error?.code).toBe('CAMPAIGN_STATE');
    expect(await session.ok('campaign show r1')).toContain('paused: waiting');
    expect(await session.ok(`campaign start r1 ${KEY}`)).toContain('wave 2 of 2, director: 2 vehicles signed');
    expect(await session.ok(`campaign start r1 ${KEY}`)).toContain('no vehicle is pending');
    expect(await session.ok(`sign director ${KEY}`)).toContain('nothing to be signed');
  });

  test('U8 U9 a vehicle gets bundles for its gateways and images for its ECUs, as the Image repository lists them', async () => {
    await session.ok('publish director director');
    const { vehicle } = (await session.json(`vehicle show ${FIRST}`)).result as { vehicle: { id: string } };
    const file = await readFile(session.path(`director/vehicles/${vehicle.id}/metadata/1.targets.json`));
    const { signed } = decodeRole(new Uint8Array(file), 'targets').unverified;
    expect([...signed.targets.keys()]).toEqual([
      'EV-1/BCM/1.1.0/bcm.bin',
      'EV-1/DOOR/1.1.0/door.bin',
      'EV-1/MCU/2.0.0/mcu.bin',
      'bundles/r1/ZG_BODY.otap',
      'bundles/r1/ZG_DRIVE.otap',
    ]);
    const door = signed.targets.get('EV-1/DOOR/1.1.0/door.bin')?.custom;
    expect(door?.get('ecuIdentifiers')).toEqual(
      new Map([
        ['DOOR_L', new Map([['hardwareId', 'door-b']])],
        ['DOOR_R', new Map([['hardwareId', 'door-c']])],
      ]),
    );
    expect(signed.targets.get('bundles/r1/ZG_BODY.otap')?.custom?.get('encryptedTarget')).toBeUndefined();
  });

  test('a release that everyone has leaves nothing to do', async () => {
    const again = await session.json(`${START} --name again ${KEY}`);
    expect(again.error?.code).toBe('CAMPAIGN_EMPTY');
  });

  test('a pause that comes meanwhile stops a wave at its next batch; it goes on where it stopped', async () => {
    const vins = Array.from({ length: 40 }, (_, index) => `1HGCM82633A0043${10 + index}`);
    await session.write('wide.csv', `vin,model\n${vins.map((vin) => `${vin},EV-1\n`).join('')}`);
    await session.write('wide.txt', vins.join('\n'));
    await session.ok('vehicle import wide.csv');
    const rest = async (): Promise<void> => void (await session.ok('campaign pause wide --reason smoke'));
    const started = await session.json(`campaign start r1 --name wide --vehicles wide.txt ${KEY}`, {
      env: { SECUREEV_ENGINE: 'noble' },
      adapt: (io) => ({ ...io, workers: { ...io.workers, rest } }),
    });
    expect(started.result).toMatchObject({ signed: { vehicles: 32, stopped: true } });
    const shown = await session.json('campaign show wide');
    expect(shown.result?.['campaign']).toMatchObject({ state: 'paused', counts: { pending: 8, signed: 32 } });
    const resumed = await session.json(`campaign start r1 --name wide ${KEY}`);
    expect(resumed.result).toMatchObject({ signed: { wave: 1, vehicles: 8, stopped: false } });
  });

  test('withdrawing takes it back, says how long what is out there stays valid, and keeps numbers rising', async () => {
    const dry = await session.json(`campaign withdraw r1 --reason brakes ${KEY} --dry-run`);
    expect(dry.result).toMatchObject({ withdrawn: 6, signed: null });
    const done = await session.json(`campaign withdraw r1 --reason brakes ${KEY}`);
    expect(done.result).toMatchObject({ withdrawn: 6, installed: 0, neverSigned: 0, signed: { vehicles: 6 } });
    expect(done.result?.['cachedUntil']).toBe('2026-11-22T10:00:00Z');
    expect(done.result?.['kitsUntil']).toBe('2026-11-22T10:00:00Z');
    await session.ok('publish director director');
    const { vehicle } = (await session.json(`vehicle show ${FIRST}`)).result as { vehicle: { id: string } };
    const file = await readFile(session.path(`director/vehicles/${vehicle.id}/metadata/2.targets.json`));
    expect(decodeRole(new Uint8Array(file), 'targets').unverified.signed.targets.size).toBe(0);
    expect((await session.json(`campaign start r1 ${KEY}`)).error?.code).toBe('CAMPAIGN_STATE');
    expect(await session.ok('campaign list')).toMatch(/r1 +r1 +withdrawn/);
    await session.ok('hold --reason stolen');
    for (const line of [`${START} --name x ${KEY}`, `campaign withdraw r1 --reason x ${KEY}`]) {
      expect((await session.json(line)).error?.code).toBe('REPOSITORY_HELD');
    }
  });
});
