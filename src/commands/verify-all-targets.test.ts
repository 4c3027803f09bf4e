/** `verify repository --all-targets` over a folder and over HTTP: every listed target, delegated ones and bins too. */
import { readFile, rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { jsonMap } from '../formats/json/json.ts';
import { binOf } from '../formats/metadata/path-pattern.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { releaseSession } from '../testing/release-session.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { serveFolder } from '../testing/static-server.ts';
import type { StaticServer } from '../testing/static-server.ts';
import { targetFileName } from '../trust/file-names.ts';

let session: CliSession;
let server: StaticServer;
let simulator: Simulator;
beforeEach(async () => {
  session = await cliSession();
  simulator = simulateRepository();
  simulator.edit('targets', () => ({ targets: new Map() }));
  await session.write('root.json', simulator.files.get('1.root.json') ?? '');
  server = await serveFolder(session.path('public'));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
});

/** Lists a target and puts it, or `content` in its place, into the tree; undefined for nothing. */
async function lay(name: string, role = 'targets', content: string | undefined = `of ${name}`): Promise<void> {
  const target = simulator.addTarget(name, `of ${name}`, role);
  if (content !== undefined) await session.write(`public/targets/${targetFileName(name, target, true)}`, content);
}

async function publish(): Promise<void> {
  simulator.publish();
  for (const [name, bytes] of simulator.files) await session.write(`public/metadata/${name}`, bytes);
}

async function verify(place: string, flags = '') {
  const line = `verify repository ${place} --root root.json --all-targets ${flags}`;
  const { status, error, result } = await session.json(line);
  const checks = (result?.['checks'] ?? []) as { id: string; status: string; code?: string; detail: string }[];
  const outcome = (id: string) =>
    checks.filter((check) => check.id === id).map((check) => check.code ?? check.status)[0];
  const details = checks.map(({ detail }) => detail).join('\n');
  const outcomes = { content: outcome('targets-content'), there: outcome('targets-there') };
  return { status, code: error?.code ?? 'none', ...outcomes, targets: result?.['targets'], details };
}

const GOOD = { status: 0, code: 'none', content: 'pass', there: 'pass' };

describe.each(['a folder', 'a URL'])('%s', (kind) => {
  const place = (): string => (kind === 'a URL' ? server.url : 'public');

  test('all there: those of Targets, of a delegated role, and of bins; --out takes them all', async () => {
    simulator.delegate('targets', { name: 'fw', paths: ['fw/*'] });
    simulator.delegate('targets', { name: 'apps', paths: ['apps/*'] });
    const bins = { namePrefix: 'bins', bitLength: 2 };
    simulator.delegateBins('apps', bins);
    const apps = ['apps/a.bin', 'apps/b.bin', 'apps/c.bin'];
    await lay('own.bin');
    await lay('fw/brake.bin', 'fw');
    for (const name of apps) await lay(name, binOf('native', bins, parseTargetName(name)));
    await publish();
    expect(await verify(place(), '--out got')).toMatchObject({ ...GOOD, targets: { verified: 5, missing: [] } });
    for (const name of ['own.bin', 'fw/brake.bin', ...apps]) {
      expect(await readFile(session.path(`got/${name}`), 'utf8')).toBe(`of ${name}`);
    }
  });

  test('a bin that Snapshot does not list is a refusal, not a shorter list', async () => {
    simulator.delegateBins('targets', { namePrefix: 'bins', bitLength: 1 });
    await publish();
    simulator.edit('snapshot', ({ meta }) => ({
      meta: new Map([...meta].filter(([name]) => !name.includes('bins-1'))),
    }));
    simulator.publishSnapshot();
    for (const [name, bytes] of simulator.files) await session.write(`public/metadata/${name}`, bytes);
    const found = await verify(place());
    expect(found).toMatchObject({ status: 3, there: 'skip', targets: null });
    expect(found.content).toMatch(/^TRUST_/);
  });

  test('each one that is not as listed is told, and the others are looked at', async () => {
    await lay('a.bin', 'targets', 'of b.bin');
    await lay('b.bin', 'targets', 'of a.bin, and then some');
    await lay('c.bin');
    await publish();
    expect(await verify(place(), '--out got')).toMatchObject({
      status: 3,
      code: 'TRUST_ARBITRARY_SOFTWARE',
      there: 'pass',
      targets: {
        verified: 1,
        refused: [
          { name: 'a.bin', code: 'TRUST_ARBITRARY_SOFTWARE' },
          { name: 'b.bin', code: 'TRUST_ENDLESS_DATA' },
        ],
      },
    });
    expect(await readFile(session.path('got/c.bin'), 'utf8')).toBe('of c.bin');
    await expect(readFile(session.path('got/a.bin'))).rejects.toThrow('ENOENT');
  });

  test('what is listed and not there makes a skipped check, which has to be allowed', async () => {
    await lay('a.bin');
    await lay('b.bin', 'targets', undefined);
    simulator.addTarget('c.bin', 'elsewhere');
    await publish();
    await rm(session.path(`public/targets/${targetFileName('b.bin', simulator.addTarget('b.bin', 'of b.bin'), true)}`));
    const found = await verify(place());
    expect(found).toMatchObject({ status: 3, code: 'CHECK_SKIPPED', content: 'pass', there: 'skip' });
    expect(found.targets).toMatchObject({ verified: 1, missing: ['b.bin', 'c.bin'] });
    expect(found.details).toContain('2 listed targets not in the tree');
    expect(await verify(place(), '--allow-skip targets-there --junit r.xml')).toMatchObject({ ...GOOD, there: 'skip' });
    expect(await readFile(session.path('r.xml'), 'utf8')).toContain('failures="0" errors="0" skipped="1"');
  });
});

test('one name for two kinds of hardware: the file of each is looked at', async () => {
  for (const name of ['a', 'b']) simulator.delegate('targets', { name, paths: ['app/*'], hardwareIds: [`H-${name}`] });
  for (const role of ['a', 'b']) {
    const custom = jsonMap({ hardwareIds: [`H-${role}`] });
    simulator.editDelegated(role, () => ({
      targets: new Map([[parseTargetName('app/fw.bin'), { ...simulator.addTarget('x', `of ${role}`, role), custom }]]),
    }));
    const target = simulator.delegated.get(role)?.targets.get(parseTargetName('app/fw.bin'));
    if (target !== undefined)
      await session.write(`public/targets/${targetFileName('app/fw.bin', target, true)}`, `of ${role}`);
  }
  await publish();
  expect(await verify('public')).toMatchObject({ ...GOOD, targets: { verified: 2 } });
  const second = simulator.delegated.get('b')?.targets.get(parseTargetName('app/fw.bin'));
  if (second === undefined) throw new Error('no target');
  await session.write(`public/targets/${targetFileName('app/fw.bin', second, true)}`, 'of c');
  expect(await verify('public')).toMatchObject({ status: 3, content: 'TRUST_ARBITRARY_SOFTWARE' });
  await rm(session.path(`public/targets/${targetFileName('app/fw.bin', second, true)}`));
  expect(await verify('public')).toMatchObject({ there: 'skip', targets: { missing: ['app/fw.bin'] } });
});

test('a delegated role without a first version lists nothing and holds nothing up', async () => {
  await lay('own.bin');
  simulator.delegate('targets', { name: 'later', paths: ['later/*'] });
  await publish();
  simulator.edit('snapshot', ({ meta }) => ({ meta: new Map([...meta].filter(([name]) => name !== 'later.json')) }));
  simulator.publishSnapshot();
  for (const [name, bytes] of simulator.files) await session.write(`public/metadata/${name}`, bytes);
  expect(await verify('public')).toMatchObject({ ...GOOD, targets: { verified: 1 } });
});

test('bins that lead to the same bins again and again are come to once', async () => {
  const levels = 16;
  simulator.delegateBins('targets', { namePrefix: 'l0', bitLength: 1 });
  for (let level = 1; level < levels; level++) {
    simulator.delegateBins(`l${level - 1}-0`, { namePrefix: `l${level}`, bitLength: 1 });
    const same = simulator.delegated.get(`l${level - 1}-0`)?.delegations;
    simulator.editDelegated(`l${level - 1}-1`, () => ({ delegations: same }));
  }
  await publish();
  const { targets, status } = await verify('public');
  expect([status, targets]).toEqual([0, { verified: 0, bytes: 0, missing: [], refused: [] }]);
});

test('what no client comes to is not counted; a name that no client takes is refused', async () => {
  simulator.delegate('targets', { name: 'fw', paths: ['fw/*'] });
  await lay('other/a.bin', 'fw');
  await publish();
  expect(await verify('public')).toMatchObject({ ...GOOD, targets: { verified: 0, missing: [], refused: [] } });
  const target = simulator.addTarget('up.bin', 'up');
  simulator.edit('targets', () => ({ targets: new Map([['../up.bin' as TargetName, target]]) }));
  await publish();
  expect(await verify('public')).toMatchObject({
    status: 3,
    targets: { refused: [{ name: '../up.bin', code: 'VALUE_MALFORMED' }] },
  });
});

test.each([
  ['--target a.bin'],
  ['--vehicle 5YJ3E1EA0KF000316 --director d --director-root root.json --state s'],
  ['--allow-skip nonsense'],
])('USAGE: --all-targets with %s', async (flags) => {
  await publish();
  expect(await verify('public', flags)).toMatchObject({ status: 2, code: 'USAGE' });
});

test('a confidential release: its sealed payloads are verified, its clear bytes are told as not there', async () => {
  await using release = await releaseSession();
  for (const line of ['keygen escrow --purpose encryption --out keys', 'role set escrow --key keys/escrow.pub'])
    await release.ok(line);
  await release.ok('package release.yaml --key keys/targets.key --out bundles');
  await release.ok('keygen car --purpose encryption --out keys');
  await release.ok('vehicle add 5YJ3E1EA0KF000316 --model EV-1 --encryption-key keys/car.pub');
  await release.ok('encrypt bundles/ZG_BODY.otap bundles/ZG_DRIVE.otap --vehicle 5YJ3E1EA0KF000316 --out sealed');
  const keys = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');
  await release.ok(`sign targets snapshot timestamp ${keys}`);
  await release.ok('publish image public');
  const line = 'verify repository public --root trust/root.json --all-targets';
  expect(await release.json(line)).toMatchObject({
    status: 3,
    error: { code: 'CHECK_SKIPPED', hint: expect.stringContaining('--allow-skip targets-there') },
    result: { targets: { verified: 2, refused: [] } },
  });
  expect(await release.ok(`${line} --allow-skip targets-there`)).toContain('5 listed targets not in the tree');
});
