import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { findAudit } from '../../../store/audit.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import { assignTo, FLEET_TARGETS, fleetVin } from '../../../testing/director-fleet.ts';
import { ecuKey, fleetCar, fleetManifest, reportingFleet } from '../../../testing/reporting-fleet.ts';
import type { FleetReport } from '../../../testing/reporting-fleet.ts';
import { ONLINE } from '../../../testing/signed-repository.ts';
import type { TestRepository } from '../../../testing/signed-repository.ts';
import { ecuReport, manifestOfReports } from '../../../testing/vehicle-manifests.ts';
import { importManifests } from './import-manifests.ts';
import type { ImportedManifests } from './import-manifests.ts';

const [OLD, NEW] = FLEET_TARGETS;

/** The bytes that `addImage` makes, which are of the name and the counter. */
function content(name: string): Uint8Array {
  const counter = 1 + FLEET_TARGETS.indexOf(name as typeof OLD);
  return new Uint8Array(createHash('sha512').update(`${name}:${counter}`).digest());
}

function now(fleet: TestRepository): number {
  return fleet.io.clock.now();
}

async function take(fleet: TestRepository, ...manifests: readonly Uint8Array[]): Promise<ImportedManifests> {
  const lines = manifests.map((bytes) => Buffer.from(bytes).toString().replaceAll('\n', ' '));
  await fleet.io.files.write('m.jsonl', Buffer.from(lines.join('\n')), { overwrite: true });
  return await importManifests({ repository: fleet.choice, files: ['m.jsonl'] }, fleet.io);
}

async function report(fleet: TestRepository, index: number, more: FleetReport): Promise<Uint8Array> {
  return await fleetManifest(index, { time: now(fleet), nonce: 'n1', ...more }, content);
}

async function rows(fleet: TestRepository, table: string): Promise<readonly unknown[]> {
  return await fleet.open((open) => open.sql(`SELECT * FROM ${table}`).all());
}

describe('U20 U42 a manifest that is in order', () => {
  test('U22 U23 tells what each ECU runs, as the Image repository knows it', async () => {
    await using fleet = await reportingFleet(2);
    const done = await take(fleet, await report(fleet, 0, { images: { BMS: NEW } }), await report(fleet, 1, {}));
    expect(done).toMatchObject({ manifests: 2, accepted: 2, dropped: 0, refused: 0, attacks: 0, unknownImages: 0 });
    const { id } = await fleet.open((open) => vehicleOfVin(open, fleetVin(0)));
    const installed = (await rows(fleet, 'installed')).filter((row) => (row as { vehicle: string }).vehicle === id);
    expect(installed).toMatchObject([
      { ecu: 'BMS', target: NEW, version: '1.0', release_counter: 2, length: 64 },
      { ecu: 'BMS_2', target: OLD, version: '1.0', release_counter: 1 },
      { ecu: 'ZG', target: OLD },
    ]);
    const [entry] = await fleet.open((open) => findAudit(open, {}, 1));
    expect(entry?.summary).toBe('took in the manifests of 2 of 2 vehicles');
  });

  test('may leave out the VIN where the serial of its Primary is known', async () => {
    await using fleet = await reportingFleet(1);
    expect(await take(fleet, await report(fleet, 0, { vin: undefined }))).toMatchObject({ accepted: 1 });
  });

  test('may tell of what was signed under the name before, while other content is staged and after it is signed', async () => {
    await using fleet = await reportingFleet(1);
    expect(await take(fleet, await report(fleet, 0, {}))).toMatchObject({ unknownImages: 0 });
    const other = await fleet.addImage(OLD, 9);
    const reported = async (nonce: string, image: (name: string) => Uint8Array): Promise<ImportedManifests> => {
      fleet.io.clock.advance(60);
      return await take(fleet, await fleetManifest(0, { time: now(fleet), nonce }, image));
    };
    expect(await reported('n2', content)).toMatchObject({ accepted: 1, unknownImages: 0 });
    await fleet.sign(ONLINE, ONLINE);
    expect(await reported('n3', content)).toMatchObject({ accepted: 1, unknownImages: 0 });
    expect(await reported('n4', () => other)).toMatchObject({ accepted: 1, unknownImages: 0 });
    expect(await rows(fleet, 'installed')).toMatchObject([{ release_counter: 9 }, {}, {}]);
  });

  test('may tell of an image that no target is, which is recorded so', async () => {
    await using fleet = await reportingFleet(1);
    const other = await fleetManifest(0, { time: now(fleet), nonce: 'n1' }, () => new Uint8Array(64));
    expect(await take(fleet, other)).toMatchObject({ accepted: 1, unknownImages: 1 });
    expect(await rows(fleet, 'installed')).toMatchObject([
      { target: OLD, version: null, release_counter: null },
      { version: null },
      { version: null },
    ]);
  });

  test('a dry run changes nothing', async () => {
    await using fleet = await reportingFleet(1);
    await fleet.io.files.write('m.json', await report(fleet, 0, {}));
    const input = { repository: fleet.choice, files: ['m.json'] };
    expect(await importManifests({ ...input, dryRun: true }, fleet.io)).toMatchObject({ accepted: 1 });
    expect(await rows(fleet, 'installed')).toEqual([]);
    expect(await importManifests(input, fleet.io)).toMatchObject({ accepted: 1 });
  });
});

