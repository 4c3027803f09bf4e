import { execFileSync } from 'node:child_process';
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../../core/errors.ts';
import type { Io } from '../../../core/ports.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { findAudit } from '../../../store/audit.ts';
import { openRepository } from '../../../store/repository.ts';
import { findRole } from '../../../store/roles.ts';
import { failing } from '../../../testing/faults.ts';
import { ONLINE, repositoryWithRoot } from '../../../testing/signed-repository.ts';
import type { TestRepository, TestRepositorySetup } from '../../../testing/signed-repository.ts';
import { serveFolder } from '../../../testing/static-server.ts';
import { createHttp, HTTP_LIMITS } from '../../../io/http.ts';
import { verifyLog } from '../../report/verify-log.ts';
import { backUp } from '../backup.ts';
import { publishImage } from '../publish-image.ts';
import { changeRole } from '../role-change.ts';
import { exportRoot } from '../root-export.ts';
import { verifyRepository } from '../verify-repository.ts';
import { restoreRepository } from './restore.ts';
import type { RestoreAnswer, RestoreInput } from './restore.ts';

const BMS = 'EV-1/BMS/1.0/bms.bin';
const MCU = 'EV-1/MCU/1.0/mcu.bin';
const GW = 'EV-1/GW/1.0/gw.bin';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

async function publish(repository: TestRepository, folder = 'public'): Promise<readonly string[]> {
  return (await publishImage({ repository: repository.choice, folder }, repository.io)).written;
}

function backup(repository: TestRepository, out = 'oem.tar', io: Io = repository.io): ReturnType<typeof backUp> {
  return backUp({ repository: repository.choice, out, overwrite: false }, io);
}

function restore(
  repository: TestRepository,
  given: Partial<RestoreInput> = {},
  io: Io = repository.io,
): Promise<RestoreAnswer> {
  const input = { backup: 'oem.tar', folder: 'new', published: 'public', root: undefined, dryRun: false };
  return restoreRepository({ ...input, ...given }, io);
}

/** One release in the backup, and what comes after it published too. */
async function lostAfterBackup(
  after: (repository: TestRepository) => Promise<void>,
  setup: TestRepositorySetup = {},
): Promise<TestRepository> {
  const repository = await repositoryWithRoot(setup);
  await repository.addImage(BMS, 1);
  await repository.sign(ONLINE, ONLINE);
  await publish(repository);
  await exportRoot(
    { repository: repository.choice, role: 'root', out: 'pinned.json', overwrite: false },
    repository.io,
  );
  await verify(repository);
  await backup(repository);
  await after(repository);
  return repository;
}

/** Moves the restored repository to where the lost one was. */
async function takeItsPlace(repository: TestRepository): Promise<void> {
  await rm(`${repository.folder}/oem`, { recursive: true });
  await cp(`${repository.folder}/new`, `${repository.folder}/oem`, { recursive: true });
}

/** As a vehicle that keeps what it trusts from call to call. */
async function verify(repository: TestRepository, target = BMS): Promise<string> {
  const { io } = repository;
  const { refusal } = await verifyRepository(
    {
      tree: 'public',
      root: 'pinned.json',
      state: 'car',
      now: io.clock.now(),
      requireHybrid: true,
      target: target as never,
      out: undefined,
      lint: false,
    },
    io,
  );
  return refusal === undefined ? 'good' : refusal.code;
}

async function secondRelease(repository: TestRepository): Promise<void> {
  await repository.addImage(MCU, 7);
  await repository.sign(ONLINE, ONLINE);
  await publish(repository);
}

async function replaceKey(repository: TestRepository, role: string, next: string): Promise<void> {
  await repository.key(next);
  const old = (await repository.key(role === 'root' ? 'root-a' : role)).keys[0]?.publicKey.keyId ?? '';
  const change = { repository: repository.choice, role, add: [], remove: [], replace: [{ old, file: `${next}.pub` }] };
  await changeRole(change, repository.io);
}

