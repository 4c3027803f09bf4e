/** `verify repository` over a folder and over HTTP, against a repository that can be told to misbehave. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import { targetFileName } from '../trust/file-names.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { serveFolder } from '../testing/static-server.ts';
import type { StaticServer } from '../testing/static-server.ts';

const BRAKE = 'EV-1/BRAKE/1.0/brake.bin';
const CONTENT = 'brake firmware 1.0';
const TRUST = '--root root.json --state state';

let session: CliSession;
let server: StaticServer;
let simulator: Simulator;
beforeEach(async () => {
  session = await cliSession();
  simulator = simulateRepository();
  await session.write('root.json', simulator.files.get('1.root.json') ?? '');
  await lay();
  server = await serveFolder(session.path('public'));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await session[Symbol.asyncDispose]();
});

/** Publishes the simulator's tree. */
async function lay(): Promise<void> {
  await rm(session.path('public/metadata'), { recursive: true, force: true });
  for (const [name, bytes] of simulator.files) await session.write(`public/metadata/${name}`, bytes);
  await session.write(wire(), CONTENT);
}

/** Where the target lies in the tree. */
function wire(): string {
  const target = simulator.bodies.targets.targets.get(parseTargetName(BRAKE));
  if (target === undefined) throw new Error('no target');
  return `public/targets/${targetFileName(BRAKE, target, true)}`;
}

/** Exit status and code of a run, and the outcome of each check. */
async function verify(line: string) {
  const { status, error, result } = await session.json(`verify repository ${line}`);
  const checks = (result?.['checks'] ?? []) as { id: string; status: string; code?: string }[];
  const outcomes = Object.fromEntries(checks.map((check) => [check.id, check.code ?? check.status]));
  return { status, code: error?.code ?? 'none', checks: outcomes, result };
}

async function stateFiles(): Promise<readonly string[]> {
  return (await readdir(session.path('state'))).sort();
}

const GOOD = { metadata: 'pass', expiry: 'pass', hybrid: 'pass' };

