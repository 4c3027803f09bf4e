import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { findAudit } from '../../store/audit.ts';
import { stageTarget } from '../../store/targets.ts';
import { TRUST_LIMITS } from '../../trust/limits.ts';
import { nextRoot, pinRoot, requireFinalRoot } from '../../trust/root-chain.ts';
import { rootPolicy } from '../../trust/state.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { takeSnapshot, takeTargets, takeTimestamp } from '../../trust/steps.ts';
import { failing } from '../../testing/faults.ts';
import { ONLINE, repositoryWithRoot, testRepository } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { publishImage } from './publish-image.ts';
import type { PublishAnswer } from './publish-image.ts';
import { changeRole } from './role-change.ts';

const BMS = 'EV-1/BMS/1.0/bms.bin';
const DAY = 86_400;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

function publish(repository: TestRepository, folder = 'public', io: Io = repository.io): Promise<PublishAnswer> {
  return publishImage({ repository: repository.choice, folder }, io);
}

/** Updates from a tree as a client pinned to its first root; gives the version of Targets, and checks every target file. */
async function update(repository: TestRepository, folder = 'public'): Promise<number> {
  const at = (path: string): string => `${repository.folder}/${folder}/${path}`;
  const read = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(at(path)));
  const terms = {
    engine: 'native',
    now: repository.io.clock.now(),
    limits: TRUST_LIMITS,
    requireHybrid: true,
    kind: 'image',
    maxStalenessSeconds: 0,
  } as const;
  let set: TrustedSet = pinRoot(await read('metadata/1.root.json'), terms);
  for (let version = 2; ; version++) {
    const bytes = await read(`metadata/${version}.root.json`).catch(() => undefined);
    if (bytes === undefined) break;
    set = nextRoot(set, bytes);
  }
  requireFinalRoot(set);
  set = takeTimestamp(set, await read('metadata/timestamp.json'), undefined);
  const snapshot = set.timestamp?.verified.signed.snapshot.version ?? 0;
  set = takeSnapshot(set, await read(`metadata/${snapshot}.snapshot.json`), undefined);
  const version = set.snapshot?.verified.signed.meta.get('targets.json')?.version ?? 0;
  const policy = rootPolicy(set.root.verified.signed, 'targets');
  set = takeTargets(set, { role: 'targets', bytes: await read(`metadata/${version}.targets.json`), policy });
  for (const [name, target] of set.targets.get('targets')?.file.verified.signed.targets ?? []) {
    const sha256 = target.hashes.get('sha256') ?? '';
    const slash = name.lastIndexOf('/') + 1;
    const content = await read(`targets/${name.slice(0, slash)}${sha256}.${name.slice(slash)}`);
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  }
  return version;
}

async function released(): Promise<TestRepository> {
  const repository = await repositoryWithRoot();
  await repository.addImage(BMS, 1);
  await repository.sign(ONLINE, ONLINE);
  return repository;
}