describe('backup', () => {
  test('is a tar that others read, for its owner alone, and comes back byte for byte', async () => {
    await using repository = await lostAfterBackup(async () => undefined);
    const path = `${repository.folder}/oem.tar`;
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const listed = execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).split('\n');
    expect(listed.slice(0, 2)).toEqual(['backup.json', 'repo.db']);
    expect(listed[2]).toMatch(/^objects\/[0-9a-f]{2}\/[0-9a-f]{64}$/);
    const answer = await restore(repository, { root: 'pinned.json' });
    expect(answer).toMatchObject({ taken: [], objects: 1, lostEntries: 0, withoutBytes: [] });
    expect(await readdir(`${repository.folder}/new`)).toEqual(['objects', 'repo.db']);
    expect((await stat(`${repository.folder}/new/repo.db`)).mode & 0o777).toBe(0o600);
    await takeItsPlace(repository);
    expect(await publish(repository)).toEqual([]);
    const entries = await repository.open((open) => findAudit(open, {}, 100));
    expect(entries.at(-1)).toMatchObject({ command: 'restore' });
  });

  test('leaves nothing after a fault at any call, and says when an object is not what it was', async () => {
    await using repository = await lostAfterBackup(async () => undefined);
    const before = (await readdir(`${repository.folder}/oem`)).toSorted();
    for (let failAt = 1; ; failAt++) {
      const faulty = failing(repository.io, failAt);
      const code = await codeOf(backup(repository, 'again.tar', faulty.io));
      if (code === 'nothing thrown') break;
      expect(code).toBe('DISK_FULL');
      expect(await repository.io.files.status('again.tar')).toBeUndefined();
    }
    const left = (await readdir(`${repository.folder}/oem`)).filter((name) => !/-(?:wal|shm)$/.test(name));
    // The one call that fails is the removal of the snapshot's name itself.
    expect(left.filter((name) => !before.includes(name)).length).toBeLessThanOrEqual(1);
    const [shelf = ''] = await readdir(`${repository.folder}/oem/objects`);
    const [name = ''] = await readdir(`${repository.folder}/oem/objects/${shelf}`);
    await writeFile(`${repository.folder}/oem/objects/${shelf}/${name}`, 'something else');
    expect(await codeOf(backup(repository, 'third.tar'))).toBe('OBJECT_DAMAGED');
    expect(await repository.io.files.status('third.tar')).toBeUndefined();
  });
});

describe('restore takes over what was published', () => {
  test('no number is given out twice, no release is lost, and vehicles follow', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    expect(await verify(repository, MCU)).toBe('good');
    const answer = await restore(repository);
    expect(answer.taken).toEqual([
      { role: 'targets', before: 1, version: 2 },
      { role: 'snapshot', before: 1, version: 2 },
      { role: 'timestamp', before: 1, version: 2 },
    ]);
    expect(answer).toMatchObject({ downloaded: 1, withoutBytes: [] });
    await takeItsPlace(repository);
    expect(await publish(repository)).toEqual([]);
    expect(await publish(repository, 'elsewhere')).toContain('metadata/timestamp.json');
    await repository.addImage(GW, 8);
    await repository.sign(ONLINE, ONLINE);
    const written = await publish(repository);
    expect(written.slice(1)).toEqual([
      'metadata/3.targets.json',
      'metadata/3.snapshot.json',
      'metadata/timestamp.json',
    ]);
    for (const target of [BMS, MCU, GW]) expect(await verify(repository, target)).toBe('good');
  });

  test('what waited for signatures in the backup is staged again, under a number of its own', async () => {
    await using repository = await repositoryWithRoot();
    await repository.addImage(BMS, 1);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    await exportRoot(
      { repository: repository.choice, role: 'root', out: 'pinned.json', overwrite: false },
      repository.io,
    );
    await replaceKey(repository, 'root', 'root-d');
    await repository.sign('root', 'root-b');
    await backup(repository);
    await repository.sign('root', 'root-c root-d');
    await replaceKey(repository, 'timestamp', 'timestamp-2');
    await repository.sign('root', 'root-b root-c');
    await repository.sign(ONLINE, `${ONLINE} timestamp-2`);
    await publish(repository);
    const { taken } = await restore(repository);
    expect(taken.map(({ role, version }) => `${role} ${version}`)).toEqual(['root 2', 'root 3', 'timestamp 2']);
    await takeItsPlace(repository);
    const root = await repository.open((open) => findRole(open, { repository: 'image', name: 'root' }));
    expect(root).toMatchObject({ completeVersion: 3, frozenVersion: null });
    const staged = await repository.open((open) => open.sql('SELECT count(*) AS n FROM staged').get());
    expect(staged).toEqual({ n: 0 });
    await replaceKey(repository, 'snapshot', 'snapshot-2');
    await repository.sign('root', 'root-b root-d');
    await repository.sign(ONLINE, 'targets snapshot-2 timestamp-2');
    await publish(repository);
    expect(await verify(repository)).toBe('good');
    const file = await readFile(`${repository.folder}/public/metadata/4.root.json`);
    expect(decodeRole(new Uint8Array(file), 'root').unverified.signed.version).toBe(4);
  });

  test('from a URL, and a target that the tree no longer has stays listed', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    const folder = `${repository.folder}/public/targets/EV-1/MCU/1.0`;
    await rm(folder, { recursive: true });
    await using server = await serveFolder(`${repository.folder}/public`);
    const signal = new AbortController().signal;
    const http = createHttp({ limits: HTTP_LIMITS, signal, elapsedMs: () => performance.now() });
    const answer = await restore(repository, { published: server.url }, { ...repository.io, http });
    expect(answer).toMatchObject({ downloaded: 0, withoutBytes: [MCU] });
    await takeItsPlace(repository);
    expect(await publish(repository)).toEqual([]);
  });

  test('an expired tree too, and says when it expired', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    repository.io.clock.advance(400 * 86_400);
    const { taken, timestampExpires } = await restore(repository);
    expect(taken).toHaveLength(3);
    expect(timestampExpires).toBeLessThan(repository.io.clock.now());
  });
});

