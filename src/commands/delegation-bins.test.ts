/** Hashed bins by key files: signed in bulk, on threads where they are many, and read back by a client. */
import { expect, test } from 'vitest';
import { cliSession } from '../testing/run-cli.ts';

const ROLES = ['root', 'targets', 'snapshot', 'timestamp'];

test('TAP 15: 512 bins get their versions in many lots; later only the one that changes', async () => {
  await using on = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'x' } });
  await on.ok('init oem --name Test');
  for (const name of [...ROLES, 'bins']) await on.ok(`keygen ${name} --out keys`);
  for (const role of ROLES) await on.ok(`role set ${role} --key keys/${role}.pub`);
  await on.ok('sign root --key keys/root.key');
  await on.ok('root export -o root.json');
  await on.ok('delegation bins 512 --key keys/bins.pub');
  await on.write('a.bin', 'a');
  await on.ok('target add a.bin --name fw/a.bin --version-id 1 --release-counter 1 --hardware H --clear');
  const keys = ['targets', 'bins', 'snapshot', 'timestamp'].map((name) => `--key keys/${name}.key`).join(' ');
  expect(await on.ok(`sign targets bins snapshot timestamp ${keys} --dry-run`)).toContain('512 of 512 bins signed');
  expect(await on.ok(`sign targets bins snapshot timestamp ${keys}`)).toContain('512 of 512 bins signed');
  await on.ok('publish image public');
  await on.ok('verify repository public --root root.json --state state --target fw/a.bin --out got');
  await on.ok('target add a.bin --name fw/b.bin --version-id 1 --release-counter 1 --hardware H --clear');
  expect(await on.ok(`sign ${keys}`)).toContain('1 of 512 bins signed');
  await on.ok('publish image public');
  await on.ok('verify repository public --root root.json --state state --target fw/b.bin --out got');
});