describe('publish image', () => {
  test('U17 writes the consistent-snapshot tree, target files first and Timestamp last', async () => {
    await using repository = await released();
    const { written, versions, unchanged } = await publish(repository);
    expect(written).toEqual([
      expect.stringMatching(/^targets\/EV-1\/BMS\/1\.0\/[0-9a-f]{64}\.bms\.bin$/),
      'metadata/1.targets.json',
      'metadata/1.snapshot.json',
      'metadata/1.root.json',
      'metadata/timestamp.json',
    ]);
    expect(versions).toEqual({ root: 1, targets: 1, snapshot: 1, timestamp: 1 });
    expect(unchanged).toBe(0);
    expect(await update(repository)).toBe(1);
    const entries = await repository.open((open) => findAudit(open, { subject: 'role:timestamp' }, 10));
    expect(entries.at(-1)).toMatchObject({ command: 'publish image' });
  });

  test('writes only what changed, and the same again writes nothing', async () => {
    await using repository = await released();
    await publish(repository);
    expect(await publish(repository)).toMatchObject({ written: [], unchanged: 5 });
    repository.io.clock.advance(DAY / 2 + 60);
    await repository.renew('timestamp');
    expect(await publish(repository)).toMatchObject({ written: ['metadata/timestamp.json'] });
    expect(await update(repository)).toBe(1);
  });

  test('writes the upload list in upload order', async () => {
    await using repository = await released();
    const input = { repository: repository.choice, folder: 'public', uploadList: 'uploads.txt' };
    const { written } = await publishImage(input, repository.io);
    expect(await readFile(`${repository.folder}/uploads.txt`, 'utf8')).toBe(
      written.map((path) => `${path}\n`).join(''),
    );
  });

  test('a dry run writes nothing', async () => {
    await using repository = await released();
    const input = { repository: repository.choice, folder: 'public', dryRun: true };
    expect((await publishImage(input, repository.io)).written).toHaveLength(5);
    expect(await repository.io.files.status('public')).toBeUndefined();
  });

  test('publishes complete versions only, and says what is not in it', async () => {
    await using repository = await released();
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
    expect((await publish(repository)).notes).toEqual(['targets has staged changes that nobody signed yet']);
    await repository.sign('targets', 'targets');
    const behind = await publish(repository);
    expect(behind).toMatchObject({ written: [], versions: { targets: 1 } });
    expect(behind.notes).toEqual(['snapshot does not list the newest versions yet: sign it']);
    await using fresh = await repositoryWithRoot();
    expect(await codeOf(publish(fresh))).toBe('ROLE_NOT_COMPLETE');
  });

  test('refuses while the sealed payload of a confidential target is missing, and never writes its clear bytes', async () => {
    await using repository = await repositoryWithRoot();
    const content = await repository.addImage(BMS, 1);
    const sha256 = new Uint8Array(createHash('sha256').update(content).digest());
    const image = { name: parseTargetName(BMS), length: content.length, sha256, custom: {}, confidential: true };
    await repository.open((open) => open.transact({ command: 'test', summary: '' }, (tx) => stageTarget(tx, image)));
    await repository.sign(ONLINE, ONLINE);
    expect(await codeOf(publish(repository))).toBe('SEALED_MISSING');
    expect(await repository.io.files.status('public')).toBeUndefined();

    await repository.addImage(`${BMS}.sev`, 1);
    await repository.sign(ONLINE, ONLINE);
    const { written } = await publish(repository);
    expect(written.filter((path) => path.startsWith('targets/'))).toEqual([
      expect.stringMatching(/^targets\/EV-1\/BMS\/1\.0\/[0-9a-f]{64}\.bms\.bin\.sev$/),
    ]);
    const hex = Buffer.from(sha256).toString('hex');
    expect(await repository.io.files.status(`oem/objects/${hex.slice(0, 2)}/${hex}`)).toBeDefined();
  });

  test('an image inside a confidential bundle needs no sealed payload of its own', async () => {
    await using repository = await repositoryWithRoot();
    const image = {
      name: parseTargetName(BMS),
      length: 5,
      sha256: new Uint8Array(32).fill(5),
      custom: {},
      confidential: true,
      insideBundle: true,
    };
    await repository.open((open) => open.transact({ command: 'test', summary: '' }, (tx) => stageTarget(tx, image)));
    await repository.sign(ONLINE, ONLINE);
    expect((await publish(repository)).written.filter((path) => path.startsWith('targets/'))).toEqual([]);
  });

  test('keeps to what was signed when a target turns confidential later', async () => {
    await using repository = await released();
    await repository.addImage(BMS, 2, false);
    await repository.sign('targets', 'targets');
    expect((await publish(repository)).versions).toMatchObject({ targets: 1 });
    expect(await update(repository)).toBe(1);
  });

  test('refuses an object that is not what was signed, or is gone', async () => {
    await using repository = await released();
    const hash = createHash('sha256')
      .update(createHash('sha512').update(`${BMS}:1`).digest())
      .digest('hex');
    const object = `${repository.folder}/oem/objects/${hash.slice(0, 2)}/${hash}`;
    const content = await readFile(object);
    await writeFile(object, Buffer.from(content).fill(7));
    expect(await codeOf(publish(repository))).toBe('OBJECT_DAMAGED');
    expect(await repository.io.files.list('public/metadata')).toEqual([]);
    await repository.io.files.remove(object);
    expect(await codeOf(publish(repository))).toBe('OBJECT_MISSING');
  });

  test('refuses what clients would refuse', async () => {
    await using repository = await released();
    repository.io.clock.advance(2 * DAY);
    expect(await codeOf(publish(repository))).toBe('PUBLISH_REFUSED');
    await repository.renew('timestamp');
    await publish(repository);
    await rotate(repository, 'timestamp', 'timestamp-2');
    await repository.sign('root', 'root-a root-b');
    expect(await codeOf(publish(repository))).toBe('PUBLISH_REFUSED');
  });

  test('refuses a tree of another repository, or one newer than this database', async () => {
    await using repository = await released();
    await using other = await testRepository();
    await other.setKeys('root', ['other-root']);
    for (const role of ['targets', 'snapshot', 'timestamp']) await other.setKeys(role, [`other-${role}`]);
    await other.sign(`root ${ONLINE}`, 'other-root other-targets other-snapshot other-timestamp');
    await publish(repository);
    expect(await codeOf(publish(other, `${repository.folder}/public`))).toBe('PUBLISH_OTHER');

    const path = `${repository.folder}/public/metadata/timestamp.json`;
    const before = await readFile(path);
    repository.io.clock.advance(DAY / 2 + 60);
    await repository.renew('timestamp');
    await publish(repository);
    const newer = (await readFile(path, 'utf8')).replace('"version":2', '"version":3');
    await writeFile(path, newer);
    expect(await codeOf(publish(repository))).toBe('PUBLISH_NEWER');
    await writeFile(path, before);
    expect((await publish(repository)).written).toEqual(['metadata/timestamp.json']);
  });
});

