/** `publish kit` killed at every other call. */
import { mkdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { killedAt } from '../testing/faults.ts';
import { CAR_1, kitSession, kitVerdict } from '../testing/kit-session.ts';

test('killed on its way it is no kit that verifies, or the whole one; the next run makes it good', async () => {
  await using session = await kitSession();
  for (let failAt = 1; ; failAt += 2) {
    const kit = `killed-${failAt}`;
    const line = `publish kit ${kit} --release r1 --vehicle ${CAR_1}`;
    const { status } = await session.run(line, { adapt: (io) => killedAt(io, failAt).io });
    if (status === 0) break;
    await mkdir(session.path(kit), { recursive: true });
    expect((await kitVerdict(session, kit))[0]).not.toBe(1);
    await session.ok(line);
    expect(await kitVerdict(session, kit)).toEqual([0]);
  }
});