describe('U22 U23 a manifest that is not in order', () => {
  const cases: readonly (readonly [string, string, FleetReport])[] = [
    ['lacks an ECU', 'MANIFEST_ECU_MISSING', { ecus: (all) => all.slice(0, 2) }],
    [
      'has one more ECU',
      'MANIFEST_ECU_UNKNOWN',
      { ecus: (all) => [...all, ...all.slice(0, 1).map((ecu) => ({ ...ecu, ecu: 'STRANGER' }))] },
    ],
    [
      "is signed by a Secondary in the Primary's place",
      'MANIFEST_PRIMARY_OTHER',
      { ecus: (all) => [...all.slice(1), ...all.slice(0, 1)] },
    ],
    [
      "has a Secondary's report that another key signed",
      'MANIFEST_SIGNATURE',
      { ecus: (all) => all.map((ecu, i) => (i === 1 ? { ...ecu, keys: ecuKey(1, 'BMS').keys } : ecu)) },
    ],
    [
      'has a report that the classical half of a hybrid key signed alone',
      'MANIFEST_SIGNATURE',
      { ecus: (all) => all.map((ecu, i) => (i === 2 ? { ...ecu, keys: ecu.keys.slice(0, 1) } : ecu)) },
    ],
    ["says another vehicle's VIN", 'MANIFEST_OTHER_VEHICLE', { vin: fleetVin(1) }],
  ];

  test.each(cases)('one that %s is refused with %s, and nothing of it stays', async (_, code, more) => {
    await using fleet = await reportingFleet(2);
    const done = await take(fleet, await report(fleet, 0, more), await report(fleet, 1, {}));
    expect(done).toMatchObject({ accepted: 1, refused: 1, reasons: { [code]: 1 } });
    expect(done.problems).toMatchObject([{ file: 'm.jsonl', row: 1, code }]);
    expect(await rows(fleet, 'installed')).toHaveLength(3);
  });

  test('one with a wrong signature of the Primary is refused', async () => {
    await using fleet = await reportingFleet(1);
    const good = fleetCar(0, { time: now(fleet), nonce: 'n1' }, content);
    const reports = new Map<string, Uint8Array>();
    for (const ecu of good.ecus) reports.set(ecu.ecu, await ecuReport(good, ecu));
    const stranger = good.ecus.map((ecu, i) => (i === 0 ? { ...ecu, keys: ecuKey(7, 'ZG').keys } : ecu));
    const forged = await manifestOfReports({ ...good, ecus: stranger }, reports);
    expect(await take(fleet, forged)).toMatchObject({ refused: 1, reasons: { MANIFEST_SIGNATURE: 1 } });
  });

  test('one of a vehicle that is not known, and one of a vehicle whose keys are not known, are refused', async () => {
    await using fleet = await reportingFleet(1);
    await fleet.open((open) =>
      open.transact({ command: 'test', summary: 'keys taken away' }, (tx) => {
        tx.sql("UPDATE vehicle_ecus SET key = NULL, keyid = NULL WHERE ecu = 'BMS'").run();
      }),
    );
    const done = await take(fleet, await report(fleet, 0, {}), await report(fleet, 5, {}));
    expect(done).toMatchObject({ refused: 2, reasons: { MANIFEST_KEY_MISSING: 1, VEHICLE_UNKNOWN: 1 } });
  });

  test('lines that are no JSON, cut off or too long are each refused for themselves', async () => {
    await using fleet = await reportingFleet(1);
    const good = await report(fleet, 0, {});
    const long = new Uint8Array(5 * 1024 * 1024).fill(0x78);
    const done = await take(fleet, Buffer.from('{'), good.slice(0, -9), long, Buffer.from('  '), good);
    expect(done).toMatchObject({ accepted: 1, refused: 3, reasons: { MANIFEST_MALFORMED: 2, MANIFEST_TOO_LARGE: 1 } });
    expect(done.problems.map(({ row }) => row)).toEqual([1, 2, 3]);
  });
});

