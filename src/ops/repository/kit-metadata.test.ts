import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../../core/brands.ts';
import { jsonMap } from '../../formats/json/json.ts';
import { fakeIo } from '../../testing/fake-io.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import type { Simulator } from '../../testing/simulator.ts';
import type { TargetQuery } from '../../trust/find-target.ts';
import { neededMetadata } from './kit-metadata.ts';
import type { PublishedFile } from './publication.ts';

const NAME = parseTargetName('EV-1/BRAKE/2.0/brake.bin');
const FOR_FRONT = jsonMap({ hardwareIds: ['HW-9'], releaseCounter: 1, version: '2.0' });

/** The simulator's tree as it is published. */
function published({ files }: Simulator) {
  const all = [...files].map(([name, bytes]): PublishedFile => {
    const [, version = '1', role = ''] = /^(?:(\d+)\.)?(.+)\.json$/.exec(name) ?? [];
    return { role, version: Number(version), path: `metadata/${name}`, bytes };
  });
  const newest = (role: string): PublishedFile => {
    const file = all.findLast((one) => one.role === role);
    if (file === undefined) throw new Error(`no ${role}`);
    return file;
  };
  const roles = ['targets', 'front', 'rear', 'unrelated'];
  return {
    roots: all.filter(({ role }) => role === 'root'),
    targets: roles.map(newest),
    snapshot: newest('snapshot'),
    timestamp: newest('timestamp'),
    files: [],
  };
}

describe('U35 the delegated roles that a kit needs', () => {
  test.each<[string, readonly TargetQuery[], readonly string[]]>([
    ['the first that lists a name', [{ name: NAME }], ['front']],
    [
      'those that vehicles ask for their hardware',
      [{ name: NAME }, { name: NAME, hardwareId: 'HW-1' }],
      ['front', 'rear'],
    ],
  ])('%s', async (_, queries, expected) => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'front', paths: ['EV-1/BRAKE/2.0/*'], hardwareIds: ['HW-9'] });
    simulator.delegate('targets', { name: 'rear', paths: ['EV-1/BRAKE/2.0/*'], hardwareIds: ['HW-1'] });
    simulator.delegate('targets', { name: 'unrelated', paths: ['EV-1/DOOR/2.0/*'] });
    for (const role of ['front', 'rear']) simulator.addTarget(NAME, 'brake', role);
    simulator.editDelegated('front', ({ targets }) => ({
      targets: new Map([...targets].map(([name, target]) => [name, { ...target, custom: FOR_FRONT }])),
    }));
    simulator.publish();
    const io = { ...fakeIo(), clock: { now: () => simulator.now } };
    const files = await neededMetadata(io, published(simulator), queries);
    const roles = new Set(files.map(({ role }) => role));
    expect(roles).toEqual(new Set(['root', 'targets', ...expected, 'snapshot', 'timestamp']));
  });
});
