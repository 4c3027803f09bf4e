/** The audit log: a table that only grows, its rows chained by hash as `formats/audit/entry.ts` says. */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { auditEntryHash, EMPTY_LOG } from '../formats/audit/entry.ts';
import type { AuditEntry, ChainedEntry, LogHead } from '../formats/audit/entry.ts';
import type { Reader } from './reader.ts';

interface AuditRow {
  readonly position: number;
  readonly time: number;
  readonly actor: string;
  readonly job: string;
  readonly command: string;
  readonly summary: string;
  readonly subjects: string;
  readonly hash: Uint8Array;
}

/** What a log is searched by; all given conditions must hold. */
export interface AuditFilter {
  /** e.g. `vehicle:VIN`, `release:NAME`, `key:ID`. */
  readonly subject?: string | undefined;
  /** Others beside it, any of which may match too. */
  readonly orSubjects?: readonly string[] | undefined;
  readonly since?: Instant | undefined;
}

/** The length and head of the log as it is now. */
export function logHead(reader: Reader): LogHead {
  const row = reader
    .sql<{ position: number; hash: Uint8Array }>('SELECT position, hash FROM audit ORDER BY position DESC LIMIT 1')
    .get();
  return row === undefined ? EMPTY_LOG : { length: row.position, hash: new Uint8Array(row.hash) };
}

/** Appends an entry; only `repository.ts` calls this, once per transaction. */
export function appendAudit(
  reader: Reader,
  change: { time: Instant; command: string; summary: string; subjects: readonly string[] },
): void {
  const head = logHead(reader);
  const { actor, job } = reader.io.environment;
  const entry: AuditEntry = { position: head.length + 1, actor, job, ...change };
  const hash = auditEntryHash(reader.io.engine, entry, head.hash);
  reader
    .sql(
      'INSERT INTO audit (position, time, actor, job, command, summary, subjects, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      entry.position,
      entry.time,
      actor,
      job,
      entry.command,
      entry.summary,
      JSON.stringify(entry.subjects),
      Buffer.from(hash),
    );
  const addSubject = reader.sql('INSERT INTO audit_subjects (subject, position) VALUES (?, ?)');
  for (const subject of entry.subjects) addSubject.run(subject, entry.position);
}

/** The whole log in order, row by row. */
export function* auditChain(reader: Reader): Iterable<ChainedEntry> {
  for (const row of reader.sql<AuditRow>('SELECT * FROM audit ORDER BY position').iterate()) {
    yield { entry: entryOf(row), hash: new Uint8Array(row.hash) };
  }
}

/** The newest `limit` entries that match, oldest first. */
export function findAudit(reader: Reader, filter: AuditFilter, limit: number): readonly AuditEntry[] {
  const since = filter.since ?? 0;
  const rows =
    filter.subject === undefined
      ? reader.sql<AuditRow>('SELECT * FROM audit WHERE time >= ? ORDER BY position DESC LIMIT ?').all(since, limit)
      : reader
          .sql<AuditRow>(
            `SELECT * FROM audit WHERE time >= ? AND position IN
               (SELECT position FROM audit_subjects WHERE subject IN (SELECT value FROM json_each(?)))
             ORDER BY position DESC LIMIT ?`,
          )
          .all(since, JSON.stringify([filter.subject, ...(filter.orSubjects ?? [])]), limit);
  return rows.map(entryOf).reverse();
}

function entryOf(row: AuditRow): AuditEntry {
  const { position, actor, job, command, summary } = row;
  const subjects = (JSON.parse(row.subjects) as readonly unknown[]).map(String);
  return { position, time: instantOf(row.time), actor, job, command, summary, subjects };
}
