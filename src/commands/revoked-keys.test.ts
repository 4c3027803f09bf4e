/** What follows `key revoke`: signing tells it, `status` goes on asking, the key does not come back unseen, bundles are told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ROLES = 'targets snapshot timestamp';
const ALL = ROLES.split(' ')
  .map((role) => `--key keys/${role}.key`)
  .join(' ');
const REISSUE = '`secureev package RELEASE.yaml --reissue RELEASE`';
let session: CliSession;

beforeEach(async () => {
  session = await releaseSession({ scheme: 'ecdsa-p256' });
  await session.write('release.yaml', `${fromUtf8(await session.read('release.yaml'))}confidential: false\n`);
});
afterEach(async () => await session[Symbol.asyncDispose]());

const keygen = async (...names: readonly string[]): Promise<void> => {
  for (const name of names) await session.ok(`keygen ${name} --out keys --scheme ecdsa-p256`);
};
const keyId = async (name: string): Promise<string> =>
  /[0-9a-f]{64}/.exec(fromUtf8(await session.read(`keys/${name}.pub`)))?.[0] ?? '';
const short = async (name: string): Promise<string> => (await keyId(name)).slice(0, 8);
const revoke = async (name: string) => await session.json(`key revoke ${await short(name)} --reason lost`);
const refusal = async (line: string): Promise<readonly unknown[]> => {
  const { status, error } = await session.json(line);
  return [status, error?.code];
};
const packaging = async (): Promise<void> => {
  await keygen('packaging', 'packaging-2');
  await session.ok("delegation add bundles --path 'bundles/*/*' --key keys/packaging.pub");
  await session.ok(`sign ${ROLES} bundles ${ALL} --key keys/packaging.key`);
};

describe('a revoked key that a role cannot do without', () => {
  test('signs on, and whoever signs is told; a root may have to be signed by it', async () => {
    await session.ok(`sign ${ROLES} ${ALL}`);
    expect((await revoke('timestamp')).status).toBe(6);
    const id = (await keyId('timestamp')).slice(0, 12);
    const words = `timestamp: signed by a revoked key, timestamp (${id}): see \`secureev status\``;
    expect(await session.ok('renew --within 2d --key keys/timestamp.key')).toContain(`warning: ${words}`);
    await session.ok('package release.yaml --key keys/targets.key --out bundles');
    const { status, result } = await session.json(`sign ${ROLES} ${ALL}`);
    expect(status).toBe(0);
    expect(result).toMatchObject({ complete: true, warnings: [words] });
    await revoke('root');
    await session.ok('role change timestamp --expires 2d');
    expect(await session.ok('sign root --key keys/root.key')).not.toContain('warning');
  });

  test('is asked for by status, in words, as JSON and by its exit status, until it is replaced', async () => {
    await session.json(`key revoke ${await short('timestamp')} --reason lost --dry-run`);
    expect((await session.json('status')).result).toMatchObject({ revoked: [], due: [] });
    await revoke('timestamp');
    const id = await short('timestamp');
    const command = `secureev role change timestamp --replace ${id}=NEW.pub`;
    expect(await session.ok('status')).toMatch(
      new RegExp(
        `^timestamp lists the revoked key timestamp \\(${id}.{4}\\), which NEEDS A REPLACEMENT: .${command}.$`,
        'm',
      ),
    );
    const due = await session.json('status --within 1h');
    expect([due.status, due.result?.['due']]).toEqual([6, ['timestamp']]);
    const listed = { role: 'timestamp', keyId: await keyId('timestamp'), holder: 'timestamp' };
    expect(due.result?.['revoked']).toEqual([{ ...listed, needs: 'replace', command }]);
    await revoke('timestamp');
    expect((await session.ok('log')).match(/revoked key .*\(lost\): timestamp: replace/g)).toHaveLength(1);
    expect(await session.ok(`log --key ${await keyId('timestamp')}`)).toContain('revoked key');
    await keygen('timestamp-2');
    await session.ok(command.replace('secureev ', '').replace('NEW.pub', 'keys/timestamp-2.pub'));
    const staged = await session.json('status');
    expect(staged.result?.['revoked']).toEqual([{ ...listed, needs: 'sign', command: 'secureev sign root --key ...' }]);
    await session.ok('sign root --key keys/root.key');
    expect((await session.json('status --within 1h')).result).toMatchObject({ revoked: [], due: [] });
  });
});

