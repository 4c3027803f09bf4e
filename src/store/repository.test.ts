import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../core/errors.ts';
import { failEachCall } from '../testing/faults.ts';
import { folderIo } from '../testing/folder-io.ts';
import { auditChain, findAudit, logHead } from './audit.ts';
import { refuseNetworkFileSystem } from './database.ts';
import { createRepository, openRepository } from './repository.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';
import { findSetting, writeSetting } from './settings.ts';
import { EMPTY_LOG, verifiedChain } from '../formats/audit/entry.ts';

const IDENTITY = { name: 'Example Motors', dialect: 'tuf' };
const CHANGE = { command: 'hold', summary: 'on hold: recall' };

async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

describe('the folder', () => {
  test('is made once, with WAL, an application id, a UUID and an audit entry', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    expect(repository.identity).toMatchObject(IDENTITY);
    expect(repository.identity.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(repository.sql('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(repository.sql('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(repository.sql('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
    expect(repository.sql('PRAGMA application_id').get()).toEqual({ application_id: APPLICATION_ID });
    expect(repository.sql('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length });
    expect(findAudit(repository, {}, 10).map((entry) => entry.command)).toEqual(['init']);
    const again = await thrownBy(() => createRepository(machine.io, 'oem', IDENTITY));
    expect(isFailure(again, 'REPOSITORY_EXISTS')).toBe(true);
    expect(await machine.io.files.list('oem')).toEqual(['objects', 'repo.db', 'repo.db-shm', 'repo.db-wal']);
  });

  test("is its owner's alone, whatever the umask", async () => {
    await using machine = await folderIo();
    const before = process.umask(0);
    try {
      using repository = await createRepository(machine.io, 'oem', IDENTITY);
      expect(repository.identity.name).toBe(IDENTITY.name);
      for (const name of ['repo.db', 'repo.db-wal', 'repo.db-shm']) {
        expect((await machine.io.files.status(`oem/${name}`))?.mode.toString(8)).toBe('600');
      }
    } finally {
      process.umask(before);
    }
  });

  test('holds only STRICT tables', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    const lax = repository
      .sql("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0")
      .all();
    expect(lax).toEqual([{ name: 'sqlite_schema' }]);
  });

  test('is found, or its absence said', async () => {
    await using machine = await folderIo();
    const thrown = await thrownBy(() => openRepository(machine.io, 'nowhere'));
    expect(isFailure(thrown, 'REPOSITORY_NOT_FOUND')).toBe(true);
  });

  test("is refused when it is no SQLite file, another program's, or a newer one's", async () => {
    await using machine = await folderIo();
    const path = `${machine.folder}/oem/repo.db`;
    (await createRepository(machine.io, 'oem', IDENTITY))[Symbol.dispose]();
    const open = async (): Promise<unknown> => thrownBy(() => openRepository(machine.io, 'oem'));

    const direct = new Database(path);
    direct.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    expect(isFailure(await open(), 'DATABASE_NEWER')).toBe(true);
    direct.pragma(`user_version = ${MIGRATIONS.length}`);
    direct.pragma('application_id = 7');
    expect(isFailure(await open(), 'DATABASE_FOREIGN')).toBe(true);
    direct.close();
    await writeFile(path, 'this is no database, whatever its name says');
    expect(isFailure(await open(), 'DATABASE_DAMAGED')).toBe(true);
  });

  test('of an older version is brought up to date, to be read too; not while another process writes', async () => {
    await using machine = await folderIo();
    (await createRepository(machine.io, 'oem', IDENTITY))[Symbol.dispose]();
    const direct = new Database(`${machine.folder}/oem/repo.db`);
    direct.exec('DROP INDEX signatures_signers');
    direct.pragma(`user_version = ${MIGRATIONS.length - 1}`);
    direct.exec('BEGIN IMMEDIATE');
    const options = { readOnly: true, lockTimeoutMs: 10 };
    const busy = await thrownBy(() => openRepository(machine.io, 'oem', options));
    expect(isFailure(busy, 'REPOSITORY_BUSY')).toBe(true);
    direct.exec('ROLLBACK');
    direct.close();
    using repository = await openRepository(machine.io, 'oem', options);
    expect(repository.sql('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length });
    expect(repository.sql("SELECT 1 AS n FROM sqlite_schema WHERE name = 'signatures_signers'").get()).toEqual({
      n: 1,
    });
  });

  test.each([
    [0x6969, 'NFS'],
    [0xff534d42, 'CIFS'],
    [-11317950, 'CIFS'],
    [0xfe534d42, 'SMB2'],
  ])('on file system type %d (%s) is refused', async (type) => {
    expect(isFailure(await thrownBy(() => refuseNetworkFileSystem('/mnt', type)), 'DATABASE_NETWORK')).toBe(true);
    expect(() => refuseNetworkFileSystem('/mnt', 0xef53)).not.toThrow();
  });

  test('is whole or absent, whichever call fails while it is made', async () => {
    const machines: AsyncDisposable[] = [];
    await failEachCall(
      async () => {
        const machine = await folderIo();
        machines.push(machine);
        const check = async (): Promise<void> => {
          const present = await machine.io.files.status('oem/repo.db');
          if (present === undefined) (await createRepository(machine.io, 'oem', IDENTITY))[Symbol.dispose]();
          using repository = await openRepository(machine.io, 'oem');
          expect(repository.identity.name).toBe('Example Motors');
        };
        return { io: machine.io, check };
      },
      async (io) => {
        (await createRepository(io, 'oem', IDENTITY))[Symbol.dispose]();
      },
    );
    for (const machine of machines) await machine[Symbol.asyncDispose]();
  });
});

describe('a transaction', () => {
  test('and its audit entry stand or fall together', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    const boom = await thrownBy(() =>
      repository.transact(CHANGE, (tx) => {
        writeSetting(tx, 'hold', 'recall');
        throw new Error('boom');
      }),
    );
    expect(boom).toMatchObject({ message: 'boom' });
    expect(findSetting(repository, 'hold')).toBeUndefined();
    expect(logHead(repository).length).toBe(1);

    repository.transact(CHANGE, (tx) => {
      writeSetting(tx, 'hold', 'recall');
      tx.about('role:root', 'key:abc');
      tx.summarize('on hold: battery recall');
    });
    expect(findSetting(repository, 'hold')).toBe('recall');
    expect(findAudit(repository, { subject: 'key:abc' }, 10)).toMatchObject([
      { position: 2, command: 'hold', summary: 'on hold: battery recall', subjects: ['key:abc', 'role:root'] },
    ]);
  });

  test('that signs is rolled back when it fails after an await', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    await thrownBy(() =>
      repository.transactAsync(CHANGE, async (tx) => {
        writeSetting(tx, 'hold', 'recall');
        await Promise.resolve();
        throw new Error('boom');
      }),
    );
    expect(findSetting(repository, 'hold')).toBeUndefined();
    await repository.transactAsync(CHANGE, async (tx) => {
      await Promise.resolve();
      writeSetting(tx, 'hold', 'recall');
    });
    expect(findSetting(repository, 'hold')).toBe('recall');
  });

  test('that is a dry run, or changes nothing, leaves no trace', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    const answer = repository.transact({ ...CHANGE, dryRun: true }, (tx) => {
      writeSetting(tx, 'hold', 'recall');
      return findSetting(tx, 'hold');
    });
    expect(answer).toBe('recall');
    repository.transact(CHANGE, () => 'nothing');
    expect(findSetting(repository, 'hold')).toBeUndefined();
    expect(logHead(repository).length).toBe(1);
  });

  test('inside another one is a bug of ours', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    const thrown = await thrownBy(() => repository.transact(CHANGE, () => repository.transact(CHANGE, () => 1)));
    expect(isFailure(thrown, 'INTERNAL')).toBe(true);
  });
});

describe('the audit log', () => {
  test('chains by hash and finds what was changed, removed or put in', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    for (const reason of ['one', 'two', 'three']) {
      repository.transact(CHANGE, (tx) => writeSetting(tx, 'hold', reason));
    }
    const entries = [...auditChain(repository)];
    expect(entries.map(({ entry }) => entry.position)).toEqual([1, 2, 3, 4]);
    expect([...verifiedChain('native', entries)].at(-1)).toEqual(logHead(repository));
    expect([...verifiedChain('noble', entries)].at(-1)).toEqual(logHead(repository));
    expect([...verifiedChain('native', [])]).toEqual([]);
    expect(EMPTY_LOG.hash).toEqual(new Uint8Array(32));

    const broken = async (changed: typeof entries): Promise<void> => {
      expect(isFailure(await thrownBy(() => [...verifiedChain('native', changed)]), 'AUDIT_BROKEN')).toBe(true);
    };
    await broken(entries.filter((_, i) => i !== 1));
    await broken(entries.slice(1));
    await broken([...entries, ...entries.slice(-1)]);
    for (const field of ['actor', 'job', 'command', 'summary'] as const) {
      await broken(entries.map((e, i) => (i === 2 ? { ...e, entry: { ...e.entry, [field]: 'someone else' } } : e)));
    }
    await broken(entries.map((e, i) => (i === 2 ? { ...e, entry: { ...e.entry, subjects: ['key:a'] } } : e)));
  });

  test('cannot be rewritten through SQL by accident', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    const refused = async (sql: string): Promise<void> => {
      const thrown = await thrownBy(() => repository.transact(CHANGE, (tx) => tx.sql(sql).run()));
      expect(isFailure(thrown, 'DATABASE_FAILED')).toBe(true);
    };
    await refused("UPDATE audit SET summary = 'nothing happened'");
    await refused('DELETE FROM audit');
  });
});

describe('a second process', () => {
  const HOLDER = `
    const Database = require('better-sqlite3');
    const db = new Database(process.argv[1]);
    db.exec('BEGIN IMMEDIATE');
    process.stdout.write('locked');
    setTimeout(() => { db.exec('COMMIT'); db.close(); }, Number(process.argv[2]));`;

  async function holdLock(path: string, forMs: number): Promise<{ ended: Promise<unknown> }> {
    const child = spawn(process.execPath, ['-e', HOLDER, path, String(forMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { ended };
  }

  test('is waited for', async () => {
    await using machine = await folderIo();
    using repository = await createRepository(machine.io, 'oem', IDENTITY);
    const other = await holdLock(`${machine.folder}/oem/repo.db`, 600);
    repository.transact(CHANGE, (tx) => writeSetting(tx, 'hold', 'recall'));
    expect(findSetting(repository, 'hold')).toBe('recall');
    await other.ended;
  });

  test('that is too slow fails this one with REPOSITORY_BUSY, and nothing is lost', async () => {
    await using machine = await folderIo();
    (await createRepository(machine.io, 'oem', IDENTITY))[Symbol.dispose]();
    using repository = await openRepository(machine.io, 'oem', { lockTimeoutMs: 100 });
    const other = await holdLock(`${machine.folder}/oem/repo.db`, 1500);
    const thrown = await thrownBy(() => repository.transact(CHANGE, (tx) => writeSetting(tx, 'hold', 'recall')));
    expect(isFailure(thrown, 'REPOSITORY_BUSY')).toBe(true);
    expect(findSetting(repository, 'hold')).toBeUndefined();
    await other.ended;
    repository.transact(CHANGE, (tx) => writeSetting(tx, 'hold', 'recall'));
    expect(findSetting(repository, 'hold')).toBe('recall');
  });
});

test('two processes that write at the same time lose nothing', async () => {
  await using machine = await folderIo();
  using repository = await createRepository(machine.io, 'oem', IDENTITY);
  const script = `
    import { folderIo } from '${import.meta.dirname}/../testing/folder-io.ts';
    import { openRepository } from '${import.meta.dirname}/repository.ts';
    import { stageItem, roleAt } from '${import.meta.dirname}/roles.ts';
    await using machine = await folderIo();
    const { io } = machine;
    using repository = await openRepository(io, process.argv[1]);
    for (let i = 0; i < 20; i++) {
      repository.transact({ command: 'test', summary: process.argv[2] + i }, (tx) =>
        stageItem(tx, roleAt(tx, { repository: 'image', name: 'targets' }), { item: process.argv[2] + i, value: { i } }));
    }`;
  const run = (name: string): Promise<number | null> => {
    const args = ['--input-type=module', '--eval', script, `${machine.folder}/oem`, name];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    return new Promise((resolve) => child.once('exit', resolve));
  };
  expect(await Promise.all([run('a'), run('b')])).toEqual([0, 0]);
  expect(repository.sql('SELECT count(*) AS n FROM staged').get()).toEqual({ n: 40 });
  const heads = [...verifiedChain('native', auditChain(repository))];
  expect(heads.at(-1)).toEqual(logHead(repository));
  expect(heads).toHaveLength(41);
});

test('a repository opened read-only does not write', async () => {
  await using machine = await folderIo();
  (await createRepository(machine.io, 'oem', IDENTITY))[Symbol.dispose]();
  const before = await readFile(`${machine.folder}/oem/repo.db`);
  using repository = await openRepository(machine.io, 'oem', { readOnly: true });
  const thrown = await thrownBy(() => repository.transact(CHANGE, (tx) => writeSetting(tx, 'hold', 'x')));
  expect(isFailure(thrown, 'DATABASE_FAILED')).toBe(true);
  expect(await readFile(`${machine.folder}/oem/repo.db`)).toEqual(before);
});
