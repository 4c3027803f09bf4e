import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { changedVehicles, directorFile } from '../../../store/director.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import { assignTo, directorFleet, FLEET_TARGETS, fleetVin } from '../../../testing/director-fleet.ts';
import { failing } from '../../../testing/faults.ts';
import type { TestRepository } from '../../../testing/signed-repository.ts';
import { hold } from '../../repository/hold.ts';
import { publishImage } from '../../repository/publish-image.ts';
import { openDirectorKeys } from './keys.ts';
import { publishDirector } from './publish-director.ts';
import type { PublishDirectorAnswer } from './publish-director.ts';
import { noteKeys } from './rotation.ts';
import { signVehicles } from './sign-vehicles.ts';
import { vehicleIds } from './vehicle-ids.ts';

const [OLD, NEW] = FLEET_TARGETS;

async function assignAndSign(fleet: TestRepository, indexes: readonly number[], target: string): Promise<void> {
  const { keys: named } = await fleet.key('director');
  await fleet.open(async (open) => {
    open.transact({ command: 'test', summary: 'assigned' }, (tx) => {
      for (const index of indexes) assignTo(tx, vehicleOfVin(tx, fleetVin(index)).id, { ecu: 'BMS', target });
    });
    noteKeys(open);
    const vehicles = vehicleIds(changedVehicles(open));
    await using keys = await openDirectorKeys(open, named, vehicles.count);
    await signVehicles(open, { keys, vehicles, command: 'sign director', summary: 'signs', resume: '' });
  });
}

function publish(fleet: TestRepository, io: Io = fleet.io, uploadList?: string): Promise<PublishDirectorAnswer> {
  return publishDirector({ repository: fleet.choice, folder: 'public', uploadList }, io);
}