test('a revoked key that the others can do without is to be taken out, even where that was discarded', async () => {
  await keygen('second');
  await session.ok('role change root --add keys/second.pub');
  await session.ok('sign root --key keys/root.key --key keys/second.key');
  expect((await revoke('second')).status).toBe(0);
  expect(await session.ok('status')).toContain(
    'counts until the next version is signed: `secureev sign root --key ...`',
  );
  await session.ok('discard root');
  const command = `role change root --remove ${await short('second')}`;
  expect(await session.ok('status')).toContain(`which must be taken out: \`secureev ${command}\``);
  await session.ok(command);
});

describe('a revoked key comes back', () => {
  test('nowhere unseen', async () => {
    await revoke('timestamp');
    await keygen('other');
    const id = await short('snapshot');
    await session.ok('keygen escrow --purpose encryption --out keys');
    await session.ok('role set escrow --key keys/escrow.pub');
    await revoke('escrow');
    for (const line of [
      'role set director/targets --key keys/timestamp.pub',
      'role change targets --add keys/timestamp.pub',
      `role change snapshot --replace ${id}=keys/timestamp.pub`,
      `role change escrow --replace ${await short('escrow')}=keys/escrow.pub`,
      "delegation add bundles --path 'bundles/*/*' --key keys/timestamp.pub",
      'delegation bins 16 --key keys/timestamp.pub',
    ]) {
      expect([line, ...(await refusal(line))]).toEqual([line, 6, 'KEY_REVOKED']);
    }
    await session.ok("delegation add bundles --path 'bundles/*/*' --key keys/other.pub");
    expect(await refusal('delegation change bundles --add keys/timestamp.pub')).toEqual([6, 'KEY_REVOKED']);
    expect((await session.run('role change targets --add keys/timestamp.pub')).stderr).toMatch(
      /hint: .*--allow-revoked/,
    );
  });

  test('with --allow-revoked, which takes the revocation back', async () => {
    await session.ok(`sign ${ROLES} ${ALL}`);
    await revoke('timestamp');
    const line = `role change timestamp --replace ${await short('timestamp')}=keys/timestamp.pub --allow-revoked`;
    await session.ok(`${line} --dry-run`);
    expect(await session.ok('status')).toContain('revoked key');
    await session.ok(line);
    expect((await session.json('status')).result).toMatchObject({ revoked: [], due: [] });
    expect(await session.ok('log')).toMatch(/staged keys of timestamp: [0-9a-f]{64} came back and no longer counts as/);
    expect(await session.ok('renew --within 2d --key keys/timestamp.key')).not.toContain('warning');
    await packaging();
    await revoke('packaging');
    const change = `delegation change bundles --replace ${await short('packaging')}=keys/packaging.pub`;
    expect(await refusal(change)).toEqual([6, 'KEY_REVOKED']);
    await session.ok(`${change} --allow-revoked`);
    expect((await session.json('status')).result).toMatchObject({ revoked: [] });
  });
});

