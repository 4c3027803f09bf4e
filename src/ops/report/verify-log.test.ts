import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { instantOf } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import { auditEntryHash } from '../../formats/audit/entry.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { publishImage } from '../repository/publish-image.ts';
import { exportRoot } from '../repository/root-export.ts';
import { readLog } from './log.ts';
import { repositoryStatus } from './status.ts';
import { stagedChanges } from './diff.ts';
import { verifyLog } from './verify-log.ts';
import type { VerifyLogAnswer } from './verify-log.ts';

async function published(): Promise<TestRepository> {
  const repository = await repositoryWithRoot();
  const { choice, io } = repository;
  await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
  await repository.sign(ONLINE, ONLINE);
  await publishImage({ repository: choice, folder: 'public' }, io);
  await exportRoot({ repository: choice, role: 'root', out: 'trust/root.json', overwrite: false }, io);
  return repository;
}

function verify(repository: TestRepository, given: { anchor?: string; root?: string } = {}): Promise<VerifyLogAnswer> {
  const { anchor = 'public', root = 'trust/root.json' } = given;
  const now = repository.io.clock.now();
  return verifyLog({ repository: repository.choice, anchor, root, now, allowSkip: [] }, repository.io);
}

function statuses(answer: VerifyLogAnswer): readonly string[] {
  return answer.checks.map(({ id, status }) => `${id} ${status}`);
}

/** What someone with write access to the database can do: rewrite history, hashes and all. */
function forge(repository: TestRepository, change: (database: Database.Database) => void): void {
  const database = new Database(`${repository.folder}/oem/repo.db`);
  database.exec('DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; PRAGMA foreign_keys = OFF');
  change(database);
  let previous: Uint8Array = new Uint8Array(32);
  const rows = database.prepare<[], Record<string, string & number>>('SELECT * FROM audit ORDER BY position').all();
  for (const row of rows) {
    const { position = 0, actor = '', job = '', command = '', summary = '', time = 0, subjects = '[]' } = row;
    const listed = (JSON.parse(subjects as string) as unknown[]).map(String);
    const entry = { position, actor, job, command, summary, time: instantOf(time), subjects: listed };
    previous = auditEntryHash('native', entry, previous);
    database.prepare('UPDATE audit SET hash = ? WHERE position = ?').run(Buffer.from(previous), position);
  }
  database.close();
}

describe('verify log', () => {
  test('passes on an honest log, against the newest Snapshot and older ones', async () => {
    await using repository = await published();
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
    await repository.sign(ONLINE, ONLINE);
    await publishImage({ repository: repository.choice, folder: 'public' }, repository.io);
    const answer = await verify(repository);
    expect(statuses(answer)).toEqual([
      'log-chain pass',
      'anchor-signatures pass',
      'log-anchor pass',
      'log-restores pass',
    ]);
    expect(answer.checks[2]?.detail).toBe('2 published heads found');
    expect(answer.refusal).toBeUndefined();
    expect(statuses(await verify(repository, { anchor: 'public/metadata' }))).toEqual(statuses(answer));
  });

  test('finds an entry that was changed in place', async () => {
    await using repository = await published();
    const database = new Database(`${repository.folder}/oem/repo.db`);
    database.exec("DROP TRIGGER audit_no_update; UPDATE audit SET summary = 'nothing' WHERE position = 3");
    database.close();
    const answer = await verify(repository);
    expect(statuses(answer)).toEqual([
      'log-chain fail',
      'anchor-signatures pass',
      'log-anchor fail',
      'log-restores pass',
    ]);
    expect(answer.refusal?.code).toBe('AUDIT_BROKEN');
  });

  test('finds a log that was rewritten with all its hashes', async () => {
    await using repository = await published();
    forge(repository, (database) => database.exec("UPDATE audit SET actor = 'someone else' WHERE position = 2"));
    const answer = await verify(repository);
    expect(statuses(answer)).toEqual([
      'log-chain pass',
      'anchor-signatures pass',
      'log-anchor fail',
      'log-restores pass',
    ]);
    expect(answer.refusal?.code).toBe('AUDIT_REWRITTEN');
  });

  test('finds a log that was shortened', async () => {
    await using repository = await published();
    forge(repository, (database) => database.exec('DELETE FROM audit WHERE position > 3'));
    const answer = await verify(repository);
    expect(statuses(answer)).toEqual([
      'log-chain pass',
      'anchor-signatures pass',
      'log-anchor fail',
      'log-restores pass',
    ]);
  });

  test('refuses an anchor that the pinned root does not vouch for, and skips nothing silently', async () => {
    await using repository = await published();
    await using other = await repositoryWithRoot({ algorithms: ['ed25519'] });
    await exportRoot(
      { repository: other.choice, role: 'root', out: `${repository.folder}/other.json`, overwrite: false },
      other.io,
    );
    expect(statuses(await verify(repository, { root: 'other.json' }))).toEqual([
      'log-chain pass',
      'anchor-signatures fail',
      'log-anchor skip',
      'log-restores pass',
    ]);
    const inside = verify(repository, { root: 'public/metadata/1.root.json' });
    await expect(inside).rejects.toSatisfy((thrown) => isFailure(thrown, 'ROOT_INSIDE_TREE'));
    const now = repository.io.clock.now();
    const alone = { repository: repository.choice, now, allowSkip: [] };
    expect((await verifyLog(alone, repository.io)).refusal?.code).toBe('CHECK_SKIPPED');
    const accepted = { ...alone, allowSkip: ['anchor-signatures', 'log-anchor'] };
    expect((await verifyLog(accepted, repository.io)).refusal).toBeUndefined();
    const unpinned = await verifyLog({ ...alone, anchor: 'public' }, repository.io);
    expect(statuses(unpinned)).toEqual([
      'log-chain pass',
      'anchor-signatures skip',
      'log-anchor pass',
      'log-restores pass',
    ]);
  });
});