async function idOf(fleet: TestRepository, index: number): Promise<string> {
  return await fleet.open((open) => vehicleOfVin(open, fleetVin(index)).id);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

describe('publish director', () => {
  test('U17 writes roots and numbered files, Timestamp last of each vehicle; no VIN in any path', async () => {
    await using fleet = await directorFleet(3);
    await assignAndSign(fleet, [0, 1], OLD);
    const { written, ...counts } = await publish(fleet, fleet.io, 'upload.txt');
    expect(counts).toEqual({ root: 1, vehicles: 2, changed: 2, notes: [expect.stringContaining('publish image')] });
    const ids = [await idOf(fleet, 0), await idOf(fleet, 1)].sort();
    const files = ['1.targets.json', '1.snapshot.json', 'timestamp.json'];
    const expected = ids.flatMap((id) => files.map((file) => `vehicles/${id}/metadata/${file}`));
    expect(written).toEqual(['metadata/1.root.json', ...expected]);
    expect(await readFile(join(fleet.folder, 'upload.txt'), 'utf8')).toBe(written.map((path) => `${path}\n`).join(''));
    expect(written.join()).not.toContain(fleetVin(0));
    const stored = await fleet.open((open) => directorFile(open, ids[0] ?? '', 'timestamp')?.file);
    const there = await readFile(join(fleet.folder, 'public/vehicles', ids[0] ?? '', 'metadata/timestamp.json'));
    expect(new Uint8Array(there)).toEqual(stored);
  });

  test('refuses the tree of the Image repository, finished or not, and that refuses this one', async () => {
    await using fleet = await directorFleet(1);
    await assignAndSign(fleet, [0], OLD);
    const image = { repository: fleet.choice, folder: 'public' };
    const { written } = await publishImage(image, fleet.io);
    const refusal = async (): Promise<unknown> => await publish(fleet).catch((thrown: unknown) => thrown);
    const [whole, unfinished] = ['timestamp', '1.root'].map((name) => ({
      code: 'PUBLISH_OTHER',
      message: `public/metadata/${name}.json is of an Image repository`,
      hint: 'the Image repository and the Director have a folder each: publish to another one',
    }));
    expect(await refusal()).toMatchObject(whole ?? {});
    await rm(join(fleet.folder, 'public/metadata/timestamp.json'));
    expect(await refusal()).toMatchObject(unfinished ?? {});
    expect(await fleet.io.files.list('public/vehicles')).toEqual([]);
    expect((await publishImage(image, fleet.io)).written).toEqual(written.slice(-1));
    await publishDirector({ repository: fleet.choice, folder: 'director' }, fleet.io);
    expect(await codeOf(publishImage({ ...image, folder: 'director' }, fleet.io))).toBe('PUBLISH_OTHER');
  });

  test('only what changed is written, and what was damaged is mended', async () => {
    await using fleet = await directorFleet(3);
    await assignAndSign(fleet, [0, 1, 2], OLD);
    await publish(fleet);
    expect((await publish(fleet)).written).toEqual([]);
    await assignAndSign(fleet, [1], NEW);
    const id = await idOf(fleet, 1);
    const second = await publish(fleet);
    expect(second.written).toEqual(
      ['2.targets.json', '2.snapshot.json', 'timestamp.json'].map((file) => `vehicles/${id}/metadata/${file}`),
    );
    const path = `vehicles/${id}/metadata/1.targets.json`;
    await writeFile(join(fleet.folder, 'public', path), 'x');
    await rm(join(fleet.folder, 'public', `vehicles/${id}/metadata/2.targets.json`));
    expect((await publish(fleet)).written).toEqual([`vehicles/${id}/metadata/2.targets.json`]);
  });

  test('is refused over a newer tree, with a damaged database, and on hold', async () => {
    await using fleet = await directorFleet(1);
    await assignAndSign(fleet, [0], OLD);
    await publish(fleet);
    const id = await idOf(fleet, 0);
    const path = join(fleet.folder, `public/vehicles/${id}/metadata/timestamp.json`);
    const now = await readFile(path);
    await assignAndSign(fleet, [0], NEW);
    await publish(fleet);
    const newer = await readFile(path);
    await fleet.open((open) =>
      open.transact({ command: 'test', summary: 'an old backup' }, (tx) =>
        tx
          .sql("UPDATE director_files SET version = 1, file = ?, sha256 = ?, length = ? WHERE role = 'timestamp'")
          .run(now, createHash('sha256').update(now).digest(), now.length),
      ),
    );
    await writeFile(path, newer);
    expect(await codeOf(publish(fleet))).toBe('PUBLISH_NEWER');
    await fleet.open((open) =>
      open.transact({ command: 'test', summary: 'damage' }, (tx) =>
        tx.sql("UPDATE director_files SET sha256 = zeroblob(32) WHERE role = 'targets'").run(),
      ),
    );
    expect(await codeOf(publish(fleet))).toBe('DATABASE_DAMAGED');
    await hold({ repository: fleet.choice, reason: 'x' }, fleet.io);
    expect(await codeOf(publish(fleet))).toBe('REPOSITORY_HELD');
  });

  test('killed at any call, each vehicle finds a whole state: what its Timestamp leads to is there', async () => {
    await using fleet = await directorFleet(2);
    await assignAndSign(fleet, [0, 1], OLD);
    await publish(fleet);
    await assignAndSign(fleet, [0, 1], NEW);
    let failures = 0;
    for (let call = 1; ; call += 3) {
      const faulty = failing(fleet.io, call);
      const outcome = await publish(fleet, faulty.io).then(
        () => 'done',
        () => 'failed',
      );
      for (const index of [0, 1]) await requireWhole(fleet, await idOf(fleet, index));
      if (outcome === 'done') break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(10);
  });
});

/** Follows a vehicle's Timestamp to its Snapshot and Targets. */
async function requireWhole(fleet: TestRepository, id: string): Promise<void> {
  const read = async (name: string): Promise<Uint8Array> =>
    await readFile(join(fleet.folder, 'public/vehicles', id, 'metadata', name));
  const timestamp = decodeRole(await read('timestamp.json'), 'timestamp').unverified.signed;
  const snapshotBytes = await read(`${timestamp.snapshot.version}.snapshot.json`);
  expect(snapshotBytes.length).toBe(timestamp.snapshot.length);
  const snapshot = decodeRole(snapshotBytes, 'snapshot').unverified.signed;
  const version = snapshot.meta.get('targets.json')?.version ?? 0;
  expect(decodeRole(await read(`${version}.targets.json`), 'targets').unverified.signed.version).toBe(version);
}