describe('the key of a delegated role', () => {
  test('is replaced in its delegator: no root changes, and the keys in force sign', async () => {
    await packaging();
    await session.ok('package release.yaml --key keys/packaging.key --out bundles');
    const { stdout, status } = await session.run(`key revoke ${await short('packaging')} --reason lost`);
    expect(status).toBe(6);
    expect(stdout).not.toContain('root 2');
    expect(stdout).toMatch(/sign targets --key \.\.\.\n {4}1 of 1 classical keys of root 1: targets \(/);
    expect(stdout).toMatch(/sign bundles --key \.\.\.\n {4}1 of 1 classical keys of targets 2: NEW\.pub\n/);
    expect(stdout).toMatch(/sign snapshot --key \.\.\.\n {4}1 of 1 classical keys of root 1: snapshot \(/);
    expect(stdout).toMatch(/sign timestamp --key \.\.\.\n {4}1 of 1 classical keys of root 1: timestamp \(/);
    expect(stdout).toContain(
      `note: bundles of r1 that this key signed no longer verify once this is signed: build them again with ${REISSUE}`,
    );
    const command = `delegation change bundles --replace ${await short('packaging')}`;
    expect(await session.ok('status')).toContain(`NEEDS A REPLACEMENT: \`secureev ${command}=NEW.pub\``);
    const again = await session.ok('package release.yaml --reissue r1 --key keys/packaging.key --out again');
    expect(again).toContain('warning: bundles of bundles: signed by a revoked key, packaging (');
    expect(await session.ok(`${command}=keys/packaging-2.pub`)).toContain(`note: bundles of r1 that this key signed`);
    await session.ok(`sign ${ROLES} bundles ${ALL} --key keys/packaging-2.key`);
    expect((await session.json('status')).result).toMatchObject({ revoked: [] });
  });

  test('signed no bundles that are known of: nothing is said of them', async () => {
    await packaging();
    const { result } = await revoke('packaging');
    expect(String(result?.['notes'])).not.toContain('bundles');
    const change = `delegation change bundles --replace ${await short('packaging')}=keys/packaging-2.pub`;
    expect((await session.json(change)).result).toMatchObject({ notes: [] });
  });
});

test('role change tells of bundles where the role lists some and a key goes', async () => {
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  await keygen('targets-2');
  expect((await session.json('role change targets --add keys/targets-2.pub')).result).toMatchObject({ notes: [] });
  const text = await session.ok(`role change targets --remove ${await short('targets')}`);
  expect(text).toMatch(/^note: bundles of r1 that this key signed no longer verify once this is signed: .*--reissue/m);
  const other = `role change snapshot --replace ${await short('snapshot')}=keys/targets-2.pub`;
  expect((await session.json(other)).result).toMatchObject({ notes: [] });
});

test("the Director's online key signs no bundles; what it signs from now on is told", async () => {
  const vin = '5YJ3E1EA0KF000316';
  await keygen('d-root', 'director');
  await session.ok('role set director/root --key keys/d-root.pub');
  for (const role of ROLES.split(' ')) await session.ok(`role set director/${role} --key keys/director.pub`);
  await session.ok('sign director/root --key keys/d-root.key');
  await session.ok(`vehicle add ${vin} --model EV-1`);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  const { result } = await revoke('director');
  expect(String(result?.['notes'])).not.toContain('bundles');
  const signed = await session.ok(`sign director --vehicle ${vin} --key keys/director.key`);
  expect(signed).toMatch(/1 vehicle signed.*\nwarning: director: signed by a revoked key, director \(/);
  const renewed = await session.json('renew director --within 2d --key keys/director.key --dry-run');
  expect(renewed.result).toMatchObject({ director: { vehicles: 1, warnings: [expect.stringContaining('revoked')] } });
  const { status, result: where } = await session.json('status --within 1h');
  expect(status).toBe(6);
  expect(where?.['due']).toEqual(['director/targets', 'director/snapshot', 'director/timestamp']);
});

test('signatures of a revoked key that come over the air gap are told', async () => {
  await session.ok('package release.yaml --incomplete --out bundles');
  await session.ok('request create bundle bundles/ZG_BODY.otap -o bundle.sigreq');
  await session.ok('request create targets -o targets.sigreq');
  const offline = '--root trust/root.json --key keys/targets.key --yes --journal journal';
  for (const name of ['bundle', 'targets']) await session.ok(`request sign ${name}.sigreq ${offline} -o ${name}.sig`);
  await revoke('targets');
  const { result } = await session.json('request import bundle.sig targets.sig --bundle bundles/ZG_BODY.otap');
  expect(result?.['warnings']).toMatchObject([
    expect.stringMatching(/^targets: signed by a revoked key, targets \(/),
    expect.stringMatching(/^bundles\/r1\/ZG_BODY\.otap: signed by a revoked key, targets \(/),
  ]);
});
