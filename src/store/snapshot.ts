/**
 * Whole copies of the database: one to take out, and one that came back.
 *
 * Invariant: a database from outside is not worked with before its file was found sound and its tables, indexes and
 * triggers to be word for word those that this program makes.
 */
import { failure } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Connection } from './connect.ts';
import { coded, guarded } from './database.ts';
import type { Reader } from './reader.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/** The version of the schema that this program makes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Writes the database as it is at this moment, compact, into the empty file `path` (absolute); others go on working. */
export function writeSnapshot(reader: Reader, path: string): void {
  guarded(() => reader.sql('VACUUM INTO ?').run(path));
}

/** Checks a database file from outside (an absolute path). @throws BACKUP_DAMAGED, BACKUP_NEWER */
export function checkSnapshot(path: string): void {
  const connection = connect(path, { readonly: true, fileMustExist: true });
  try {
    connection.pragma('trusted_schema = OFF');
    connection.pragma('cell_size_check = ON');
    requireKnownSchema(connection);
    requireSound(connection);
  } catch (thrown) {
    const error = coded(thrown);
    if (error === thrown) throw thrown;
    throw damaged('its database cannot be read');
  } finally {
    connection.close();
  }
}

function requireKnownSchema(connection: Connection): void {
  const version = Number(connection.pragma('user_version', { simple: true }));
  if (Number(connection.pragma('application_id', { simple: true })) !== APPLICATION_ID || version < 1) {
    throw damaged('its database is not that of a secureev repository');
  }
  if (version > SCHEMA_VERSION) {
    throw failure('BACKUP_NEWER', 'the backup was made by a newer version of secureev', {
      found: version,
      expected: SCHEMA_VERSION,
    });
  }
  const expected = connect(':memory:');
  try {
    for (const sql of MIGRATIONS.slice(0, version)) expected.exec(sql);
    if (schemaOf(expected) !== schemaOf(connection)) throw damaged('its database has other tables than it should');
  } finally {
    expected.close();
  }
}

/** Every table, index, trigger and view; not the statistics that SQLite keeps for itself. */
function schemaOf(connection: Connection): string {
  const rows = connection
    .prepare(
      "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .all();
  return JSON.stringify(rows);
}

function requireSound(connection: Connection): void {
  const found = connection.pragma('integrity_check(1)', { simple: true });
  if (found !== 'ok') throw damaged('its database is damaged');
  if (connection.prepare('PRAGMA foreign_key_check').get() !== undefined) throw damaged('its database is incomplete');
}

function damaged(what: string): Error {
  return failure('BACKUP_DAMAGED', `the backup is not usable: ${what}`);
}