describe('the log after a restore', () => {
  test('tells of the entries that are lost; whoever verifies must accept that', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    const { lostEntries } = await restore(repository);
    expect(lostEntries).toBeGreaterThan(0);
    await takeItsPlace(repository);
    await repository.addImage(GW, 8);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    const given = {
      repository: repository.choice,
      anchor: 'public',
      root: 'pinned.json',
      now: repository.io.clock.now(),
    };
    const strict = await verifyLog({ ...given, allowSkip: [] }, repository.io);
    expect(strict.checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'log-chain pass',
      'anchor-signatures pass',
      'log-anchor pass',
      'log-restores skip',
    ]);
    expect(strict.checks[3]?.detail).toMatch(/snapshot 2 signed, were lost in the restore of 2/);
    expect(strict.refusal?.code).toBe('CHECK_SKIPPED');
    const accepted = await verifyLog({ ...given, allowSkip: ['log-restores'] }, repository.io);
    expect(accepted.refusal).toBeUndefined();
  });

  test('a log that is shortened without a restore, or under the name of one, is still found', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    await restore(repository, { published: undefined });
    await takeItsPlace(repository);
    const given = {
      repository: repository.choice,
      anchor: 'public',
      root: 'pinned.json',
      now: repository.io.clock.now(),
    };
    const found = await verifyLog({ ...given, allowSkip: ['log-restores'] }, repository.io);
    expect(found.refusal?.code).toBe('AUDIT_REWRITTEN');
  });
});

describe('restore refuses', () => {
  test('the tree of another repository, a root that is not the backup’s, and a folder in use', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    await using other = await lostAfterBackup(secondRelease, { now: '2027-01-01T00:00:00Z' });
    const foreign = `${other.folder}/public`;
    expect(await codeOf(restore(repository, { published: foreign }))).toBe('RESTORE_OTHER');
    expect(await codeOf(restore(repository, { root: `${other.folder}/pinned.json` }))).toBe('RESTORE_OTHER');
    expect(await codeOf(restore(repository, { published: 'nowhere' }))).toBe('TRUST_FILE_MISSING');
    expect(await codeOf(restore(repository, { folder: 'oem' }))).toBe('REPOSITORY_EXISTS');
    expect(await codeOf(restore(repository, { folder: 'public' }))).toBe('RESTORE_OCCUPIED');
    expect(await repository.io.files.status('new')).toBeUndefined();
  });

  test('published metadata that nobody signed', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    const path = `${repository.folder}/public/metadata/timestamp.json`;
    await writeFile(path, (await readFile(path, 'utf8')).replace('"version":2', '"version":9'));
    expect(await codeOf(restore(repository))).toBe('TRUST_THRESHOLD');
    expect(await repository.io.files.status('new')).toBeUndefined();
  });

  test('a backup of which any byte was changed, that is cut short, or has more at its end; nothing is left behind', async () => {
    await using repository = await lostAfterBackup(async () => undefined);
    const whole = await readFile(`${repository.folder}/oem.tar`);
    const bad: readonly (readonly [string, Buffer])[] = [
      ['BACKUP_MALFORMED', Buffer.from('not a backup')],
      ['BACKUP_MALFORMED', Buffer.concat([whole, Buffer.alloc(512)])],
      ['BACKUP_DAMAGED', whole.subarray(0, whole.length - 512)],
      ['BACKUP_DAMAGED', whole.subarray(0, whole.length >> 1)],
      ['BACKUP_DAMAGED', changed(whole, whole.length - 1024 - 500)],
      ['BACKUP_DAMAGED', changed(whole, 4096)],
      ['BACKUP_MALFORMED', changed(whole, 130)],
      ['BACKUP_MALFORMED', changed(whole, 520)],
      ['BACKUP_MALFORMED', changed(whole, 1100)],
      ['BACKUP_MALFORMED', changed(whole, whole.length - 7)],
    ];
    for (const [code, bytes] of bad) {
      await writeFile(`${repository.folder}/bad.tar`, bytes);
      expect(await codeOf(restore(repository, { backup: 'bad.tar' }))).toBe(code);
      expect(await repository.io.files.status('new')).toBeUndefined();
    }
  });

  test('leaves nothing after a fault at any call, and nothing of a dry run', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    let failAt = 1;
    for (; ; failAt++) {
      const faulty = failing(repository.io, failAt);
      const code = await codeOf(restore(repository, {}, faulty.io));
      if (code === 'nothing thrown' && faulty.calls() < failAt) break;
      expect(code).toBe('DISK_FULL');
      expect(await repository.io.files.status('new')).toBeUndefined();
    }
    expect(failAt).toBeGreaterThan(20);
    using restored = await openRepository(repository.io, 'new');
    expect(findRole(restored, { repository: 'image', name: 'targets' })).toMatchObject({ completeVersion: 2 });
    await restore(repository, { folder: 'never', dryRun: true });
    expect(await repository.io.files.status('never')).toBeUndefined();
  });
});

function changed(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