describe('U23 a replay', () => {
  test('of a whole manifest, of its nonce, or of one report is dropped', async () => {
    await using fleet = await reportingFleet(1);
    const first = await report(fleet, 0, { images: { BMS: NEW } });
    const sameNonce = await report(fleet, 0, {});
    expect(await take(fleet, first, first, sameNonce)).toMatchObject({
      accepted: 1,
      dropped: 2,
      refused: 0,
      reasons: { MANIFEST_REPLAY: 2 },
    });
    const old = fleetCar(0, { time: now(fleet), nonce: 'n1' }, content);
    const fresh = fleetCar(0, { time: now(fleet), nonce: 'n2' }, content);
    const reports = new Map<string, Uint8Array>();
    for (const [i, ecu] of fresh.ecus.entries()) reports.set(ecu.ecu, await ecuReport(i === 1 ? old : fresh, ecu));
    const mixed = await manifestOfReports(fresh, reports);
    const done = await take(fleet, mixed);
    expect(done).toMatchObject({ dropped: 1, accepted: 0 });
    expect(done.problems[0]?.message).toContain('ECU BMS');
  });

  test('by a counter that does not rise, or that is left out at once', async () => {
    await using fleet = await reportingFleet(1);
    const counted = (counter: number | undefined, nonce?: string): Promise<Uint8Array> =>
      report(fleet, 0, { counter, nonce });
    expect(await take(fleet, await counted(7), await counted(6))).toMatchObject({ accepted: 1, dropped: 1 });
    expect(await take(fleet, await counted(undefined, 'x'), await counted(8))).toMatchObject({
      accepted: 1,
      dropped: 1,
    });
  });

  test('of an older time is stale, and one of a time to come is refused', async () => {
    await using fleet = await reportingFleet(1);
    const at = (time: number, nonce: string): Promise<Uint8Array> => report(fleet, 0, { time, nonce });
    const today = now(fleet);
    const done = await take(fleet, await at(today, 'a'), await at(today - 1, 'b'), await at(today + 7200, 'c'));
    expect(done).toMatchObject({ accepted: 1, refused: 2, reasons: { MANIFEST_STALE: 1, MANIFEST_FUTURE: 1 } });
  });

  test('nonces of an older time are forgotten, and manifests but the last ones', async () => {
    await using fleet = await reportingFleet(1);
    for (let i = 0; i < 40; i++) {
      fleet.io.clock.advance(60);
      expect(await take(fleet, await report(fleet, 0, { nonce: `n${i}` }))).toMatchObject({ accepted: 1 });
    }
    expect(await rows(fleet, 'report_nonces')).toHaveLength(3);
    expect(await rows(fleet, 'manifests')).toHaveLength(32);
  });
});

