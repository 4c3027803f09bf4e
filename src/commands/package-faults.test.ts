/** package on a disk that fails at each of its calls in turn. */
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { failing } from '../testing/faults.ts';
import { releaseSession } from '../testing/release-session.ts';

/** One image in one bundle. */
const PLAN_OF_ONE = `release: r1
model: EV-1
confidential: false
images:
  - { ecu: MCU, version: 1.1.0, file: fw/mcu.bin }
`;

describe('package on a disk that fails', () => {
  it('leaves no file and no state, whichever call fails', async () => {
    await using small = await releaseSession({ scheme: 'ecdsa-p256' });
    await small.write('plan.yaml', PLAN_OF_ONE);
    const line = 'package plan.yaml --key keys/targets.key --out out';
    let failed = 0;
    for (let failAt = 1; ; failAt++) {
      const { status } = await small.run(line, { adapt: (io) => failing(io, failAt).io });
      if (status === 0) break;
      failed += 1;
      const left = await readdir(small.path('out')).catch(() => []);
      expect([failAt, status, left]).toEqual([failAt, 5, []]);
      const objects = await readdir(small.path('oem/objects'), { recursive: true, withFileTypes: true });
      expect(objects.filter((entry) => entry.isFile())).toEqual([]);
      const { result } = await small.json('target list');
      expect(result?.['targets']).toEqual([]);
    }
    expect(failed).toBeGreaterThan(20);
    expect(await readdir(small.path('out'))).toHaveLength(1);
  }, 60_000);
});
