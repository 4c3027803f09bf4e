/** What an attack on a vehicle leaves behind, and how it is recovered from. */
import { readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../core/brands.ts';
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
