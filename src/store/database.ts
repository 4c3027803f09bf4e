/**
 * One SQLite connection with the settings of this room, and SQLite's failures as coded errors.
 *
 * Invariants: WAL, `synchronous=FULL`, foreign keys on; a file that is no repository, is newer than this program, or lies
 * on a network file system (where WAL's shared memory does not work) is refused before anything is written.
 */
import { closeSync, fchmodSync, openSync, statfsSync } from 'node:fs';
import { SqliteError } from 'better-sqlite3';
import { failure, isFailure, SecureevError } from '../core/errors.ts';
import { connect } from './connect.ts';
import type { Connection } from './connect.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/** How to open a database file. */
export interface OpenOptions {
  readonly path: string;
  readonly lockTimeoutMs: number;
  readonly mode: 'create' | 'write' | 'read';
}

/** `f_type` of statfs(2) for the file systems that other machines can write to. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x5346414f, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x19830326, 'BeeGFS'],
  [0x47504653, 'GPFS'],
]);

/**
 * Opens and checks a database. One that an older version made is brought up to date first, for reading too.
 *
 * @throws DATABASE_NETWORK, DATABASE_FOREIGN, DATABASE_NEWER, DATABASE_OLDER, DATABASE_FAILED, REPOSITORY_BUSY
 */
export function openDatabase(options: OpenOptions): Connection {
  try {
    return opened(options);
  } catch (thrown) {
    if (!isFailure(thrown, 'DATABASE_OLDER')) throw thrown;
    bringUpToDate(options, thrown);
    return opened(options);
  }
}

/** Where that cannot be, as on a medium that cannot be written, the reason is the database's age. */
function bringUpToDate(options: OpenOptions, tooOld: SecureevError): void {
  try {
    opened({ ...options, mode: 'write' }).close();
  } catch (thrown) {
    throw isFailure(thrown, 'REPOSITORY_BUSY') ? thrown : tooOld;
  }
}

function opened(options: OpenOptions): Connection {
  return guarded(() => {
    if (options.mode === 'create') createPrivately(options.path);
    const connection = connect(options.path, {
      readonly: options.mode === 'read',
      fileMustExist: options.mode !== 'create',
      timeout: options.lockTimeoutMs,
    });
    try {
      prepareConnection(connection, options.mode);
      return connection;
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  });
}

/** For its owner only, whatever the umask; SQLite gives its log and shared memory the same mode. */
function createPrivately(path: string): void {
  try {
    const file = openSync(path, 'wx', 0o600);
    fchmodSync(file, 0o600);
    closeSync(file);
  } catch (cause) {
    throw new SecureevError('DATABASE_FAILED', { message: `repository database: cannot create ${path}`, cause });
  }
}

/** Refuses a folder on a network file system; `type` is statfs' `f_type`. @throws DATABASE_NETWORK */
export function refuseNetworkFileSystem(folder: string, type: number = fileSystemType(folder)): void {
  const name = NETWORK_FILE_SYSTEMS.get(type >>> 0);
  if (name === undefined) return;
  throw new SecureevError('DATABASE_NETWORK', {
    message: `${folder} lies on a network file system (${name}), where the database cannot be locked reliably`,
    hint: 'keep the repository on a local disk; `backup` makes a file that can be copied anywhere',
    details: { fileSystem: name },
  });
}

/** Runs `work`, turning SQLite's errors into ours. @throws REPOSITORY_BUSY, DISK_FULL, DATABASE_DAMAGED, DATABASE_FAILED */
export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw coded(thrown);
  }
}

/** The coded error for anything thrown by SQLite; others pass unchanged. */
export function coded(thrown: unknown): unknown {
  if (isFailure(thrown) || !(thrown instanceof SqliteError)) return thrown;
  const { code, message } = thrown;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new SecureevError('REPOSITORY_BUSY', {
      message: 'the repository is in use by another secureev process',
      hint: 'try again when it has finished, or wait longer with --lock-timeout',
      cause: thrown,
    });
  }
  if (code === 'SQLITE_FULL') return failure('DISK_FULL', 'no space left for the repository database');
  const damaged = code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
  return new SecureevError(damaged ? 'DATABASE_DAMAGED' : 'DATABASE_FAILED', {
    message: `repository database: ${message}`,
    details: { sqlite: code },
    cause: thrown,
  });
}

function fileSystemType(folder: string): number {
  return statfsSync(folder).type;
}

function prepareConnection(connection: Connection, mode: OpenOptions['mode']): void {
  connection.pragma('foreign_keys = ON');
  connection.pragma('trusted_schema = OFF');
  connection.pragma('synchronous = FULL');
  connection.pragma('temp_store = MEMORY');
  // Up to 64 MiB, taken as they are needed: indexes of a million targets are written in no order.
  connection.pragma('cache_size = -65536');
  if (mode === 'create') {
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.pragma('journal_mode = WAL');
  }
  if (pragmaNumber(connection, 'application_id') !== APPLICATION_ID) {
    throw failure('DATABASE_FOREIGN', 'repo.db is not the database of a secureev repository');
  }
  migrate(connection, mode);
}

function migrate(connection: Connection, mode: OpenOptions['mode']): void {
  const version = pragmaNumber(connection, 'user_version');
  if (version > MIGRATIONS.length) {
    throw failure('DATABASE_NEWER', 'the repository was written by a newer version of secureev', {
      found: version,
      expected: MIGRATIONS.length,
    });
  }
  if (version === MIGRATIONS.length) return;
  if (mode === 'read')
    throw failure(
      'DATABASE_OLDER',
      'an older version made the repository, and it cannot be brought up to date: it cannot be written',
    );
  connection
    .transaction(() => {
      for (const sql of MIGRATIONS.slice(pragmaNumber(connection, 'user_version'))) connection.exec(sql);
      connection.pragma(`user_version = ${MIGRATIONS.length}`);
    })
    .immediate();
}

function pragmaNumber(connection: Connection, name: string): number {
  return Number(connection.pragma(name, { simple: true }));
}
