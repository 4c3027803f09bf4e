/** Recorded sessions of assign: checked against ECUs, complete targets and the last known configuration. */
import { cp } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { releaseSession, TEST_PLAN } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const CAR = '5YJ3E1EA0KF000316';
const SIGN = 'sign targets snapshot timestamp --key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key';
const BCM = 'EV-1/BCM/1.1.0/bcm.bin';
const DOOR = 'EV-1/DOOR/1.1.0/door.bin';
const MCU = 'EV-1/MCU/2.0.0/mcu.bin';
const SECOND = `release: r2
model: EV-1
confidential: false
images:
  - { ecu: MCU, version: 3.0.0, file: fw/bcm.bin, conflicts: [{ type: BCM, version: 1.1.0 }] }
`;

let session: CliSession;
beforeAll(async () => {
  session = await releaseSession({ scheme: 'ed25519' });
  await session.write('release.yaml', `${TEST_PLAN}confidential: false\n`);
  await session.write('second.yaml', SECOND);
  await session.write('car.pub', encryptionKey('car-1').publicFile);
  await session.write('escrow.pub', encryptionKey('escrow').publicFile);
  await session.ok('package release.yaml --key keys/targets.key --out out');
  await session.ok(SIGN);
  await session.ok('package second.yaml --key keys/targets.key --out out-2');
  await session.ok(SIGN);
  await session.ok('target add fw/door.bin --name extra/door.bin --version-id 9 --release-counter 9 --hardware door-b');
  await session.ok(`vehicle add ${CAR} --model EV-1 --ecu BCM,serial=BC-1 --ecu DOOR_L --ecu DOOR_R --ecu MCU`);
});
afterAll(async () => session[Symbol.asyncDispose]());

let made = 0;
async function fresh(): Promise<{ env: { SECUREEV_REPO: string } }> {
  made += 1;
  await cp(session.path('oem'), session.path(`copy-${made}`), { recursive: true });
  return { env: { SECUREEV_REPO: `copy-${made}` } };
}

/** What the ECU reported, as an imported manifest leaves it. */
function report(
  at: { env: { SECUREEV_REPO: string } },
  ecu: string,
  { counter, version }: { counter: number; version: string },
): void {
  const db = new Database(session.path(`${at.env.SECUREEV_REPO}/repo.db`));
  const hour = Date.UTC(2026, 10, 21, 7) / 1000;
  db.prepare(
    `INSERT INTO installed (vehicle, ecu, target, sha256, length, version, release_counter, reported_at)
     SELECT id, ?, 'old/target', zeroblob(32), 1, ?, ?, ? FROM vehicles WHERE vin = ?`,
  ).run(ecu, version, counter, hour, CAR);
  db.close();
}

async function assigning(line: string, at: { env: Record<string, string> }): ReturnType<CliSession['json']> {
  return session.json(`assign ${CAR} ${line}`, at);
}

async function codeOf(line: string, at: { env: Record<string, string> }): Promise<string> {
  const { status, error } = await assigning(line, at);
  return error === undefined ? 'none' : `${status} ${error.code}`;
}

