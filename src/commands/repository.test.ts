/** The repository's commands as a person or a pipeline calls them: text, `--json`, exit statuses, no trace after a failure. */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ENV = { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse battery staple' };
const ROLES = ['targets', 'snapshot', 'timestamp'] as const;
const SIGN_ROLES = `sign ${ROLES.join(' ')} ${ROLES.map((role) => `--key keys/${role}.key`).join(' ')}`;

/** Keys for all roles, staged; made once, since a key file takes its time on purpose. */
let template: CliSession;
beforeAll(async () => {
  template = await makeTemplate();
});
afterAll(() => template[Symbol.asyncDispose]());

/** A session of its own that begins where the template ends. */
async function begun(): Promise<CliSession> {
  const session = await cliSession({ env: ENV });
  await cp(template.folder, session.folder, { recursive: true });
  return session;
}

async function makeTemplate(): Promise<CliSession> {
  const session = await cliSession({ env: ENV });
  await session.ok(`init oem --name 'Example Motors'`);
  for (const name of ['root-a', 'root-b', ...ROLES]) await session.ok(`keygen ${name} --out keys`);
  await session.ok('role set root --key keys/root-a.pub --key keys/root-b.pub --threshold 2');
  for (const role of ROLES) await session.ok(`role set ${role} --key keys/${role}.pub`);
  return session;
}

describe('the repository, from init to a published tree', () => {
  test('every command answers in words and in JSON', async () => {
    await using session = await begun();
    expect(await session.ok('diff')).toContain('+ keys of root: 2 of 2 keys');
    expect(await session.ok('role list')).toContain('timestamp (staged): 1 of 1 key, versions live 1 d');

    const first = await session.json('sign root --key keys/root-a.key');
    expect(first).toMatchObject({ ok: true, status: 0, result: { complete: false } });
    expect(await session.ok('status')).toContain('1 of 2 signatures under root 1, waiting for 1 of:');
    expect(await session.ok('sign root --key keys/root-b.key')).toMatch(
      /^root 1: complete, 2 signatures added, expires 2027-11-21/,
    );
    expect(await session.ok('root export -o trust/root.json')).toMatch(/SHA-256 fingerprint: [0-9a-f]{4} [0-9a-f]{4} /);

    await session.write('bms.bin', 'firmware');
    const add =
      'target add bms.bin --name EV-1/BMS/2.1.0/bms.bin --version-id 2.1.0 --release-counter 7 --hardware BMS-H2';
    expect(await session.ok(`${add} --clear`)).toContain('staged for the next version of targets');
    expect(await session.json('target list')).toMatchObject({
      result: { targets: [{ name: 'EV-1/BMS/2.1.0/bms.bin' }] },
    });
    expect(await session.ok('diff targets')).toContain('+ EV-1/BMS/2.1.0/bms.bin (version 2.1.0, counter 7, 8 B');
    expect(await session.json(`${SIGN_ROLES} --dry-run`)).toMatchObject({ result: { complete: true } });
    expect(await session.json('status')).toMatchObject({
      result: { roles: [{ version: 1 }, { version: null }, {}, {}] },
    });
    expect(await session.json(SIGN_ROLES)).toMatchObject({ result: { complete: true } });
    expect(await session.ok('publish image public')).toContain(
      'published root 1, targets 1, snapshot 1, timestamp 1: 5 files written',
    );
    expect(await session.ok('publish image public')).toContain('0 files written, 5 unchanged');
    const verifyLog = 'verify log --anchor public --root trust/root.json --junit log.xml';
    expect(await session.ok(verifyLog)).toContain('4 checks passed');
    expect(fromUtf8(await session.read('log.xml'))).toContain('<testsuite name="verify log" tests="4" failures="0"');
    expect(await session.ok('log')).toContain('published root 1, targets 1, snapshot 1, timestamp 1');
    expect(await session.json('log --role timestamp')).toMatchObject({ result: { entries: [{}, {}, {}] } });
    expect(await session.ok('target remove EV-1/BMS/2.1.0/bms.bin')).toContain('staged the removal');
    expect(await session.ok('discard targets')).toBe('targets: dropped 1 staged change\n');
    expect(await session.ok('discard targets')).toBe('targets: nothing was staged\n');
  });

  test('renew and status say with exit status 6 what is due', async () => {
    await using session = await begun();
    await session.ok('sign root --key keys/root-a.key --key keys/root-b.key');
    await session.ok(SIGN_ROLES);
    expect(await session.run('status --within 12h')).toMatchObject({ status: 0 });
    expect(await session.run('status --within 2d')).toMatchObject({ status: 6 });
    expect(await session.ok('renew --key keys/timestamp.key')).toBe('nothing is due\n');
    session.clock.advance(46 * 86_400);
    expect(await session.json('renew --key keys/timestamp.key')).toMatchObject({
      status: 6,
      result: { due: ['targets', 'snapshot'] },
    });
    const all = ROLES.map((role) => `--key keys/${role}.key`).join(' ');
    expect(await session.run(`renew ${all}`)).toMatchObject({ status: 0 });
    expect(await session.run('publish image public')).toMatchObject({ status: 0 });
  });
});

describe('what is refused', () => {
  test.each([
    ['init oem --name X', 'REPOSITORY_EXISTS', 5],
    ['init other --name X --dialect klingon', 'DIALECT_UNKNOWN', 2],
    ['init other', 'USAGE', 2],
    ['role set root --key keys/root-a.pub', 'ROLE_KEYS_EXIST', 6],
    ['role set director/root --key keys/root-a.pub', 'KEY_SERVES_ANOTHER', 6],
    ['role set director/root --key keys/root-a.pub --key keys/root-b.pub', 'THRESHOLD_MISSING', 2],
    ['role set nobody --key keys/root-a.pub', 'ROLE_UNKNOWN', 2],
    ['role change root --remove 00000000', 'KEY_NOT_IN_ROLE', 6],
    ['role change root --threshold 3', 'THRESHOLD_UNREACHABLE', 6],
    ['role change root', 'USAGE', 2],
    ['role change root --replace nonsense', 'USAGE', 2],
    ['sign root --key keys/targets.key', 'KEY_NOT_OF_ROLE', 6],
    ['sign root --key keys/nobody.key', 'FILE_NOT_FOUND', 5],
    ['root export -o trust/root.json', 'ROLE_NOT_COMPLETE', 6],
    ['root export --role targets -o trust/root.json', 'USAGE', 2],
    ['publish image public', 'ROLE_NOT_COMPLETE', 6],
    ['status --repo nowhere', 'REPOSITORY_NOT_FOUND', 5],
    ['verify log', 'CHECK_SKIPPED', 3],
    ['verify log --anchor public', 'FILE_NOT_FOUND', 5],
    ['target remove EV-1/BMS/1/x', 'TARGET_UNKNOWN', 6],
    ['target add keys/root-a.pub --name ../x --version-id 1 --release-counter 1 --hardware H', 'VALUE_MALFORMED', 4],
    ['target add none.bin --name A/B/1/x --version-id 1 --release-counter 1 --hardware H', 'FILE_NOT_FOUND', 5],
    ['hold --reason x --lift', 'USAGE', 2],
  ])('%s: %s, exit status %i', async (line, code, status) => {
    const before = await template.json('log');
    expect(await template.json(line)).toMatchObject({ ok: false, status, error: { code } });
    expect(await template.json('log')).toEqual(before);
    const { stderr, stdout } = await template.run(line);
    expect([stderr.includes(`[${code}]`), stdout.includes('complete')]).toEqual([true, false]);
  });

  test('a hold stops sign, renew and publish', async () => {
    await using session = await begun();
    expect(await session.ok("hold --reason 'targets key lost'")).toBe('on hold: targets key lost\n');
    for (const line of ['sign root --key keys/root-a.key', 'renew --key keys/root-a.key', 'publish image public']) {
      expect(await session.json(line)).toMatchObject({ status: 6, error: { code: 'REPOSITORY_HELD' } });
    }
    expect(await session.ok('status')).toContain('ON HOLD: targets key lost');
    expect(await session.ok('hold --lift')).toContain('not on hold');
    expect(await session.run('sign root --key keys/root-a.key')).toMatchObject({ status: 0 });
  });
});
