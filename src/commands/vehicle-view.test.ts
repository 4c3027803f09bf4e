/** `verify repository --vehicle` and `--partial`: a vehicle's view of both repositories. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import type { TargetFile } from '../formats/metadata/types.ts';
import { OTHER_CAR, simulateDirector } from '../testing/director-simulator.ts';
import { simulateRepository } from '../testing/simulator.ts';
import { serveFolder } from '../testing/static-server.ts';
import { BRAKE, BRAKE_CONTENT, HARDWARE, vehicleScene } from '../testing/vehicle-scene.ts';
import type { VehicleScene } from '../testing/vehicle-scene.ts';
import { targetFileName } from '../trust/file-names.ts';

let scene: VehicleScene;
beforeEach(async () => {
  scene = await vehicleScene();
});
afterEach(() => scene[Symbol.asyncDispose]());

const DIRECTOR = {
  time: 'pass',
  'director-metadata': 'pass',
  'director-expiry': 'pass',
  'director-hybrid': 'pass',
  vehicle: 'pass',
  'director-targets': 'pass',
};
const FULL = { ...DIRECTOR, metadata: 'pass', expiry: 'pass', hybrid: 'pass', match: 'pass' };

async function stateFiles(folder: string): Promise<readonly string[]> {
  return (await readdir(scene.session.path(folder))).sort();
}

/** Puts the brake's image where a server would have it. */
async function layImage(content: string | Uint8Array = BRAKE_CONTENT): Promise<void> {
  const target = scene.image.bodies.targets.targets.get(parseTargetName(BRAKE));
  if (target === undefined) throw new Error('no target');
  await layContent(target, content);
}

async function layContent(target: TargetFile, content: string | Uint8Array): Promise<void> {
  await scene.session.write(`tree/image/targets/${targetFileName(BRAKE, target, true)}`, content);
}