describe('assign', () => {
  it('assigns images and bundles by ECU id or serial, shows them, and takes them back (U20, U24)', async () => {
    const at = await fresh();
    const line = `ZG_BODY=bundles/r1/ZG_BODY.otap BC-1=${BCM} DOOR_L=${DOOR} DOOR_R=${DOOR}`;
    expect((await assigning(`${line} --dry-run`, at)).result).toMatchObject({
      dryRun: true,
      changed: [{}, {}, {}, {}],
    });
    const { result } = await assigning(line, at);
    expect(result).toMatchObject({
      changed: [
        { ecu: 'ZG_BODY', target: 'bundles/r1/ZG_BODY.otap', before: null, lastKnown: null },
        { ecu: 'BCM', serial: 'BC-1', target: BCM },
        { ecu: 'DOOR_L' },
        { ecu: 'DOOR_R' },
      ],
      same: [],
    });
    expect((await assigning(line, at)).result).toMatchObject({
      changed: [],
      same: ['ZG_BODY', 'BCM', 'DOOR_L', 'DOOR_R'],
    });
    expect(await session.ok(`vehicle show ${CAR}`, at)).toMatch(
      /BCM +BC-1 +bcm-a +secondary .*EV-1\/BCM\/1\.1\.0\/bcm\.bin/,
    );
    const back = await assigning('--remove BCM --remove ZG_BODY', at);
    expect(back.result).toMatchObject({
      changed: [
        { ecu: 'ZG_BODY', target: null },
        { ecu: 'BCM', target: null, before: BCM },
      ],
    });
    expect(await session.ok(`log --vehicle ${CAR}`, at)).toMatch(/0 targets assigned, 2 taken back/);
    expect(await codeOf('--remove BCM', at)).toBe('6 ASSIGN_NOTHING_ASSIGNED');
  });

  it('resolves what images require and conflict with over all that is assigned together (R3, U24)', async () => {
    const at = await fresh();
    expect(await codeOf(`BCM=${BCM}`, at)).toBe('6 ASSIGN_REQUIREMENT');
    expect(await codeOf(`BCM=${BCM} DOOR_L=${DOOR}`, at)).toBe('6 ASSIGN_REQUIREMENT');
    expect(await codeOf(`BCM=${BCM} DOOR_L=${DOOR} DOOR_R=${DOOR}`, at)).toBe('none');
    expect(await codeOf('--remove DOOR_R', at)).toBe('6 ASSIGN_REQUIREMENT');
    expect(await codeOf('MCU=EV-1/MCU/3.0.0/bcm.bin', at)).toBe('6 ASSIGN_CONFLICT');
    expect(await codeOf('MCU=EV-1/MCU/3.0.0/bcm.bin --remove BCM', at)).toBe('none');
  });

  it('takes the last known configuration into account and shows its age (R4)', async () => {
    const at = await fresh();
    for (const ecu of ['DOOR_L', 'DOOR_R']) report(at, ecu, { counter: 1, version: '1.2.0' });
    const text = await session.ok(`assign ${CAR} BCM=${BCM} DOOR_L=${DOOR}`, at).catch(String);
    expect(text).toMatch(/DOOR_L +EV-1\/DOOR\/1\.1\.0\/door\.bin +nothing +1\.2\.0, 3 h ago/);
  });

  it('refuses a downgrade without the flag (U33)', async () => {
    const at = await fresh();
    report(at, 'MCU', { counter: 7, version: '2.0.0' });
    const { error } = await assigning(`MCU=${MCU}`, at);
    expect(error).toMatchObject({ code: 'ASSIGN_DOWNGRADE', hint: expect.stringMatching(/--reissue/) });
    expect((await assigning(`MCU=${MCU} --allow-downgrade`, at)).result).toMatchObject({
      changed: [{ ecu: 'MCU', downgrade: true, lastKnown: { version: '2.0.0', ageSeconds: 3 * 3600 } }],
    });
  });

  it('marks a vehicle again where what it is assigned is listed anew (U33)', async () => {
    const at = await fresh();
    const inDatabase = (sql: string): unknown => {
      const db = new Database(session.path(`${at.env.SECUREEV_REPO}/repo.db`));
      const statement = db.prepare(sql);
      const answer = statement.reader ? statement.get() : statement.run();
      db.close();
      return answer;
    };
    const marked = (): unknown => inDatabase('SELECT count(*) AS n FROM director_changes');
    await session.ok(`assign ${CAR} DOOR_L=${DOOR}`, at);
    expect(marked()).toEqual({ n: 1 });
    inDatabase('DELETE FROM director_changes');
    await session.ok(SIGN, at);
    expect(marked()).toEqual({ n: 0 });
    await session.ok('package --reissue r1 --key keys/targets.key --out out-again', at);
    expect(marked()).toEqual({ n: 0 });
    await session.ok(SIGN, at);
    expect(marked()).toEqual({ n: 1 });
  });

  it.each([
    ['MCU=EV-1/none', '6 TARGET_UNKNOWN'],
    ['DOOR_L=extra/door.bin', '6 ASSIGN_TARGET_INCOMPLETE'],
    [`ABS=${MCU}`, '6 ASSIGN_ECU_UNKNOWN'],
    [`BCM=${MCU}`, '6 ASSIGN_HARDWARE'],
    [`MCU=${MCU} MCU=${MCU}`, '2 USAGE'],
    ['MCU', '2 USAGE'],
    ['', '2 USAGE'],
    ['MCU=../x', '4 VALUE_MALFORMED'],
  ])('refuses %s with %s, and changes nothing', async (line, code) => {
    const at = await fresh();
    expect(await codeOf(line, at)).toBe(code);
    expect(JSON.stringify((await session.json(`vehicle show ${CAR}`, at)).result)).not.toMatch(/"assigned":"/);
  });

  it('refuses confidential targets for a vehicle without encryption key', async () => {
    const at = await fresh();
    await session.ok(SIGN, at);
    expect(await codeOf('DOOR_L=extra/door.bin', at)).toBe('6 VEHICLE_KEY_MISSING');
    await session.ok(`vehicle key set ${CAR} --encryption-key car.pub`, at);
    const { result } = await assigning('DOOR_L=extra/door.bin', at);
    expect(result).toMatchObject({ changed: [{ ecu: 'DOOR_L' }], withoutEnvelope: ['extra/door.bin'] });
    await session.ok('role set escrow --key escrow.pub', at);
    await session.ok(`encrypt fw/door.bin --target extra/door.bin --vehicle ${CAR} --out sealed`, at);
    await session.ok(`assign ${CAR} --remove DOOR_L`, at);
    expect((await assigning('DOOR_L=extra/door.bin', at)).result).toMatchObject({ withoutEnvelope: [] });
  });

  it('is told of when what it gave is no longer to be listed (U20)', async () => {
    const at = await fresh();
    await assigning(`DOOR_L=${DOOR} DOOR_R=${DOOR}`, at);
    const { result } = await session.json(`target remove ${DOOR} --dry-run`, at);
    const assigned = { vehicles: 1, first: [{ vin: CAR, ecu: 'DOOR_L' }] };
    expect(result).toEqual({ removed: DOOR, assigned, dryRun: true });
    const text = await session.ok(`target remove ${DOOR}`, at);
    expect(text).toContain(`note: it is assigned to 1 vehicle (${CAR}), which`);
    expect(text).toContain(`take it back with \`secureev assign ${CAR} --remove DOOR_L\``);
    const free = await session.json('target remove extra/door.bin', at);
    expect(free.result).toEqual({ removed: 'extra/door.bin', assigned: { vehicles: 0, first: [] } });
  });

  it('refuses an unknown vehicle', async () => {
    const { status, error } = await session.json(`assign 1HGCM82633A004352 MCU=${MCU}`, await fresh());
    expect([status, error?.code]).toEqual([6, 'VEHICLE_UNKNOWN']);
  });
});