describe.each(['a folder', 'a URL'])('%s', (kind) => {
  const place = (): string => (kind === 'a URL' ? server.url : 'public');

  test('U29 U30: is verified up to Targets, and the state is what was received, one file a role', async () => {
    const { status, code, checks } = await verify(`${place()} ${TRUST}`);
    expect({ status, code, checks }).toEqual({ status: 0, code: 'none', checks: GOOD });
    expect(await stateFiles()).toEqual(['root.json', 'snapshot.json', 'targets.json', 'timestamp.json']);
    for (const [role, file] of [
      ['root', '1.root.json'],
      ['targets', '1.targets.json'],
      ['timestamp', 'timestamp.json'],
    ]) {
      expect([...(await session.read(`state/${role}.json`))]).toEqual([...(simulator.files.get(file ?? '') ?? [])]);
    }
  });

  test('a verified target lands under its name, and a good one is not fetched again', async () => {
    const line = `${place()} ${TRUST} --target ${BRAKE} --out got`;
    const first = await verify(line);
    expect(first.checks).toEqual({ ...GOOD, 'target-listed': 'pass', 'target-content': 'pass' });
    expect(first.result?.['target']).toEqual({ name: BRAKE, path: `got/${BRAKE}`, fetched: true });
    expect(await readFile(session.path(`got/${BRAKE}`), 'utf8')).toBe(CONTENT);
    const before = await stat(session.path(`got/${BRAKE}`));
    await rm(session.path(wire()));
    const second = await verify(line);
    expect(second.result?.['target']).toEqual({ name: BRAKE, path: `got/${BRAKE}`, fetched: false });
    expect((await stat(session.path(`got/${BRAKE}`))).ino).toBe(before.ino);
  });

  test.each([
    ['other bytes of the same length', 'brake firmware 6.6', 'TRUST_ARBITRARY_SOFTWARE'],
    ['fewer bytes', 'brake', 'TRUST_ARBITRARY_SOFTWARE'],
    ['more bytes', `${CONTENT}, and then some`, 'TRUST_ENDLESS_DATA'],
  ])('a target of %s is refused and leaves nothing, or what was there', async (_, content, expected) => {
    await session.write(wire(), content);
    const { status, code, checks } = await verify(`${place()} ${TRUST} --target ${BRAKE} --out got`);
    expect({ status, code, listed: checks['target-listed'], content: checks['target-content'] }).toEqual({
      status: 3,
      code: expected,
      listed: 'pass',
      content: expected,
    });
    await expect(readdir(session.path('got'))).rejects.toThrow('ENOENT');
    await session.write(`got/${BRAKE}`, 'the one before');
    await verify(`${place()} ${TRUST} --target ${BRAKE} --out got`);
    expect(await readdir(session.path('got/EV-1/BRAKE/1.0'))).toEqual(['brake.bin']);
    expect(await readFile(session.path(`got/${BRAKE}`), 'utf8')).toBe('the one before');
  });

  test('without --state it is seen for the first time, and nothing is kept', async () => {
    const { status, checks } = await verify(`${place()} --root root.json --target ${BRAKE} --out got`);
    expect({ status, checks }).toEqual({
      status: 0,
      checks: { ...GOOD, 'target-listed': 'pass', 'target-content': 'pass' },
    });
    expect((await readdir(session.path('.'))).sort()).toEqual(['got', 'public', 'root.json']);
  });

  test('a target that nobody lists, or that is listed but not there', async () => {
    expect((await verify(`${place()} ${TRUST} --target none.bin`)).code).toBe('TRUST_TARGET_NOT_FOUND');
    expect((await verify(`${place()} ${TRUST} --target bundles/1.0/ZG.otap`)).code).toBe('TRUST_FILE_MISSING');
  });

  test('U31: an older tree than the one seen is a rollback, and the state stays', async () => {
    const old = simulator.files.get('timestamp.json') ?? new Uint8Array();
    simulator.publish();
    await lay();
    await verify(`${place()} ${TRUST}`);
    const seen = await session.read('state/timestamp.json');
    await session.write('public/metadata/timestamp.json', old);
    expect(await verify(`${place()} ${TRUST}`)).toMatchObject({ status: 3, code: 'TRUST_ROLLBACK' });
    expect(await session.read('state/timestamp.json')).toEqual(seen);
  });

  test('a rotated root is walked to, stored, and where the next run begins', async () => {
    simulator.rotate('root');
    simulator.publishRoot();
    await lay();
    expect((await verify(`${place()} ${TRUST}`)).result?.['roles']).toMatchObject({ root: 2 });
    expect([...(await session.read('state/root.json'))]).toEqual([...(simulator.files.get('2.root.json') ?? [])]);
    await rm(session.path('public/metadata/2.root.json'));
    expect((await verify(`${place()} ${TRUST}`)).result?.['roles']).toMatchObject({ root: 2 });
  });

  test('what was verified before a refusal is kept: the root and the Timestamp, not the Snapshot', async () => {
    await rm(session.path('public/metadata/1.snapshot.json'));
    expect((await verify(`${place()} ${TRUST}`)).checks).toMatchObject({ metadata: 'TRUST_FILE_MISSING' });
    expect(await stateFiles()).toEqual(['root.json', 'timestamp.json']);
  });

  test('expired metadata, and classical metadata where hybrid is demanded', async () => {
    expect((await verify(`${place()} ${TRUST} --at 2099-01-01T00:00:00Z`)).checks).toMatchObject({
      expiry: 'TRUST_EXPIRED',
    });
    expect((await verify(`${place()} ${TRUST} --require-hybrid`)).checks).toMatchObject({
      hybrid: 'TRUST_HYBRID_MISSING',
    });
  });

  test('delegated roles are kept too, and lead to their targets', async () => {
    simulator.delegate('targets', { name: 'brakes', paths: ['EV-2/*'] });
    simulator.addTarget('EV-2/pads.bin', 'pads', 'brakes');
    simulator.publish();
    await lay();
    const { checks } = await verify(`${place()} ${TRUST} --target EV-2/pads.bin`);
    expect(checks).toMatchObject({ 'target-listed': 'pass', 'target-content': 'TRUST_FILE_MISSING' });
    expect(await stateFiles()).toContain('brakes.json');
  });
});

