/** Confidential campaigns from the command line: who has a key, who has an envelope, what vehicles find. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeRole } from '../formats/metadata/envelope.ts';
import { CAMPAIGN_VINS, campaignSession } from '../testing/campaign-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const KEY = '--key keys/director.key';
const START = 'campaign start r1 --vehicles fleet.txt';
const [FIRST = '', SECOND = '', THIRD = ''] = CAMPAIGN_VINS;

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
    expect(tree.result).toMatchObject({ vehicles: 1, notes: [expect.stringContaining('publish image')] });
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

  test('a later wave without the escrow key waits, and gives nobody up', async () => {
    const others = CAMPAIGN_VINS.slice(3, 5);
    for (const vin of others) {
      await session.ok(`keygen ${vin} --purpose encryption --out keys`);
      await session.ok(`vehicle key set ${vin} --encryption-key keys/${vin}.pub`);
    }
    await session.write('fleet.txt', `${others.join('\n')}\n`);
    const escrow = '--escrow-key keys/escrow.key';
    await session.ok(`${START} --name waves --wave 1 ${KEY} ${escrow}`);
    const next = `campaign start r1 --name waves ${KEY}`;
    for (const line of [`${next} --dry-run`, next]) {
      expect(await session.json(line)).toMatchObject({ status: 6, error: { code: 'CAMPAIGN_NOT_ENCRYPTED' } });
    }
    expect((await session.json(`${next} ${escrow}`)).result).toMatchObject({ signed: { vehicles: 1, failed: 0 } });
  });

  test('a vehicle with a new key gets no envelope for the old one, in kits and in the Director’s tree', async () => {
    await session.ok('publish image public');
    const kit = `publish kit kit --release r1 --vehicle ${SECOND}`;
    await session.ok(`${kit} --dry-run`);
    await session.ok('keygen car-new --purpose encryption --out keys');
    await session.ok(`vehicle key set ${SECOND} --encryption-key keys/car-new.pub`);
    expect(await session.json(kit)).toMatchObject({ status: 6, error: { code: 'KIT_ENVELOPE_MISSING' } });
    const { result } = await session.json('publish director other');
    expect(result?.['notes']).toEqual([expect.stringContaining('have no envelope of what they are assigned')]);
    for (const gateway of ['ZG_BODY', 'ZG_DRIVE'])
      await session.ok(`envelope add bundles/r1/${gateway}.otap.sev --vehicle ${SECOND} --key keys/escrow.key`);
    await session.ok(kit);
  });
});
