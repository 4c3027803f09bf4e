/** The program as a process: the oldest Node it starts on, signals, warnings, broken pipes. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/secureev.js', import.meta.url));
const SLOW = fileURLToPath(new URL('./testing/slow-program.ts', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secureev-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function secureev(args: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof spawnSync> {
  const cache = { XDG_CACHE_HOME: join(folder, 'cache') };
  return spawnSync(process.execPath, [BIN, ...args], { cwd: folder, env: { ...cache, ...env }, encoding: 'utf8' });
}

describe('bin/secureev.js', () => {
  test('says on an older Node what it needs, in one line, before anything is loaded', () => {
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); import(${JSON.stringify(BIN)})`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', pretend], { encoding: 'utf8' });
    expect(stderr).toBe('secureev: error [NODE_TOO_OLD]: needs Node 22.12 or newer, this is Node 20.20.2\n');
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
  });

  test('can be read by Nodes that know neither modules nor newer syntax', () => {
    const source = readFileSync(BIN, 'utf8').replace(/^#!.*/, '');
    expect(() => new Script(source)).not.toThrow();
    expect(source).not.toMatch(/\?\.|\?\?|\bawait\b|\basync\b|^import /m);
  });

  test('runs what was built, and keeps compiled code in the user’s own cache', () => {
    expect(existsSync(new URL('../dist/main.js', import.meta.url)), 'npm run build comes first').toBe(true);
    const { status, stdout, stderr } = secureev(['--version']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(readdirSync(join(folder, 'cache'))).toEqual(['secureev']);
  });

  test('lets no warning about new primitives reach the user', () => {
    const { status, stderr } = secureev(['doctor']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('sets the exit status of a mistake', () => {
    expect(secureev(['docter'])).toMatchObject({ status: 2, stdout: '' });
  });

  test('does not mind a reader that has gone', () => {
    const line = `"${process.execPath}" "${BIN}" completion bash; echo "status $?" >&2`;
    const { stderr } = spawnSync('bash', ['-c', `{ ${line}; } | true`], { encoding: 'utf8', cwd: folder });
    expect(stderr).toBe('status 0\n');
  });
});

describe('signals', () => {
  async function started(...args: readonly string[]): Promise<ReturnType<typeof spawn>> {
    const child = spawn(process.execPath, [SLOW, 'slow', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.stdout !== null) await once(child.stdout, 'data');
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.secureev-[0-9a-f]{32}\.tmp$/)]);
    return child;
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends with 130 and leaves no file', async (signal) => {
    const child = await started();
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a second Ctrl-C ends at once what does not heed the first, and leaves no file', async () => {
    const child = await started('stubborn');
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
