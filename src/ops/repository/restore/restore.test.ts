import { execFileSync } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../crypto/hash.ts';
import { decodeManifest, encodeManifest } from '../../../formats/backup/manifest.ts';
import { encodeTarHeader, tarPadding } from '../../../formats/backup/tar.ts';
import { findAudit } from '../../../store/audit.ts';
import { openRepository } from '../../../store/repository.ts';
import { findRole } from '../../../store/roles.ts';
import { failing } from '../../../testing/faults.ts';
import {
  backup,
  codeOf,
  lostAfterBackup,
  publish,
  restore,
  secondRelease,
  takeItsPlace,
} from '../../../testing/lost-repository.ts';

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

describe('restore refuses', () => {
  test('the tree of another repository, a root that is not the backup’s, and a folder in use', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    await using other = await lostAfterBackup(secondRelease, { now: '2027-01-01T00:00:00Z' });
    const foreign = `${other.folder}/public`;
    expect(await codeOf(restore(repository, { published: foreign }))).toBe('RESTORE_OTHER');
    expect(await codeOf(restore(repository, { root: `${other.folder}/pinned.json` }))).toBe('RESTORE_OTHER');
    expect(await codeOf(restore(repository, { published: 'nowhere' }))).toBe('TRUST_FILE_MISSING');
    expect(await codeOf(restore(repository, { folder: 'a/b/new', published: 'nowhere' }))).toBe('TRUST_FILE_MISSING');
    expect(await repository.io.files.status('a')).toBeUndefined();
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

  test('a backup whose database was changed, though all its hashes fit', async () => {
    await using repository = await lostAfterBackup(async () => undefined);
    const changes: readonly (readonly [string, string])[] = [
      ['BACKUP_DAMAGED', 'CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM vehicles; END'],
      ['BACKUP_DAMAGED', "UPDATE settings SET value = 'ffffffff-ffff-4fff-8fff-ffffffffffff' WHERE name = 'uuid'"],
      ['AUDIT_BROKEN', `DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'x' WHERE position = 2; ${GUARD}`],
      [
        'AUDIT_BROKEN',
        `DROP TRIGGER audit_no_delete; DELETE FROM audit_subjects; DELETE FROM audit WHERE position = 2; ${GUARD_2}`,
      ],
    ];
    for (const [code, sql] of changes) {
      await forgeBackup(`${repository.folder}/oem.tar`, `${repository.folder}/forged.tar`, sql);
      expect(
        await codeOf(restore(repository, { backup: 'forged.tar', published: undefined, allowOlderTree: true })),
      ).toBe(code);
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

const GUARD =
  "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END";
const GUARD_2 =
  "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END";

/** The same backup around another database, as someone who can write files makes it. */
async function forgeBackup(from: string, to: string, sql: string): Promise<void> {
  const whole = await readFile(from);
  const size = (at: number): number => Number.parseInt(whole.subarray(at + 124, at + 135).toString(), 8);
  const manifest = decodeManifest(whole.subarray(512, 512 + size(0)));
  const at = 512 + size(0) + tarPadding(size(0));
  await writeFile(`${to}.db`, whole.subarray(at + 512, at + 512 + size(at)));
  const database = new Database(`${to}.db`);
  database.pragma('foreign_keys = OFF');
  database.exec(sql);
  database.exec('VACUUM');
  database.close();
  const content = await readFile(`${to}.db`);
  const forged = { ...manifest, database: { sizeBytes: content.length, sha256: sha256('native', content) } };
  const parts = [
    ['backup.json', encodeManifest(forged)],
    ['repo.db', content],
  ] as const;
  const blocks = parts.flatMap(([name, bytes]) => [
    encodeTarHeader({ name, sizeBytes: bytes.length, modified: manifest.created }),
    bytes,
    new Uint8Array(tarPadding(bytes.length)),
  ]);
  await writeFile(to, Buffer.concat([...blocks, whole.subarray(at + 512 + size(at) + tarPadding(size(at)))]));
}
