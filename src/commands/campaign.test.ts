/** Campaigns from the command line: begun in waves, resumed, paused, withdrawn; what is refused before anything changes. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeRole } from '../formats/metadata/envelope.ts';
import { publishRelease, releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const KEY = '--key keys/director.key';
const VINS = Array.from({ length: 6 }, (_, index) => `5YJ3E1EA0KF00031${index}`);
const [FIRST = '', SECOND = '', THIRD = ''] = VINS;

/** A session with a Director, six vehicles (the first has an encryption key) and release r1, signed. */
async function campaignSession(confidential: boolean): Promise<CliSession> {
  const session = await releaseSession({ scheme: confidential ? 'hybrid' : 'ecdsa-p256' });
  await session.write('fleet.txt', `# all\n${VINS.join('\n')}\n`);
  for (const key of ['d-root', 'director']) await session.ok(`keygen ${key} --out keys --scheme ecdsa-p256`);
  await session.ok('role set director/root --key keys/d-root.pub');
  for (const role of ['targets', 'snapshot', 'timestamp']) {
    await session.ok(`role set director/${role} --key keys/director.pub`);
  }
  await session.ok('sign director/root --key keys/d-root.key');
  for (const key of ['escrow', 'car-1']) await session.ok(`keygen ${key} --purpose encryption --out keys`);
  await session.ok('role set escrow --key keys/escrow.pub');
  for (const vin of VINS) {
    await session.ok(`vehicle add ${vin} --model EV-1 ${vin === FIRST ? '--encryption-key keys/car-1.pub' : ''}`);
  }
  const plan = new TextDecoder().decode(await session.read('release.yaml'));
  if (!confidential) await session.write('release.yaml', plan.replace('images:', 'confidential: false\nimages:'));
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  return session;
}

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

describe('a confidential campaign', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await campaignSession(true);
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('is refused before the release is encrypted, and for vehicles without a key', async () => {
    const keys = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');
    await session.ok(`sign targets snapshot timestamp ${keys}`);
    expect((await session.json(`${START} ${KEY}`)).error?.code).toBe('RELEASE_NOT_ENCRYPTED');
    await session.ok(`encrypt bundles/ZG_BODY.otap bundles/ZG_DRIVE.otap --vehicle ${FIRST} --out sealed`);
    await session.ok(`sign targets snapshot timestamp ${keys}`);
    const keyless = await session.json(`${START} ${KEY}`);
    expect([keyless.status, keyless.error?.code]).toEqual([6, 'CAMPAIGN_KEYLESS']);
    expect(keyless.error?.details).toMatchObject({ vehicles: 5 });
  });

  test('U10 --skip-missing reports who is left out; the others get encryptedTarget and their envelope', async () => {
    const started = await session.json(`${START} --skip-missing report.csv ${KEY}`);
    expect(started.result).toMatchObject({
      survey: { eligible: 1, keyless: 5 },
      signed: { vehicles: 1, envelopes: 0 },
    });
    const report = new TextDecoder().decode(await session.read('report.csv'));
    expect(report.split('\r\n').slice(0, 2)).toEqual([
      'vin,state,reason,detail',
      `${SECOND},keyless,keyless,it has no encryption key`,
    ]);
    const tree = await session.json('publish director director');
    expect(tree.result).toMatchObject({ vehicles: 1, notes: [] });
    const { vehicle } = (await session.json(`vehicle show ${FIRST}`)).result as { vehicle: { id: string } };
    const folder = `director/vehicles/${vehicle.id}`;
    const { signed } = decodeRole(await session.read(`${folder}/metadata/1.targets.json`), 'targets').unverified;
    const encrypted = signed.targets.get('bundles/r1/ZG_BODY.otap')?.custom?.get('encryptedTarget');
    expect(encrypted).toBeInstanceOf(Map);
    expect(encrypted instanceof Map ? [encrypted.get('filename'), encrypted.get('method')] : []).toEqual([
      'bundles/r1/ZG_BODY.otap.sev',
      'secureev/sev/1',
    ]);
    const opened = await session.json(
      `decrypt sealed/ZG_BODY.otap.sev --envelopes ${folder}/envelopes/bundles/r1/ZG_BODY.otap.sevk --key keys/car-1.key -o out.otap`,
    );
    expect(opened.ok).toBe(true);
  });

  test('a vehicle without an envelope is refused, or gets one by the escrow key', async () => {
    await session.ok('keygen car-2 --purpose encryption --out keys');
    await session.ok(`vehicle key set ${SECOND} --encryption-key keys/car-2.pub`);
    await session.write('fleet.txt', `${SECOND}\n`);
    const refused = await session.json(`${START} --name second ${KEY}`);
    expect([refused.status, refused.error?.code]).toEqual([6, 'CAMPAIGN_NOT_ENCRYPTED']);
    expect((await session.json(`${START} --name second ${KEY} --escrow-key keys/car-1.key`)).ok).toBe(false);
    const given = await session.json(`${START} --name second ${KEY} --escrow-key keys/escrow.key`);
    expect(given.error?.code ?? given.result).toMatchObject({ signed: { vehicles: 1, envelopes: 2 } });
    await session.ok('keygen car-3 --purpose encryption --scheme DHKEM-P256 --out keys');
    await session.ok(`vehicle key set ${THIRD} --encryption-key keys/car-3.pub`);
    await session.write('fleet.txt', `${THIRD}\n`);
    const third = `${START} --name third ${KEY} --escrow-key keys/escrow.key`;
    expect((await session.json(third)).error?.code).toBe('CAMPAIGN_NOT_ENCRYPTED');
    expect((await session.json(`${third} --allow-kem DHKEM-P256`)).result).toMatchObject({ signed: { envelopes: 2 } });
  });
});
