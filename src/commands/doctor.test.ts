import { describe, expect, test } from 'vitest';
import type { Io } from '../core/ports.ts';
import { cliSession, runCli } from '../testing/run-cli.ts';

const online = (io: Io): Io => ({
  ...io,
  environment: { ...io.environment, get: io.environment.get, actor: '', job: '', networkInterfaces: () => ['eth0'] },
});

describe('doctor', () => {
  test('finds a machine fit, each algorithm giving its known answer by both engines', async () => {
    const { status, stdout } = await runCli('doctor');
    expect(stdout).toMatch(/pass {2}known answers of every algorithm +15 algorithms, noble and native/);
    expect(stdout).toMatch(/8 checks passed\n$/);
    expect(status).toBe(0);
  });

  test('tells a clock that is wrong, a random source that is stuck, and a network where there should be none', async () => {
    await using session = await cliSession({ now: '1999-12-31T23:59:59Z' });
    const stuck = (io: Io): Io => ({ ...online(io), random: { bytes: (count) => new Uint8Array(count) } });
    const { status, ok, error, result } = await session.json('doctor --offline', { adapt: stuck });
    expect({ status, ok, code: error?.code }).toEqual({ status: 5, ok: false, code: 'MACHINE_UNFIT' });
    const checks = (result?.['checks'] ?? []) as readonly { id: string; status: string }[];
    const failed = checks.filter((check) => check.status === 'fail');
    expect(failed.map(({ id }) => id)).toEqual(['entropy', 'clock', 'interfaces']);
  });

  test('takes a network as given unless asked', async () => {
    const { status, stdout } = await runCli('doctor', { adapt: online });
    expect(stdout).toContain('online: eth0');
    expect(status).toBe(0);
  });
});

describe('completion', () => {
  test('knows every command and its flags', async () => {
    const { status, stdout } = await runCli('completion bash');
    expect(status).toBe(0);
    expect(stdout).toMatch(/"doctor"\) echo ".*--offline --help"/);
  });

  test('of an unknown shell is a usage error', async () => {
    const { status, stderr } = await runCli('completion tcsh');
    expect(status).toBe(2);
    expect(stderr).toMatch(/'tcsh' is invalid.*bash, zsh, fish/);
  });
});