describe('what follows', () => {
  async function inCampaign(fleet: TestRepository): Promise<void> {
    await fleet.open((open) =>
      open.transact({ command: 'test', summary: 'a campaign' }, (tx) => {
        tx.sql("INSERT INTO releases VALUES ('R1', 'EV-1', 0, ?, '{}')").run(tx.now);
        tx.sql("INSERT INTO campaigns VALUES ('C1', 'R1', 'running', ?, NULL, ?, ?)").run(
          Buffer.alloc(32),
          tx.now,
          tx.now,
        );
        const { id } = vehicleOfVin(tx, fleetVin(0));
        tx.sql("INSERT INTO campaign_vehicles VALUES ('C1', ?, 1, 'signed', NULL)").run(id);
        for (const ecu of ['BMS', 'BMS_2']) assignTo(tx, id, { ecu, target: NEW });
        tx.sql("UPDATE assignments SET campaign = 'C1'").run();
      }),
    );
  }

  test('a campaign has reached a vehicle when every ECU reports what it was assigned', async () => {
    await using fleet = await reportingFleet(1);
    await inCampaign(fleet);
    expect(await take(fleet, await report(fleet, 0, { images: { BMS: NEW } }))).toMatchObject({ campaigns: {} });
    expect(await rows(fleet, 'campaign_vehicles')).toMatchObject([{ state: 'signed' }]);
    const both = await report(fleet, 0, { nonce: 'n2', images: { BMS: NEW, BMS_2: NEW } });
    expect(await take(fleet, both)).toMatchObject({ campaigns: { C1: 1 } });
    expect(await rows(fleet, 'campaign_vehicles')).toMatchObject([{ state: 'installed' }]);
  });

  test('U41 an attack that an ECU tells of is recorded, and stands at the vehicle in its campaign', async () => {
    await using fleet = await reportingFleet(1);
    await inCampaign(fleet);
    const done = await take(fleet, await report(fleet, 0, { attacks: { BMS: 'endless data' } }));
    expect(done).toMatchObject({
      accepted: 1,
      attacks: 1,
      attacksTold: [{ vin: fleetVin(0), attack: 'BMS: endless data' }],
    });
    expect(await rows(fleet, 'manifests')).toMatchObject([{ attack: 'BMS: endless data' }]);
    expect(await rows(fleet, 'campaign_vehicles')).toMatchObject([
      { state: 'signed', reason: 'an attack is reported: BMS: endless data' },
    ]);
    const later = await report(fleet, 0, { nonce: 'n2', images: { BMS: NEW, BMS_2: NEW } });
    await take(fleet, later);
    expect(await rows(fleet, 'campaign_vehicles')).toMatchObject([{ state: 'installed', reason: null }]);
  });

  test('a vehicle that could not get a release, or that has another one by now, stays as it is', async () => {
    await using fleet = await reportingFleet(1);
    await inCampaign(fleet);
    const change = (sql: string): Promise<void> =>
      fleet.open((open) => open.transact({ command: 'test', summary: 'changed' }, (tx) => void tx.sql(sql).run()));
    await change("UPDATE campaign_vehicles SET state = 'failed', reason = 'hardware'");
    await take(fleet, await report(fleet, 0, { nonce: 'a' }));
    expect(await rows(fleet, 'campaign_vehicles')).toMatchObject([{ state: 'failed', reason: 'hardware' }]);
    await change("UPDATE campaign_vehicles SET state = 'installed', reason = NULL");
    await change('UPDATE assignments SET campaign = NULL');
    await take(fleet, await report(fleet, 0, { nonce: 'b' }));
    expect(await rows(fleet, 'campaign_vehicles')).toMatchObject([{ state: 'installed', reason: null }]);
  });
});
