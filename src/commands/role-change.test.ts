import { expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { cliSession } from '../testing/run-cli.ts';

const ENV = { SECUREEV_PASSPHRASE: 'correct horse battery staple', SECUREEV_REPO: 'oem' };

test('role change shows who goes and comes, and whose signatures the next root needs', async () => {
  await using session = await cliSession({ env: ENV });
  await session.ok(['init', 'oem', '--name', 'Example Motors']);
  for (const name of ['old', 'new', 'online']) await session.ok(`keygen ${name} --scheme ed25519 --out keys`);
  await session.ok('role set root --key keys/old.pub');
  for (const role of ['targets', 'snapshot', 'timestamp']) await session.ok(`role set ${role} --key keys/online.pub`);
  await session.ok('sign root --key keys/old.key');
  const [old] = /[0-9a-f]{64}/.exec(fromUtf8(await session.read('keys/old.pub'))) ?? [];
  expect(await session.ok('status')).toMatch(/^root +1 +1 of 1 {2,}2027/m);
  const line = `role change root --replace ${(old ?? '').slice(0, 8)}=keys/new.pub`;
  const text = await session.ok(`${line} --dry-run`);
  expect(text).toMatch(/root: 1 of 1 key -> 1 of 1 key\n {2}- old \(.*\)\n {2}\+ new \(/);
  expect(text).toMatch(/root 2 makes this true; it must be signed by all of/);
  expect(text).toMatch(/1 of 1 classical keys of root 1: old .*\n.*1 of 1 classical keys of root 2: new /);
  expect(JSON.stringify((await session.json('role list')).result)).toContain('"staged":false');
  expect((await session.json('role change targets --expires 1d')).error?.code).toBe('LIFETIME_SHORTENED');
  expect((await session.json('role change targets --expires 1d --shorter-expiry')).status).toBe(0);
});

test('status shows the quorum in force, and what is staged as staged', async () => {
  await using session = await cliSession({ env: ENV });
  await session.ok(['init', 'oem', '--name', 'Example Motors']);
  for (const name of ['a', 'b', 'online']) await session.ok(`keygen ${name} --scheme ed25519 --out keys`);
  await session.ok('role set root --key keys/a.pub --key keys/b.pub --threshold 1');
  for (const role of ['targets', 'snapshot', 'timestamp']) await session.ok(`role set ${role} --key keys/online.pub`);
  expect(await session.ok('status')).toMatch(/^root +- +1 of 2 \(staged\) /m);
  await session.ok('sign root --key keys/a.key');
  await session.ok('role change root --threshold 2');
  expect(await session.ok('status')).toMatch(/^root +1 +1 of 2, 2 of 2 \(staged\) /m);
  expect((await session.json('status')).result?.['roles']).toMatchObject([
    { role: 'root', quorum: { threshold: 1, keys: 2 }, stagedQuorum: { threshold: 2, keys: 2 }, delegator: null },
    { role: 'targets', quorum: { threshold: 1, keys: 1 }, stagedQuorum: null },
    {},
    {},
  ]);
  await session.ok('sign root --key keys/a.key --key keys/b.key');
  expect(await session.ok('status')).toMatch(/^root +2 +2 of 2 +2027/m);
});
