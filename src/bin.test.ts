/** The program as a process: the oldest Node it starts on, signals, warnings, broken pipes. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/secureev.js', import.meta.url));
const PYTHON = '/usr/bin/python3';
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

  test('runs what was built', () => {
    expect(existsSync(new URL('../dist/main.js', import.meta.url)), 'npm run build comes first').toBe(true);
    const { status, stdout, stderr } = secureev(['--version']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
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

describe('compiled code', () => {
  const place = (): string => join(folder, 'cache', 'secureev', `${process.version}-${process.arch}`);
  const file = (): string => join(place(), 'completion.code');
  const run = (): string => {
    const { status, stdout, stderr } = secureev(['completion', 'bash']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return String(stdout);
  };

  test('is kept in the user’s own cache by a run that ends well, one file a command', () => {
    secureev(['--version']);
    secureev(['completion', '--help']);
    secureev(['completion', 'nosuchshell']);
    expect(existsSync(place())).toBe(false);
    const first = run();
    expect(readdirSync(place())).toEqual(['completion.code']);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const kept = readFileSync(file());
    expect(run()).toBe(first);
    expect(readFileSync(file())).toEqual(kept);
  });

  test('that is damaged is done without, and made anew', () => {
    const first = run();
    const kept = readFileSync(file());
    const flipped = (at: number): Buffer => Buffer.from(kept.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const damaged = [0, 40, kept.length >> 1, kept.length - 1].map(flipped);
    for (const bytes of [...damaged, kept.subarray(0, -1), kept.subarray(0, 35), Buffer.alloc(0), Buffer.alloc(100)]) {
      writeFileSync(file(), bytes);
      expect(run()).toBe(first);
      expect(readFileSync(file()).equals(bytes)).toBe(false);
    }
  });

  test('of other source is not taken, be it as long', () => {
    const first = run();
    const kept = readFileSync(file());
    const index = kept.toString('latin1', 36, 36 + kept.readUInt32LE(32));
    const digest = /"([0-9a-f]{64})"/.exec(index)?.[1] ?? '';
    const body = Buffer.from(kept.toString('latin1', 32).replace(digest, '0'.repeat(64)), 'latin1');
    writeFileSync(file(), Buffer.concat([createHash('sha256').update(body).digest(), body]));
    expect(run()).toBe(first);
    expect(readFileSync(file()).includes(digest)).toBe(true);
  });

  test.each([
    ['others may write to', () => chmodSync(join(folder, 'cache', 'secureev'), 0o777)],
    ['is a file', () => [rmSync(join(folder, 'cache'), { recursive: true }), writeFileSync(join(folder, 'cache'), '')]],
  ])('is neither read nor written where the folder %s', (_, change) => {
    mkdirSync(join(folder, 'cache', 'secureev'), { recursive: true });
    change();
    run();
    expect(existsSync(place())).toBe(false);
  });

  test('is not kept for ceremonies, nor where it is unwanted', () => {
    expect(secureev(['ceremony', 'verify', '--help'])).toMatchObject({ status: 0 });
    expect(secureev(['completion', 'bash'], { SECUREEV_CODE_CACHE: 'off' })).toMatchObject({ status: 0 });
    expect(existsSync(join(folder, 'cache'))).toBe(false);
  });
});

describe('standard output', () => {
  test.skipIf(!existsSync(PYTHON))('that does not wait, and is full at first, gets everything', () => {
    const script = `
import os, subprocess, sys, time
r, w = os.pipe()
os.set_blocking(w, False)
filled = os.write(w, b'x' * 65536)
child = subprocess.Popen(sys.argv[1:], stdout=w)
os.close(w)
time.sleep(0.5)
got = b''
while chunk := os.read(r, 65536): got += chunk
print(child.wait(), len(got) - filled)`;
    const { stdout } = secureev(['completion', 'bash']);
    const run = spawnSync(PYTHON, ['-c', script, process.execPath, BIN, 'completion', 'bash'], { encoding: 'utf8' });
    expect(run).toMatchObject({ stdout: `0 ${stdout.length}\n`, stderr: '' });
  });

  test('on a full device is an error', () => {
    const full = spawnSync('bash', ['-c', `"$1" "$2" --version > /dev/full`, 'bash', process.execPath, BIN], {
      encoding: 'utf8',
    });
    expect(full.status).toBe(5);
    expect(full.stderr).toMatch(/DISK_FULL.*standard output/);
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
