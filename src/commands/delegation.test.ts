/** Delegations as a user makes them: packaging with a key of its own, nested and agreeing roles, keys that change. */
import { describe, expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ALL = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');

async function session(scheme = 'hybrid'): Promise<CliSession> {
  const session = await releaseSession({ scheme });
  await session.write(
    'release.yaml',
    String(Buffer.from(await session.read('release.yaml'))) + 'confidential: false\n',
  );
  return session;
}

async function withKeys(on: CliSession, ...names: readonly string[]): Promise<void> {
  for (const name of names) await on.ok(`keygen ${name} --out keys --scheme hybrid`);
}

describe('a packaging key of its own', () => {
  test('U12, U13: bundles are signed by the delegated role, images stay with targets', async () => {
    await using on = await session();
    await withKeys(on, 'packaging');
    const added = await on.ok("delegation add bundles --path 'bundles/*/*' --key keys/packaging.pub");
    expect(added).toContain('targets delegates bundles/*/* to bundles (staged)');
    expect(await on.ok('diff targets')).toContain('+ delegation bundles (1. bundles/*/*)');
    // Before targets is signed nobody may package with the new key.
    const early = await on.json('package release.yaml --key keys/packaging.key --out bundles');
    expect([early.status, early.error?.code]).toEqual([6, 'BUNDLE_THRESHOLD']);
    await on.ok(`sign targets bundles snapshot timestamp ${ALL} --key keys/packaging.key`);
    const wrong = await on.json('package release.yaml --key keys/targets.key --out bundles');
    expect(wrong.error?.code).toBe('BUNDLE_THRESHOLD');
    await on.ok('package release.yaml --key keys/packaging.key --out bundles');
    const listed = await on.ok('target list --json');
    const { targets } = (JSON.parse(listed) as { result: { targets: { name: string; role: string }[] } }).result;
    expect(targets.map(({ name, role }) => [name.startsWith('bundles/'), role])).toEqual(
      targets.map(({ name }) => [name.startsWith('bundles/'), name.startsWith('bundles/') ? 'bundles' : 'targets']),
    );
    expect(targets).toHaveLength(5);
    await on.ok(`sign bundles targets snapshot timestamp ${ALL} --key keys/packaging.key`);
    expect(await on.ok('sign --key keys/packaging.key')).toBe('nothing to sign with these keys\n');
    await on.ok('publish image public');
    const verified = await on.ok(
      'verify bundle bundles/ZG_BODY.otap --root trust/root.json --metadata public/metadata',
    );
    expect(verified).toContain('by keys of bundles: ecdsa-p256, ml-dsa-65');
    await on.ok(
      'verify repository public --root trust/root.json --state state --target bundles/r1/ZG_DRIVE.otap --out got',
    );
    await on.ok('verify repository public --root trust/root.json --state state --lint');
    expect(await on.ok('status')).toMatch(/bundles +2 +1 of 1/);
  });
});

test('U36: bundles under two roles that must agree are signed by both', async () => {
  await using on = await session('ecdsa-p256');
  for (const name of ['oem', 'lab']) await on.ok(`keygen ${name} --out keys --scheme ecdsa-p256`);
  await on.ok("delegation add bundles --path 'bundles/*/*' --multi-role --key oem=keys/oem.pub --key lab=keys/lab.pub");
  const keys = '--key keys/oem.key --key keys/lab.key';
  await on.ok(`sign targets oem lab snapshot timestamp ${ALL} ${keys}`);
  const one = await on.json('package release.yaml --key keys/oem.key --out bundles');
  expect(one.error?.code).toBe('BUNDLE_THRESHOLD');
  await on.ok(`package release.yaml ${keys} --out bundles`);
  await on.ok(`sign ${ALL} ${keys}`);
  await on.ok('publish image public');
  const verified = await on.ok('verify bundle bundles/ZG_BODY.otap --root trust/root.json --metadata public/metadata');
  expect(verified).toContain('VERIFIED');
});

test('a delegation that ends: what clients will not find any more is told, and not listed as published', async () => {
  await using on = await session('ecdsa-p256');
  for (const name of ['acme', 'sub']) await on.ok(`keygen ${name} --out keys --scheme ecdsa-p256`);
  await on.ok("delegation add acme --path 'acme/*' --key keys/acme.pub");
  await on.ok("delegation add sub --under acme --path 'acme/*' --hardware S --key keys/sub.pub");
  const add = async (name: string, hardware: string): Promise<string> =>
    await on.ok(
      `target add fw/mcu.bin --name ${name} --version-id 1 --release-counter 1 --hardware ${hardware} --clear`,
    );
  for (const name of ['a', 'b', 'c', 'd', 'e']) await add(`acme/${name}`, 'H');
  await add('acme/s', 'S');
  await on.ok(`sign targets acme sub snapshot timestamp ${ALL} --key keys/acme.key --key keys/sub.key`);
  expect(await on.ok('target list')).not.toContain('not findable');
  const { result } = await on.json('delegation remove acme --dry-run');
  const lost = { targets: 6, names: ['acme/a', 'acme/b', 'acme/c', 'acme/d', 'acme/e'], more: false };
  expect(result).toMatchObject({ name: 'acme', lost });
  expect(await on.ok('delegation remove acme')).toContain(
    'clients will not find 6 targets any more, listed by no other role: acme/a, acme/b, acme/c, acme/d, acme/e, ...\n',
  );
  expect((await on.json('diff targets')).result).toMatchObject({ roles: [{ lost }] });
  expect(await on.ok('diff targets')).toContain('clients will not find 6 targets any more');
  await add('acme/a', 'H');
  expect(await on.ok('diff targets')).toContain('clients will not find 5 targets any more');
  await on.ok(`sign targets snapshot timestamp ${ALL}`);
  const listed = await on.ok('target list');
  expect(listed).toMatch(/acme\/a +acme .*not findable\n/);
  expect(listed).toMatch(/acme\/a +targets .*published\n/);
  expect(listed).toMatch(/acme\/s +sub .*not findable\n/);
  expect(listed).toContain('\nnobody delegates to acme, sub any more: clients find nothing that is listed there\n');
  const { targets } = ((await on.json('target list --prefix acme/b')).result ?? {}) as { targets: unknown[] };
  expect(targets).toMatchObject([{ name: 'acme/b', role: 'acme', findable: false }]);
});

test('bins that end leave what they list to nobody', async () => {
  await using on = await session('ecdsa-p256');
  await on.ok('delegation bins 4 --key keys/targets.pub');
  await on.ok('target add fw/mcu.bin --name x/y --version-id 1 --release-counter 1 --hardware H --clear');
  expect((await on.json('delegation remove bins')).result).toMatchObject({ lost: { targets: 1, names: ['x/y'] } });
  expect(await on.ok('target list')).toContain('not findable');
});
