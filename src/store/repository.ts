/**
 * The repository folder: `repo.db` and `objects/`.
 *
 * Invariants: every change is one transaction together with its audit entry, or goes on with one whose entry has announced
 * it; a transaction that changed nothing leaves no entry; a dry run is rolled back. A second process waits for the lock, then fails with REPOSITORY_BUSY.
 */
import { toHex } from '../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { appendAudit } from './audit.ts';
import { coded, guarded, openDatabase, refuseNetworkFileSystem } from './database.ts';
import type { Connection } from './connect.ts';
import type { Reader, Tx } from './reader.ts';
import { setting, writeSetting } from './settings.ts';

/** What a command says about its change. */
export interface Change {
  /** The subcommand, e.g. `role set`. */
  readonly command: string;
  /** What changed, in words; `Tx.summarize` replaces it. */
  readonly summary: string;
  /** Goes on with a change whose audit entry says it all already: no entry of its own. */
  readonly continues?: boolean | undefined;
  /** Run everything, then roll back. */
  readonly dryRun?: boolean | undefined;
}

/** What a repository is. */
export interface Identity {
  /** The name a person gave it, e.g. `Example Motors`. */
  readonly name: string;
  /** The metadata dialect, e.g. `tuf`. */
  readonly dialect: string;
  /** A random UUID, signed into all metadata. */
  readonly uuid: string;
}

