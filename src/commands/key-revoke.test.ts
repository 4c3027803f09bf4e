import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ENV = { SECUREEV_PASSPHRASE: 'correct horse battery staple', SECUREEV_REPO: 'oem' };
const VIN = '5YJ3E1EA0KF000316';
const REGISTRY = `model: EV-1
zonal_gateways:
  - id: ZG
    name: Gateway
    ecus:
      - { id: BMS, name: Battery, type: BMS, hardware: HW-1, current_version: 1.0.0 }
`;
let session: CliSession;

beforeAll(async () => {
  session = await cliSession({ env: ENV });
  await session.ok(['init', 'oem', '--name', 'Example Motors']);
  for (const name of ['root-a', 'root-b', 'root-c', 'online', 'timestamp', 'd-root', 'timestamp-2']) {
    await session.ok(`keygen ${name} --scheme ed25519 --out keys`);
  }
  for (const name of ['escrow', 'car']) await session.ok(`keygen ${name} --purpose encryption --out keys`);
  await session.ok('role set root --key keys/root-a.pub --key keys/root-b.pub --key keys/root-c.pub --threshold 2');
  for (const role of ['targets', 'snapshot']) await session.ok(`role set ${role} --key keys/online.pub`);
  for (const role of ['timestamp', 'escrow']) await session.ok(`role set ${role} --key keys/${role}.pub`);
  await session.ok('role set director/root --key keys/d-root.pub');
  await session.ok('sign root --key keys/root-a.key --key keys/root-b.key');
  await session.ok('sign targets snapshot timestamp --key keys/online.key --key keys/timestamp.key');
  await session.write('registry.yaml', REGISTRY);
  await session.ok('ecu import registry.yaml');
  await session.ok(`vehicle add ${VIN} --model EV-1 --encryption-key keys/car.pub`);
});
afterAll(async () => await session[Symbol.asyncDispose]());

const keyId = async (name: string): Promise<string> =>
  /[0-9a-f]{64}/.exec(fromUtf8(await session.read(`keys/${name}.pub`)))?.[0] ?? '';
const revoke = async (name: string, more: readonly string[] = []) =>
  await session.json(['key', 'revoke', (await keyId(name)).slice(0, 8), '--reason', 'laptop stolen', ...more]);
const stepsOf = (result: unknown): readonly string[] =>
  (result as { steps: { command: string }[] }).steps.map(({ command }) => command);

describe('key revoke', () => {
  test('takes a root key out where the others reach the threshold, and names old and new signers', async () => {
    const { status, result } = await revoke('root-c', ['--dry-run']);
    expect(status).toBe(0);
    expect(result).toMatchObject({ complete: true, uses: [{ where: 'root', outcome: 'removed' }] });
    expect(stepsOf(result)).toEqual(['secureev sign root --key ...', 'secureev publish image DIR']);
    const text = await session.ok(['key', 'revoke', await keyId('root-c'), '--reason', 'laptop stolen']);
    expect(text).toMatch(/revoked key root-c \(/);
    expect(text).toMatch(
      /2 of 2 classical keys of root 1: root-a \(.*\), root-b .*\n.*2 of 2 classical keys of root 2/,
    );
    expect(await session.ok('log')).toMatch(/revoked key .*laptop stolen.*root: removed/);
    expect((await revoke('root-c')).result).toMatchObject({ uses: [{ outcome: 'staged' }] });
  });

  test('asks for a replacement where the threshold needs the key, in every role that it serves', async () => {
    const { status, result } = await revoke('online');
    expect(status).toBe(6);
    expect(result).toMatchObject({
      complete: false,
      uses: [
        { where: 'targets', outcome: 'replace' },
        { where: 'snapshot', outcome: 'replace' },
      ],
    });
    expect(stepsOf(result)[0]).toMatch(/^secureev role change targets --replace [0-9a-f]{8}=NEW.pub$/);
    expect(stepsOf(result).slice(3)).toEqual([
      'secureev sign targets --key ...',
      'secureev sign snapshot --key ...',
      'secureev sign timestamp --key ...',
      'secureev publish image DIR',
    ]);
    const { steps, notes } = result as { steps: { quorums: { keys: unknown }[] }[]; notes: string[] };
    expect(steps[3]?.quorums).toMatchObject([{ authority: 'root 2', keys: [{ keyId: '', holder: 'NEW.pub' }] }]);
    // It signed no bundle: there is no release.
    expect(notes.join()).not.toContain('--reissue');
  });

  test('T4 a stolen Timestamp key: its steps, followed, recover from a fast-forward', async () => {
    const { result } = await revoke('timestamp');
    expect(JSON.stringify(result)).toContain('fast-forward recovery');
    const [replace = '', ...rest] = stepsOf(result).map((line) => line.replace('secureev ', ''));
    await session.ok(replace.replace('NEW.pub', 'keys/timestamp-2.pub'));
    expect(rest).toEqual(['sign root --key ...', 'sign timestamp --key ...', 'publish image DIR']);
    expect(await session.ok('sign root --key keys/root-a.key --key keys/root-b.key')).toMatch(/root 2: complete/);
    expect(await session.ok('sign timestamp --key keys/timestamp-2.key')).toMatch(/timestamp 2: complete/);
    await session.ok('publish image public');
    expect((await revoke('timestamp')).error?.code).toBe('KEY_UNKNOWN');
    expect((await revoke('root-c')).error?.code).toBe('KEY_UNKNOWN');
  });

  test('finds the roots of both repositories, the escrow and vehicles', async () => {
    expect((await revoke('d-root', ['--dry-run'])).result).toMatchObject({
      uses: [{ where: 'director/root', outcome: 'replace' }],
    });
    expect((await revoke('escrow')).result).toMatchObject({ uses: [{ where: 'escrow', outcome: 'replace' }] });
    expect((await revoke('car')).result).toMatchObject({ uses: [{ where: `vehicle ${VIN}`, outcome: 'removed' }] });
    expect(await session.ok(`vehicle show ${VIN}`)).toMatch(/laptop stolen/);
    expect((await revoke('car')).error?.code).toBe('KEY_UNKNOWN');
  });

  test('refuses what names no key or none of ours', async () => {
    const code = async (id: string, reason = 'why'): Promise<string | undefined> =>
      (await session.json(['key', 'revoke', id, '--reason', reason])).error?.code;
    expect(await code('abc')).toBe('USAGE');
    expect(await code('%00000000')).toBe('USAGE');
    expect(await code('0'.repeat(64))).toBe('KEY_UNKNOWN');
    expect(await code((await keyId('root-a')).slice(0, 12), ' ')).toBe('USAGE');
  });

  test('says so where the root in force cannot do without the key', async () => {
    const { result } = await revoke('root-a', ['--dry-run']);
    expect(result).toMatchObject({ uses: [{ where: 'root', outcome: 'replace' }] });
    expect(JSON.stringify(result)).toContain('it must sign once more');
    const text = (await session.run(['key', 'revoke', await keyId('root-a'), '--reason', 'lost', '--dry-run'])).stdout;
    expect(text).toMatch(
      /of root 2: root-a \(.*\), root-b \(.*\n.*2 of 2 classical keys of root 3: NEW\.pub, root-b \(/,
    );
  });
});