describe('full verification', () => {
  test('U29 U33: the Director, the Image repository and the match, in this order; the state is kept apart', async () => {
    const { status, checks, result } = await scene.verify();
    expect({ status, checks }).toEqual({ status: 0, checks: FULL });
    expect(Object.keys(checks)).toEqual(Object.keys(FULL));
    expect(result).toMatchObject({
      verified: true,
      partial: false,
      unchanged: false,
      vehicle: scene.director.vehicle,
      roles: { director: { root: 1, targets: 2 }, image: { root: 1, targets: 1 } },
      images: [{ target: BRAKE, ecus: { BRAKE_1: HARDWARE }, sealed: null }],
    });
    const four = ['root.json', 'snapshot.json', 'targets.json', 'timestamp.json'];
    expect([await stateFiles('car/director'), await stateFiles('car/image')]).toEqual([four, four]);
  });

  test('the text lists what goes where', async () => {
    const line = `verify repository tree --root root.json --director-root director.json --state car --vehicle ${scene.director.vehicle.vin}`;
    const text = await scene.session.ok(line);
    expect(text).toMatch(/BRAKE_1 +HW-1 +EV-1\/BRAKE\/1\.0\/brake\.bin +clear/);
    expect(text).toContain(`${scene.director.vehicle.vin}: VERIFIED`);
  });

  test('U29: an unchanged Snapshot is not the end of a run that demands hybrid signatures for the first time', async () => {
    await using stage = await vehicleScene({ hybrid: true });
    const classical = simulateRepository({ hybrid: false });
    const listing = simulateDirector(classical);
    listing.assign(BRAKE, { BRAKE_1: HARDWARE });
    listing.publish();
    await rm(stage.session.path('tree/image'), { recursive: true });
    for (const [name, bytes] of classical.files) await stage.session.write(`tree/image/metadata/${name}`, bytes);
    await stage.session.write('root.json', classical.files.get('1.root.json') ?? '');
    expect((await stage.verify()).code).toBe('none');
    const { status, checks } = await stage.verify('--require-hybrid');
    expect([status, checks['hybrid']]).toEqual([3, 'TRUST_HYBRID_MISSING']);
  });

  test('U33: a number that no version can have, in the folder of another vehicle, keeps nobody from its own', async () => {
    await scene.session.write(`tree/director/vehicles/${OTHER_CAR.id}/metadata/9999999999999999.targets.json`, '{}');
    await scene.session.write(`tree/director/vehicles/${'0'.repeat(32)}/metadata/9999999999999999.targets.json`, '{}');
    expect((await scene.verify()).code).toBe('none');
  });

  test('without --state both are seen for the first time, each time, and nothing is kept', async () => {
    const line = `verify repository tree --root root.json --director-root director.json --vehicle ${scene.director.vehicle.vin}`;
    const before = await stateFiles('.');
    for (const run of [1, 2]) {
      const { status, result } = await scene.run(line);
      expect({ run, status, unchanged: result?.['unchanged'] }).toEqual({ run, status: 0, unchanged: false });
    }
    expect(await stateFiles('.')).toEqual(before);
  });

  test('U29: an unchanged Snapshot is the end for the same trees under the same roots alone', async () => {
    await scene.verify();
    expect((await scene.verify()).result?.['unchanged']).toBe(true);
    await rename(scene.session.path('tree/image'), scene.session.path('other'));
    const { vin } = scene.director.vehicle;
    const line = `verify repository other --root root.json --director tree/director --director-root director.json --state car --vehicle ${vin}`;
    expect((await scene.run(line)).result?.['unchanged']).toBe(false);
    expect((await scene.run(line)).result?.['unchanged']).toBe(true);
  });

  test('U29: an unchanged Snapshot of the Director is the end, and a good one; a new one is looked at to the end', async () => {
    await scene.verify();
    await scene.session.write('tree/image/metadata/timestamp.json', 'not even read');
    const again = await scene.verify();
    expect({ status: again.status, unchanged: again.result?.['unchanged'] }).toEqual({ status: 0, unchanged: true });
    expect((await scene.verify('--ecu BRAKE_1')).status).toBe(3);
    await scene.lay();
    scene.director.publish();
    await scene.lay();
    expect((await scene.verify()).result?.['unchanged']).toBe(false);
  });

  test('U29: a run that was refused is no last run: the next one looks at everything again', async () => {
    scene.director.assign(BRAKE, { BRAKE_1: 'HW-2' });
    scene.director.publish();
    await scene.lay();
    for (let run = 0; run < 2; run++) expect((await scene.verify()).code).toBe('TRUST_HARDWARE');
  });

  test('U43: a clock set back behind the last complete run is refused', async () => {
    await scene.verify();
    const { code, checks } = await scene.verify('--at 2020-01-01T00:00:00Z');
    expect({ code, time: checks['time'], next: checks['director-metadata'] }).toEqual({
      code: 'TRUST_CLOCK_BACK',
      time: 'TRUST_CLOCK_BACK',
      next: 'skip',
    });
  });

  test('U7: a vehicle without images still verifies, and names itself', async () => {
    scene.director.edit('targets', () => ({ targets: new Map() }));
    scene.director.publish();
    await scene.lay();
    expect((await scene.verify()).result?.['images']).toEqual([]);
  });

  test('U10 U33: a sealed file must be the one that the Image repository lists', async () => {
    const sealed = scene.image.addTarget(`${BRAKE}.sev`, 'sealed bytes');
    scene.image.publish();
    const encryptedTarget = (length: number) =>
      new Map<string, string | number | Map<string, string>>([
        ['filename', `${BRAKE}.sev`],
        ['length', length],
        ['hashes', new Map(sealed.hashes)],
        ['method', 'secureev/sev/1'],
      ]);
    scene.director.assign(BRAKE, { BRAKE_1: HARDWARE }, { encryptedTarget: encryptedTarget(sealed.length) });
    scene.director.publish();
    await scene.lay();
    expect((await scene.verify()).result?.['images']).toMatchObject([{ sealed: `${BRAKE}.sev` }]);
    scene.director.assign(BRAKE, { BRAKE_1: HARDWARE }, { encryptedTarget: encryptedTarget(sealed.length + 1) });
    scene.director.publish();
    await scene.lay();
    expect((await scene.verify()).code).toBe('TRUST_DIRECTOR_MISMATCH');
  });

  test('a download is of what the Director names for this vehicle, and of nothing else', async () => {
    await layImage();
    const { status, checks, result } = await scene.verify(`--target ${BRAKE} --out got`);
    expect({ status, content: checks['target-content'] }).toEqual({ status: 0, content: 'pass' });
    expect(result?.['target']).toEqual({ name: BRAKE, path: `got/${BRAKE}`, fetched: true });
    expect(await readFile(scene.session.path(`got/${BRAKE}`), 'utf8')).toBe(BRAKE_CONTENT);
    expect((await scene.verify('--target bundles/1.0/ZG.otap --out got')).code).toBe('TRUST_NO_ENTRY');
    await layImage('brake firmware 6.6');
    expect((await scene.verify(`--target ${BRAKE}`)).code).toBe('TRUST_ARBITRARY_SOFTWARE');
  });

  test('U33: a download is of the role that was matched, not of one for other hardware that lists the same name', async () => {
    const { image, director } = scene;
    const name = parseTargetName(BRAKE);
    const target = image.bodies.targets.targets.get(name);
    if (target === undefined) throw new Error('no target');
    const foreign = { ...target, length: 5, custom: new Map([...(target.custom ?? []), ['hardwareIds', ['HW-2']]]) };
    foreign.hashes = new Map([['sha256', createHash('sha256').update('wrong').digest('hex')]]);
    image.delegate('targets', { name: 'first', paths: ['EV-1/*/*/*'], hardwareIds: ['HW-2'] });
    image.delegate('targets', { name: 'second', paths: ['EV-1/*/*/*'], hardwareIds: [HARDWARE] });
    image.bodies.targets = { ...image.bodies.targets, targets: new Map() };
    for (const [role, file] of [
      ['first', foreign],
      ['second', target],
    ] as const) {
      const body = image.delegated.get(role);
      if (body !== undefined) image.delegated.set(role, { ...body, targets: new Map([[name, file]]) });
    }
    image.publish();
    director.publish();
    await scene.lay();
    await layContent(foreign, 'wrong');
    await layContent(target, BRAKE_CONTENT);
    expect((await scene.verify(`--target ${BRAKE} --out got`)).code).toBe('none');
    expect(await readFile(scene.session.path(`got/${BRAKE}`), 'utf8')).toBe(BRAKE_CONTENT);
  });

  test('a Director behind a URL needs the vehicle id, and has it', async () => {
    await using server = await serveFolder(scene.session.path('tree'));
    const { vin, id } = scene.director.vehicle;
    const line = `verify repository ${server.url}/image --root root.json --director ${server.url}/director --director-root director.json --state car --vehicle ${vin}`;
    expect((await scene.run(line)).code).toBe('USAGE');
    expect((await scene.run(`${line} --vehicle-id ${id}`)).checks).toEqual(FULL);
    expect((await scene.run(`${line} --vehicle-id ${id} --partial --ecu BRAKE_1`)).code).toBe('USAGE');
  });

  test('a VIN that no folder says it is of, and the state of another vehicle', async () => {
    const line = `verify repository tree --root root.json --director-root director.json --state car --vehicle ${OTHER_CAR.vin}`;
    expect((await scene.run(line)).code).toBe('TRUST_FILE_MISSING');
    await scene.verify();
    await scene.lay(simulateDirector(scene.image, { vehicle: OTHER_CAR }));
    expect((await scene.run(line)).code).toBe('USAGE');
    expect((await scene.run(line.replace('--state car', '--state other'))).status).toBe(0);
  });

  test('a root inside a tree that is verified is refused, whichever tree it is', async () => {
    const vehicle = `--vehicle ${scene.director.vehicle.vin} --state car`;
    for (const flags of [
      '--root root.json --director-root tree/director/metadata/1.root.json',
      '--root tree/director/metadata/1.root.json --director-root director.json',
    ]) {
      expect((await scene.run(`verify repository tree ${flags} ${vehicle}`)).code).toBe('ROOT_INSIDE_TREE');
    }
  });

  test('flags of a vehicle without one, and what does not go together', async () => {
    const line = 'verify repository tree --root root.json --state car';
    const { vin } = scene.director.vehicle;
    for (const flags of [
      '--director tree/director',
      '--partial',
      `--vehicle ${vin} --lint --director-root director.json`,
      `--vehicle ${vin} --director-root director.json --partial`,
      `--vehicle ${vin} --director-root director.json --image x.bin`,
      `--vehicle ${vin} --director-root director.json --vehicle-id ../x`,
    ]) {
      expect((await scene.run(`${line} ${flags}`)).code).toBe('USAGE');
    }
  });
});