/** An open repository. */
export interface Repository extends Reader, Disposable {
  readonly identity: Identity;
  /** One write transaction with its audit entry. @throws REPOSITORY_BUSY, and what `work` throws */
  transact<T>(change: Change, work: (tx: Tx) => T): T;
  /** The same for work that signs: the lock is held until it ends, so ask for passphrases before. */
  transactAsync<T>(change: Change, work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** How to open a repository. */
export interface RepositoryOptions {
  /** How long to wait for another process's transaction; 30,000 by default. */
  readonly lockTimeoutMs?: number | undefined;
  readonly readOnly?: boolean | undefined;
}

const DEFAULT_LOCK_TIMEOUT_MS = 30_000;

/** What a new repository begins with. */
export interface NewRepository {
  readonly name: string;
  readonly dialect: string;
  /** A fresh random one by default. */
  readonly uuid?: string | undefined;
  /** Puts content into it, in the transaction that makes it. */
  readonly fill?: ((tx: Tx) => void) | undefined;
}

/**
 * Makes a new repository in `folder`, which may exist but must not hold one. The database appears under its name only when
 * complete.
 *
 * @throws REPOSITORY_EXISTS, DATABASE_NETWORK
 */
export async function createRepository(
  io: Io,
  folder: string,
  { uuid = randomUuid(io), fill, ...identity }: NewRepository,
): Promise<Repository> {
  const path = databasePath(folder);
  if ((await io.files.status(path)) !== undefined) throw exists(folder);
  await io.files.makeFolder(`${folder}/objects`);
  const absolute = await io.files.realPath(folder);
  refuseNetworkFileSystem(absolute);
  const draft = `${databasePath(absolute)}.new-${toHex(io.random.bytes(8))}`;
  try {
    fillDatabase(io, absolute, { draft, identity: { ...identity, uuid }, fill });
    await io.files.link(draft, path);
  } catch (thrown) {
    throw isFailure(thrown, 'FILE_EXISTS') ? exists(folder) : thrown;
  } finally {
    await io.files.remove(draft);
  }
  return openRepository(io, folder);
}

function exists(folder: string): SecureevError {
  return failure('REPOSITORY_EXISTS', `${folder} holds a repository already`);
}

interface NewDatabase {
  readonly draft: string;
  readonly identity: Identity;
  readonly fill: NewRepository['fill'];
}

/** The last connection to close folds the write-ahead log into the file, which is then whole by itself. */
function fillDatabase(io: Io, folder: string, parts: NewDatabase): void {
  const { draft: path, identity, fill } = parts;
  const connection = openDatabase({ path, lockTimeoutMs: DEFAULT_LOCK_TIMEOUT_MS, mode: 'create' });
  using repository = repositoryOn(io, folder, { connection, identity });
  repository.transact({ command: 'init', summary: `made the repository ${identity.name}` }, (tx) => {
    writeSetting(tx, 'name', identity.name);
    writeSetting(tx, 'dialect', identity.dialect);
    writeSetting(tx, 'uuid', identity.uuid);
    fill?.(tx);
  });
}

/** Opens the repository in `folder`. @throws REPOSITORY_NOT_FOUND, DATABASE_* */
export async function openRepository(io: Io, folder: string, options: RepositoryOptions = {}): Promise<Repository> {
  if ((await io.files.status(databasePath(folder))) === undefined) {
    throw new SecureevError('REPOSITORY_NOT_FOUND', {
      message: `no repository in ${folder}`,
      hint: 'name it with --repo or SECUREEV_REPO, or make one with `secureev init`',
    });
  }
  const absolute = await io.files.realPath(folder);
  refuseNetworkFileSystem(absolute);
  const connection = openDatabase({
    path: databasePath(absolute),
    lockTimeoutMs: options.lockTimeoutMs ?? DEFAULT_LOCK_TIMEOUT_MS,
    mode: options.readOnly === true ? 'read' : 'write',
  });
  return openOn(io, absolute, connection);
}

/** The repository of `folder` (absolute) on an open connection. @throws SETTING_MISSING */
export function openOn(io: Io, folder: string, connection: Connection): Repository {
  const reader = readerOn(io, folder, connection);
  const identity = {
    name: setting(reader, 'name'),
    dialect: setting(reader, 'dialect'),
    uuid: setting(reader, 'uuid'),
  };
  return repositoryOn(io, folder, { connection, identity });
}

function databasePath(folder: string): string {
  return `${folder}/repo.db`;
}

function randomUuid(io: Io): string {
  const bytes = io.random.bytes(16);
  bytes.set([((bytes[6] ?? 0) & 0x0f) | 0x40], 6);
  bytes.set([((bytes[8] ?? 0) & 0x3f) | 0x80], 8);
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function readerOn(io: Io, folder: string, connection: Connection): Reader {
  const statements = new Map<string, ReturnType<Reader['sql']>>();
  const sql: Reader['sql'] = <Row>(text: string) => {
    const known = statements.get(text) as ReturnType<typeof sql<Row>> | undefined;
    if (known !== undefined) return known;
    const statement = guarded(() => connection.prepare<unknown[], Row>(text));
    statements.set(text, statement);
    return statement;
  };
  return { io, folder, sql };
}

function repositoryOn(io: Io, folder: string, parts: { connection: Connection; identity: Identity }): Repository {
  const { connection, identity } = parts;
  const reader = readerOn(io, folder, connection);
  return {
    ...reader,
    identity,
    transact: (change, work) => {
      const transaction = begin(reader, connection, change);
      return guarded(() => {
        try {
          return transaction.end(work(transaction.tx));
        } catch (thrown) {
          transaction.rollBack();
          throw thrown;
        }
      });
    },
    transactAsync: async (change, work) => {
      const transaction = begin(reader, connection, change);
      try {
        return transaction.end(await work(transaction.tx));
      } catch (thrown) {
        transaction.rollBack();
        throw coded(thrown);
      }
    },
    [Symbol.dispose]: () => {
      connection.close();
    },
  };
}

interface OpenTransaction {
  readonly tx: Tx;
  end<T>(result: T): T;
  rollBack(): void;
}

function begin(reader: Reader, connection: Connection, change: Change): OpenTransaction {
  if (connection.inTransaction) throw failure('INTERNAL', 'a transaction inside a transaction');
  guarded(() => connection.exec('BEGIN IMMEDIATE'));
  const subjects = new Set<string>();
  const entry = { time: reader.io.clock.now(), summary: change.summary };
  const before = totalChanges(reader);
  const tx: Tx = {
    ...reader,
    now: entry.time,
    about: (...added) => {
      for (const subject of added) subjects.add(subject);
    },
    summarize: (summary) => {
      entry.summary = summary;
    },
  };
  const rollBack = (): void => {
    if (connection.inTransaction) connection.exec('ROLLBACK');
  };
  const end = <T>(result: T): T => {
    if (totalChanges(reader) !== before && change.continues !== true) {
      appendAudit(reader, { ...entry, command: change.command, subjects: [...subjects].sort() });
    }
    if (change.dryRun === true) rollBack();
    else connection.exec('COMMIT');
    return result;
  };
  return { tx, end, rollBack };
}

function totalChanges(reader: Reader): number {
  return reader.sql<{ n: number }>('SELECT total_changes() AS n').get()?.n ?? 0;
}
