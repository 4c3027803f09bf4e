/** The Director from the command line: keys, root, signing, renewal, status. */
import { describe, expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const VINS = ['5YJ3E1EA0KF000316', '5YJ3E1EA0KF000317'];
const KEY = '--key keys/director.key';
const BOTH = VINS.map((vin) => `--vehicle ${vin}`).join(' ');

/** A session with a Director's root, one online key for the rest, and two vehicles. */
async function directorSession(): Promise<CliSession> {
  const session = await releaseSession({ scheme: 'ecdsa-p256' });
  for (const key of ['d-root', 'director']) await session.ok(`keygen ${key} --out keys --scheme ecdsa-p256`);
  await session.ok('role set director/root --key keys/d-root.pub');
  for (const role of ['targets', 'snapshot', 'timestamp']) {
    await session.ok(`role set director/${role} --key keys/director.pub`);
  }
  for (const vin of VINS) await session.ok(`vehicle add ${vin} --model EV-1`);
  return session;
}

describe('the Director', () => {
  test('is refused without a root, signs what changed, and is exported to be pinned', async () => {
    await using session = await directorSession();
    for (const line of [`sign director ${KEY}`, 'publish director tree']) {
      const early = await session.json(line);
      expect([early.status, early.error?.code]).toEqual([6, 'DIRECTOR_ROOT_MISSING']);
    }
    await session.ok('sign director/root --key keys/d-root.key');
    expect(await session.ok('root export --director -o trust/director.json')).toContain('director/root 1');
    expect(await session.ok(`sign director ${KEY}`)).toContain('nothing to be signed');
    expect(await session.ok(`sign director ${BOTH} ${KEY} --dry-run`)).toContain('2 vehicles would be signed');
    expect(await session.ok(`sign director ${BOTH} ${KEY}`)).toContain('2 vehicles signed: 6 files, 6 signatures');
    expect(await session.ok(`sign director ${BOTH} ${KEY}`)).toContain('nothing to be signed');
    const unknown = await session.json(`sign director --vehicle 1HGCM82633A004352 ${KEY}`);
    expect(unknown.error?.code).toBe('VEHICLE_UNKNOWN');
    const status = await session.json('status');
    expect(status.result?.['director']).toMatchObject({ signed: 2, changed: 0, due: 0, expired: 0 });
    const mixed = await session.json(`sign director targets ${KEY}`);
    expect(mixed.error?.code).toBe('USAGE');
    await session.ok('hold --reason stolen');
    for (const line of [`sign director ${KEY}`, `renew director ${KEY}`]) {
      expect((await session.json(line)).error?.code).toBe('REPOSITORY_HELD');
    }
  });

  test('U5 U30 renews what expires within a day; new keys in its root mark every vehicle', async () => {
    await using session = await directorSession();
    await session.ok('sign director/root --key keys/d-root.key');
    await session.ok(`sign director ${BOTH} ${KEY}`);
    expect(await session.ok(`renew director ${KEY}`)).toContain('nothing to be renewed');
    session.clock.advance(13 * 3600);
    expect((await session.json('status --within 12h')).status).toBe(6);
    expect(await session.ok('status')).toContain('2 vehicles signed, 2 due');
    expect(await session.ok(`renew director ${KEY} --dry-run`)).toContain('2 vehicles would be renewed');
    expect(await session.ok(`renew director ${KEY}`)).toContain('2 vehicles renewed: 6 files');
    await session.ok('keygen director-2 --out keys --scheme ecdsa-p256');
    const old = (await session.ok('key show keys/director.pub --json')).match(/"keyId":"([0-9a-f]{64})"/)?.[1] ?? '';
    const steps = (await session.run(`key revoke ${old} --reason stolen --dry-run`)).stdout;
    expect(steps).toMatch(/secureev sign director --key .*[^]*secureev publish director DIR/);
    for (const role of ['targets', 'snapshot', 'timestamp']) {
      await session.ok(`role change director/${role} --replace ${old}=keys/director-2.pub`);
    }
    await session.ok('sign director/root --key keys/d-root.key');
    expect(await session.ok('status')).toContain('2 changed since');
    expect((await session.json(`sign director ${KEY}`)).error?.code).toBe('DIRECTOR_KEYS_MISSING');
    expect((await session.json('publish director tree')).error?.code).toBe('DIRECTOR_NOT_SIGNED');
    expect(await session.ok('sign director --key keys/director-2.key')).toContain('2 vehicles signed');
    expect(await session.ok('publish director tree')).toContain('2 of 2 vehicles changed, 8 files written');
    expect(await session.ok('status')).not.toContain('changed since');
  });
});