describe('what the vehicle has (--installed)', () => {
  test.each([
    ['U33: a release counter that is not lower passes', 'release_counter: 1', 'none'],
    ['U33: a lower one is refused', 'release_counter: 2', 'TRUST_COUNTER'],
  ])('%s', async (_, counter, expected) => {
    await scene.session.write('has.yaml', `ecus:\n  - { id: BRAKE_1, version: 1.0, ${counter} }\n`);
    const { code, checks } = await scene.verify('--installed has.yaml');
    expect({ code, installed: checks['installed'] }).toEqual({
      code: expected,
      installed: expected === 'none' ? 'pass' : expected,
    });
  });

  test('U34: an ECU that the vehicle does not have is refused', async () => {
    await scene.session.write('has.yaml', 'ecus:\n  - { id: DOOR_L, version: 1.0 }\n');
    expect((await scene.verify('--installed has.yaml')).code).toBe('TRUST_ECU_UNKNOWN');
  });
});

describe('one ECU', () => {
  test('U38: the image file against every hash, in full and in part', async () => {
    await scene.session.write('brake.bin', BRAKE_CONTENT);
    await scene.session.write('other.bin', 'brake firmware 6.6');
    for (const verify of [scene.verify, scene.verifyPartly]) {
      const flags = verify === scene.verify ? '--ecu BRAKE_1 --image' : '--image';
      expect((await verify(`${flags} brake.bin`)).checks).toMatchObject({ ecu: 'pass', 'image-content': 'pass' });
      expect((await verify(`${flags} other.bin`)).code).toBe('TRUST_ARBITRARY_SOFTWARE');
    }
  });

  test('U40: an ECU without an entry keeps what it has', async () => {
    const { code, status } = await scene.verify('--ecu DOOR_L');
    expect({ code, status }).toEqual({ code: 'TRUST_NO_ENTRY', status: 3 });
  });
});