test('a folder whose delegated role has a name that is no file name: stored percent-encoded', async () => {
  simulator.delegate('targets', { name: '../a?#', paths: ['EV-2/*'] });
  simulator.addTarget('EV-2/pads.bin', 'pads', '../a?#');
  simulator.publish();
  await lay();
  expect((await verify(`public ${TRUST} --target EV-2/pads.bin`)).checks).toMatchObject({ 'target-listed': 'pass' });
  expect(await stateFiles()).toContain('..%2Fa%3F%23.json');
});

test('the root must not come from the tree; --out needs --target', async () => {
  await session.write('public/root.json', simulator.files.get('1.root.json') ?? '');
  expect((await verify('public --root public/root.json --state state')).code).toBe('ROOT_INSIDE_TREE');
  expect((await verify(`public ${TRUST} --out got`)).code).toBe('USAGE');
});

test('the checks are written as JUnit XML, too', async () => {
  await session.ok(`verify repository public ${TRUST} --junit checks.xml`);
  expect(await readFile(session.path('checks.xml'), 'utf8')).toContain('name="metadata"');
});

test('--lint tells what should not be so, and is no refusal', async () => {
  simulator.delegate('targets', { name: 'brakes' });
  simulator.publish();
  await lay();
  expect(await verify(`public ${TRUST} --lint`)).toMatchObject({ status: 0, checks: { delegations: 'pass' } });
  simulator.edit('targets', ({ targets }) => ({
    targets: new Map([...targets].map(([name, target]) => [name, { ...target, custom: undefined }])),
  }));
  simulator.publish();
  await lay();
  const { status, code, checks, result } = await verify(`public ${TRUST} --lint`);
  expect({ status, code }).toEqual({ status: 6, code: 'LINT_FOUND' });
  expect(checks).toMatchObject({ metadata: 'pass', 'lint-targets': 'LINT_FOUND', 'lint-sizes': 'pass' });
  expect(result).toMatchObject({ verified: true, lint: [{ role: 'targets' }, { role: 'targets' }] });
  await rm(session.path('state/brakes.json'));
  await rm(session.path('public/metadata/2.brakes.json'));
  const refused = await verify(`public ${TRUST} --lint`);
  expect(refused).toMatchObject({
    status: 3,
    code: 'TRUST_FILE_MISSING',
    checks: { delegations: 'TRUST_FILE_MISSING' },
  });
});

describe('a hostile server', () => {
  test('that never stops sending is cut off at the limit of the file', async () => {
    let sent = 0;
    await using endless = await hostile((write) => {
      sent += 65_536;
      return write(Buffer.alloc(65_536, 0x20));
    });
    expect(await verify(`${endless.url} ${TRUST}`)).toMatchObject({ status: 3, code: 'TRUST_ENDLESS_DATA' });
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('that is not there is a fault of the environment, not a verdict', async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    expect(await verify(`${url} ${TRUST}`)).toMatchObject({ status: 5, code: 'HTTP_FAILED' });
    server = await serveFolder(session.path('public'));
  });
});

/** A server that answers every request without a length, with what `next` writes for as long as it may. */
async function hostile(next: (write: (bytes: Buffer) => boolean) => boolean) {
  const running = createServer((_, response) => {
    response.writeHead(200);
    const pump = (): void => {
      while (!response.destroyed && next((bytes) => response.write(bytes)));
    };
    response.on('drain', pump);
    pump();
  });
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(running.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      running.closeAllConnections();
      await new Promise((resolve) => running.close(resolve));
    },
  };
}