describe('reports', () => {
  test('log finds entries by what they are about', async () => {
    await using repository = await published();
    const all = await readLog({ repository: repository.choice, limit: 100 }, repository.io);
    expect(all.entries.map(({ command }) => command)).toEqual([
      'init',
      ...Array.from({ length: 4 }, () => 'role set'),
      'sign',
      'target add',
      'sign',
      'publish image',
    ]);
    const key = (await repository.key('root-a')).keys[0]?.publicKey.keyId ?? '';
    const about = await readLog({ repository: repository.choice, subject: `key:${key}`, limit: 100 }, repository.io);
    expect(about.entries.map(({ command }) => command)).toEqual(['role set', 'sign']);
    expect(about.length).toBe(9);
  });

  test('status says versions, what is due, staged and waiting', async () => {
    await using repository = await published();
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
    const { choice, io } = repository;
    const status = await repositoryStatus({ repository: choice, now: io.clock.now() }, io);
    expect(
      status.roles.map(({ role, version, staged, reasons, due }) => ({ role, version, staged, reasons, due })),
    ).toEqual([
      { role: 'root', version: 1, staged: 0, reasons: [], due: false },
      { role: 'targets', version: 1, staged: 1, reasons: ['staged'], due: false },
      { role: 'snapshot', version: 1, staged: 0, reasons: [], due: false },
      { role: 'timestamp', version: 1, staged: 0, reasons: [], due: false },
    ]);
    const soon = await repositoryStatus({ repository: choice, now: io.clock.now(), withinSeconds: 31 * 86_400 }, io);
    expect(soon.due).toEqual(['snapshot', 'timestamp']);
    await repository.setKeys('director/root', ['d-root']);
    const later = instantOf(io.clock.now() + 2 * 86_400);
    const expired = await repositoryStatus({ repository: choice, now: later }, io);
    expect(expired.roles.find(({ role }) => role === 'timestamp')).toMatchObject({ expired: true, due: true });
  });

  test('diff tells what is staged, item by item', async () => {
    await using repository = await published();
    const { choice, io } = repository;
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 2);
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1, false);
    await repository.setKeys('director/root', ['d-root']);
    expect(await stagedChanges({ repository: choice, roles: [] }, io)).toMatchObject([
      {
        role: 'targets',
        frozen: null,
        changes: [
          {
            kind: 'target',
            name: 'EV-1/BMS/1.0/bms.bin',
            before: { custom: { releaseCounter: 1 } },
            after: { custom: { releaseCounter: 2 } },
          },
          { kind: 'target', name: 'EV-1/MCU/1.0/mcu.bin', before: undefined, after: { confidential: true } },
        ],
      },
      {
        role: 'director/root',
        changes: [{ kind: 'keys', role: 'director/root', before: undefined, after: { threshold: 1 } }],
      },
    ]);
    expect(await stagedChanges({ repository: choice, roles: ['snapshot'] }, io)).toEqual([]);
  });
});