async function rotate(repository: TestRepository, role: string, name: string): Promise<void> {
  await repository.key(name);
  const old = (await repository.key(role)).keys[0]?.publicKey.keyId ?? '';
  const change = { repository: repository.choice, role, add: [], remove: [], replace: [{ old, file: `${name}.pub` }] };
  await changeRole(change, repository.io);
}

describe('killed between any two files', () => {
  test('a publication leaves a tree that clients accept, and the next one completes it', async () => {
    await using repository = await released();
    await publish(repository);
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
    await repository.sign(ONLINE, ONLINE);
    let failAt = 1;
    for (; ; failAt++) {
      const folder = `public-${failAt}`;
      await copyTree(repository, 'public', folder);
      const faulty = failing(repository.io, failAt);
      const code = await codeOf(publish(repository, folder, faulty.io));
      expect([1, 2]).toContain(await update(repository, folder));
      if (code === 'nothing thrown' && faulty.calls() < failAt) break;
      await publish(repository, folder);
      expect(await update(repository, folder)).toBe(2);
    }
    expect(failAt).toBeGreaterThan(10);
  });

  test('so does one with a new root whose old keys signed beside the new ones', async () => {
    await using repository = await released();
    await publish(repository);
    await rotate(repository, 'timestamp', 'timestamp-2');
    await rotate(repository, 'snapshot', 'snapshot-2');
    await repository.sign('root', 'root-a root-b');
    await repository.sign(ONLINE, `${ONLINE} timestamp-2 snapshot-2`);
    const { written, notes } = await publish(repository, 'elsewhere');
    expect(written.at(-1)).toBe('metadata/timestamp.json');
    expect(notes).toEqual([]);
    let failAt = 1;
    for (; ; failAt++) {
      const folder = `public-${failAt}`;
      await copyTree(repository, 'public', folder);
      const faulty = failing(repository.io, failAt);
      const code = await codeOf(publish(repository, folder, faulty.io));
      expect(await update(repository, folder)).toBe(1);
      if (code === 'nothing thrown' && faulty.calls() < failAt) break;
    }
    const last = await publish(repository);
    expect(last.written).toEqual(['metadata/2.snapshot.json', 'metadata/timestamp.json', 'metadata/2.root.json']);
  });

  test('a rotation signed with new keys alone says that there is a moment in between', async () => {
    await using repository = await released();
    await publish(repository);
    await rotate(repository, 'timestamp', 'timestamp-2');
    await repository.sign('root', 'root-a root-b');
    await repository.sign(ONLINE, 'targets snapshot timestamp-2');
    const { written, notes } = await publish(repository);
    expect(written).toEqual(['metadata/2.root.json', 'metadata/timestamp.json']);
    expect(notes).toHaveLength(1);
    expect(await update(repository)).toBe(1);
  });
});

/** Copies a published tree. */
async function copyTree(repository: TestRepository, from: string, to: string): Promise<void> {
  const { files } = repository.io;
  for (const name of await files.list(from)) {
    if ((await files.status(`${from}/${name}`))?.kind === 'folder') {
      await copyTree(repository, `${from}/${name}`, `${to}/${name}`);
    } else await files.write(`${to}/${name}`, await files.read(`${from}/${name}`, 1 << 24));
  }
}

test('T3 a rotation of root keys alone needs no new Timestamp', async () => {
  await using repository = await released();
  await publish(repository);
  await repository.key('root-d');
  const old = (await repository.key('root-a')).keys[0]?.publicKey.keyId ?? '';
  const change = {
    repository: repository.choice,
    role: 'root',
    add: [],
    remove: [],
    replace: [{ old, file: 'root-d.pub' }],
  };
  await changeRole(change, repository.io);
  await repository.sign('root', 'root-a root-b root-d');
  expect((await publish(repository)).written).toEqual(['metadata/2.root.json']);
  const root = await repository.io.files.read('public/metadata/2.root.json', 1 << 20);
  expect(decodeRole(root, 'root').unverified.signed.version).toBe(2);
  expect(await update(repository)).toBe(1);
});
