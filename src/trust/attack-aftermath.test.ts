/** What an attack on a vehicle leaves behind, and how it is recovered from. */
import { cp, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../core/brands.ts';
import { killedAt } from '../testing/faults.ts';
import { neighbour, replay, seenScene } from '../testing/vehicle-scene.ts';

describe('after an attack', () => {
  test("U34: another vehicle's metadata leaves nothing behind that would lock this one's out", async () => {
    const { stage } = await seenScene();
    await using _ = stage;
    const own = new Map(stage.director.files);
    replay(stage.director, neighbour(stage));
    await stage.lay();
    const byId = `--vehicle-id ${stage.director.vehicle.id}`;
    expect((await stage.verify(byId)).code).toBe('TRUST_WRONG_VEHICLE');
    for (const [name, bytes] of own) stage.director.files.set(name, bytes);
    stage.director.publish();
    await stage.lay();
    expect((await stage.verify(byId)).code).toBe('none');
  });

  test('U30: a fast-forward by a stolen online key of the Director is recovered from by its rotation', async () => {
    const { stage } = await seenScene();
    await using _ = stage;
    const { director } = stage;
    for (const role of ['timestamp', 'snapshot'] as const) {
      director.edit(role, () => ({ version: parseVersion(1_000_000) }));
    }
    director.publishSnapshot();
    await stage.lay();
    expect((await stage.verify()).code).toBe('none');
    for (const role of ['timestamp', 'snapshot'] as const) director.edit(role, () => ({ version: parseVersion(9) }));
    director.publishSnapshot();
    await stage.lay();
    expect((await stage.verify()).code).toBe('TRUST_ROLLBACK');
    for (const role of ['timestamp', 'snapshot']) director.rotate(role);
    director.publishRoot();
    director.publishSnapshot();
    await stage.lay();
    expect((await stage.verify()).code).toBe('none');
  });

  test('U29: a refused run is no complete one, and the files of the last good one are still there', async () => {
    const { stage } = await seenScene();
    await using _ = stage;
    const { director, session } = stage;
    const before = await readdir(session.path('car/director'));
    director.edit('timestamp', () => ({ version: parseVersion(1) }));
    director.publishTimestamp();
    await stage.lay();
    expect((await stage.verify()).code).toBe('TRUST_ROLLBACK');
    expect(await readdir(session.path('car/director'))).toEqual(before);
  });
});

test('U29 T10: killed at any call, the next run looks at everything, and ends where it would have ended', async () => {
  const { stage } = await seenScene();
  await using _ = stage;
  const { session, director } = stage;
  director.publish();
  await stage.lay();
  const { vin } = director.vehicle;
  const roots = '--root root.json --director-root director.json';
  let at = 1;
  for (let isDone = false; !isDone; at++) {
    await cp(session.path('car'), session.path(`car-${at}`), { recursive: true });
    const line = `verify repository tree ${roots} --vehicle ${vin} --state car-${at}`;
    const killed = await session.json(line, { adapt: (io) => killedAt(io, at).io });
    isDone = killed.status === 0;
    const { status, result } = await session.json(line);
    expect({ at, status, unchanged: result?.['unchanged'] }).toEqual({ at, status: 0, unchanged: isDone });
    expect(await session.read(`car-${at}/director/timestamp.json`)).toEqual(director.files.get('timestamp.json'));
  }
  expect(at).toBeGreaterThan(20);
});
