/** Databases that come from outside: sound ones pass, everything else is refused before it is worked with. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isFailure } from '../core/errors.ts';
import { folderIo } from '../testing/folder-io.ts';
import type { FolderIo } from '../testing/folder-io.ts';
import { createRepository } from './repository.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';
import { checkSnapshot, SCHEMA_VERSION, writeSnapshot } from './snapshot.ts';

let machine: FolderIo;
let path = '';

beforeEach(async () => {
  machine = await folderIo();
  path = `${machine.folder}/snapshot.db`;
  using repository = await createRepository(machine.io, 'oem', { name: 'Test', dialect: 'tuf' });
  repository.transact({ command: 'test', summary: '' }, (tx) => {
    tx.sql("INSERT INTO vehicles (id, vin, model, added_at) VALUES (?, '5YJ3E1EA0KF000316', 'EV-1', 0)").run(
      'a'.repeat(32),
    );
  });
  writeFileSync(path, '');
  writeSnapshot(repository, path);
});
afterEach(() => machine[Symbol.asyncDispose]());

function change(work: (database: Database.Database) => void): void {
  const database = new Database(path);
  database.pragma('foreign_keys = OFF');
  work(database);
  database.close();
}

function outcome(): string {
  try {
    checkSnapshot(path);
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'sound';
}

test('a snapshot is whole by itself, and of the newest schema', () => {
  expect(outcome()).toBe('sound');
  change((database) => {
    expect(database.pragma('user_version', { simple: true })).toBe(SCHEMA_VERSION);
    expect(database.prepare('SELECT vin FROM vehicles').all()).toEqual([{ vin: '5YJ3E1EA0KF000316' }]);
  });
});

test('one of each earlier schema is known, too', () => {
  for (let version = 1; version < SCHEMA_VERSION; version++) {
    rmSync(path);
    const database = new Database(path);
    for (const sql of MIGRATIONS.slice(0, version)) database.exec(sql);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${version}`);
    database.close();
    expect(outcome()).toBe('sound');
  }
});

describe('refused', () => {
  test.each([
    ['a trigger', 'CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM vehicles; END'],
    ['a view', 'CREATE VIEW v AS SELECT * FROM vehicles'],
    ['a table', 'CREATE TABLE more (a)'],
    ['a virtual table', 'CREATE VIRTUAL TABLE f USING fts5(a)'],
    ['the missing guard of the log', 'DROP TRIGGER audit_no_delete'],
    ['a missing index', 'DROP INDEX vehicles_model'],
    ['a column', 'ALTER TABLE vehicles ADD COLUMN more TEXT'],
    ['another kind of file', 'PRAGMA application_id = 7'],
    ['no schema', 'PRAGMA user_version = 0'],
    [
      'a row that points nowhere',
      "INSERT INTO vehicle_keys VALUES ('nobody', 'k', 'identity', 'x', 'x', 0, NULL, NULL)",
    ],
  ])('%s', (_, sql) => {
    change((database) => database.exec(sql));
    expect(outcome()).toBe('BACKUP_DAMAGED');
  });

  test('a schema of a later version', () => {
    change((database) => database.pragma(`user_version = ${SCHEMA_VERSION + 1}`));
    expect(outcome()).toBe('BACKUP_NEWER');
  });

  test('what is no database, or cut short, or damaged inside', () => {
    const whole = readFileSync(path);
    writeFileSync(path, 'not a database at all, but long enough to be looked at'.repeat(100));
    expect(outcome()).toBe('BACKUP_DAMAGED');
    writeFileSync(path, whole);
    truncateSync(path, whole.length - 4096);
    expect(outcome()).toBe('BACKUP_DAMAGED');
    for (let page = 4096; page < whole.length; page += 16 * 4096) {
      writeFileSync(path, Buffer.from(whole).fill(0xff, page, page + 64));
      expect(outcome()).toBe('BACKUP_DAMAGED');
    }
    rmSync(path);
  });
});
