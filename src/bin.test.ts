/** The program as a process: the oldest Node it starts on, signals, warnings, broken pipes. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
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
  const place = (): string => join(folder, 'cache', 'secureev');
  const kept = (): readonly string[] => {
    const isThere = existsSync(place()) && lstatSync(place()).isDirectory();
    const folders = isThere ? readdirSync(place()) : [];
    const found = folders.flatMap((name) => readdirSync(join(place(), name)).map((file) => join(name, file)));
    return found.filter((name) => name.endsWith('.code'));
  };
  const file = (): string => join(place(), kept()[0] ?? 'missing');
  const openFolder = (): string => {
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o777);
    return join(folder, 'open');
  };
  const run = (): string => {
    const { status, stdout, stderr } = secureev(['completion', 'bash']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return String(stdout);
  };

  test('is kept in the user’s own cache by a run that ends well, one file a command', () => {
    secureev(['--version']);
    secureev(['completion', '--help']);
    secureev(['completion', 'nosuchshell']);
    expect(kept()).toEqual([]);
    const first = run();
    expect(kept()).toEqual([expect.stringMatching(/^v[^/]+\/completion\.code$/)]);
    expect([place(), file()].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o600]);
    const bytes = readFileSync(file());
    expect(run()).toBe(first);
    expect(readFileSync(file()).equals(bytes)).toBe(true);
  });

  test('that is damaged is done without, and made anew', () => {
    const first = run();
    const good = readFileSync(file());
    const flipped = (at: number): Buffer => Buffer.from(good.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    const damaged = [0, 40, good.length >> 1, good.length - 1].map(flipped);
    for (const bytes of [...damaged, good.subarray(0, -1), good.subarray(0, 35), Buffer.alloc(0), Buffer.alloc(100)]) {
      writeFileSync(file(), bytes);
      expect(run()).toBe(first);
      expect(readFileSync(file()).equals(bytes)).toBe(false);
    }
  });

  test('of other source is not taken, be it as long', () => {
    const first = run();
    const good = readFileSync(file());
    const index = good.toString('latin1', 36, 36 + good.readUInt32LE(32));
    const digest = /"([0-9a-f]{64})"/.exec(index)?.[1] ?? '';
    const body = Buffer.from(good.toString('latin1', 32).replace(digest, '0'.repeat(64)), 'latin1');
    writeFileSync(file(), Buffer.concat([createHash('sha256').update(body).digest(), body]));
    expect(run()).toBe(first);
    expect(readFileSync(file()).includes(digest)).toBe(true);
  });

  test.each([
    ['it is open to others', () => chmodSync(place(), 0o777)],
    ['a folder above it is', () => chmodSync(join(folder, 'cache'), 0o777)],
    ['a folder in it is', () => [mkdirSync(join(place(), 'v1')), chmodSync(join(place(), 'v1'), 0o777)]],
    ['it is a file', () => [rmSync(place(), { recursive: true }), writeFileSync(place(), '')]],
    ['it leads to what is open', () => [rmSync(place(), { recursive: true }), symlinkSync(openFolder(), place())]],
  ])('is neither read nor written where %s', (_, change) => {
    run();
    const [name = ''] = kept();
    const bytes = readFileSync(file());
    change();
    run();
    expect(kept().filter((found) => found !== name)).toEqual([]);
    for (const still of kept()) expect(readFileSync(join(place(), still)).equals(bytes)).toBe(true);
    expect(existsSync(join(folder, 'open')) ? readdirSync(join(folder, 'open')) : []).toEqual([]);
  });

  test('is kept in an absolute place only, and the folder is made only where nobody else could make it', () => {
    secureev(['completion', 'bash'], { XDG_CACHE_HOME: 'cache' });
    expect(readdirSync(folder)).toEqual([]);
    secureev(['completion', 'bash'], { XDG_CACHE_HOME: join(openFolder(), 'cache') });
    expect(readdirSync(join(folder, 'open'))).toEqual([]);
  });

  test('is not kept for ceremonies, nor where it is unwanted', () => {
    expect(secureev(['ceremony', 'verify', '--help'])).toMatchObject({ status: 0 });
    expect(secureev(['completion', 'bash'], { SECUREEV_CODE_CACHE: 'off' })).toMatchObject({ status: 0 });
    expect(secureev(['completion', 'bash'], { NODE_DISABLE_COMPILE_CACHE: '1' })).toMatchObject({ status: 0 });
    expect(kept()).toEqual([]);
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