describe('partial verification', () => {
  test('U37: root and Targets of the Director alone, nothing else is read or kept', async () => {
    for (const name of ['timestamp.json', '2.snapshot.json']) {
      await scene.session.write(
        `tree/director/vehicles/${scene.director.vehicle.id}/metadata/${name}`,
        'not even read',
      );
    }
    await scene.session.write('tree/image/metadata/timestamp.json', 'not even read');
    const { status, checks, result } = await scene.verifyPartly();
    expect({ status, checks }).toEqual({ status: 0, checks: { ...DIRECTOR, ecu: 'pass' } });
    expect(result).toMatchObject({ partial: true, roles: { director: { root: 1, targets: 2 }, image: null } });
    expect(await stateFiles('ecu/director')).toEqual(['root.json', 'targets.json']);
  });

  test("the tree may be the Director's itself", async () => {
    const { vin } = scene.director.vehicle;
    const line = `verify repository tree/director --director-root director.json --state ecu --partial --ecu BRAKE_1 --vehicle ${vin}`;
    expect((await scene.run(line)).status).toBe(0);
  });

  test('U34: rollback, expiry, a stranger and the wrong vehicle are refused in part as in full', async () => {
    scene.director.publish();
    await scene.lay();
    expect((await scene.verifyPartly()).status).toBe(0);
    scene.director.files.delete('3.targets.json');
    await scene.lay();
    expect((await scene.verifyPartly()).code).toBe('TRUST_ROLLBACK');
    expect((await scene.verifyPartly('--at 2040-01-01T00:00:00Z')).code).toBe('TRUST_EXPIRED');
    const thief = simulateDirector(scene.image, { label: 'thief' });
    scene.director.files.set('4.targets.json', thief.files.get('1.targets.json') ?? new Uint8Array());
    await scene.lay();
    expect((await scene.verifyPartly()).code).toBe('TRUST_THRESHOLD');
    const other = simulateDirector(scene.image, { vehicle: OTHER_CAR });
    for (let version = 1; version < 4; version++) other.publish();
    scene.director.files.set('4.targets.json', other.files.get('4.targets.json') ?? new Uint8Array());
    await scene.lay();
    const byId = await scene.verifyPartly(`--vehicle-id ${scene.director.vehicle.id}`);
    expect(byId.code).toBe('TRUST_WRONG_VEHICLE');
  });
});
