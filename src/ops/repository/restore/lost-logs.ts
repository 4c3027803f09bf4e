/**
 * What published Snapshots have signed of the log, and a backup does not hold.
 *
 * The entry that a restore writes names each of them (`log:LENGTH:HEAD`), so that `verify log --anchor` can say why the log
 * is another one from there on.
 */
import type { Instant } from '../../../core/brands.ts';
import { toHex } from '../../../core/bytes.ts';
import { failure } from '../../../core/errors.ts';
import type { EngineName } from '../../../core/ports.ts';
import { EMPTY_LOG, verifiedChain } from '../../../formats/audit/entry.ts';
import type { AuditEntry, ChainedEntry, LogHead } from '../../../formats/audit/entry.ts';

/** A length and last hash (hex) that a Snapshot has signed. */
export interface SignedLog {
  readonly snapshot: number;
  readonly length: number;
  readonly head: string;
}

/** Where a log ends, and what was signed beyond it. */
export interface WalkedLog<T extends SignedLog> {
  readonly head: LogHead;
  readonly lost: readonly T[];
}

/**
 * Walks the log of a backup, which must follow from itself and hold what Snapshots have signed up to its end.
 *
 * @throws AUDIT_BROKEN, AUDIT_REWRITTEN
 */
export function walkLog<T extends SignedLog>(
  engine: EngineName,
  entries: Iterable<ChainedEntry>,
  signed: readonly T[],
): WalkedLog<T> {
  const byLength = new Map(signed.map((one) => [one.length, one]));
  let head = EMPTY_LOG;
  for (const next of verifiedChain(engine, entries)) {
    head = next;
    const expected = byLength.get(head.length);
    if (expected !== undefined && expected.head !== toHex(head.hash)) throw rewritten(expected);
  }
  return { head, lost: signed.filter(({ length }) => length > head.length) };
}

function rewritten({ length, snapshot }: SignedLog): Error {
  const message = `entry ${length} of the backup's log is not the one that snapshot ${snapshot} signed`;
  return failure('AUDIT_REWRITTEN', message, { length, snapshot });
}

/** What an entry of the log says of a lost one. */
export function logSubject({ length, head }: Pick<SignedLog, 'length' | 'head'>): string {
  return `log:${length}:${head}`;
}

/** A lost log as an entry of the log tells of it. */
export interface ToldLog {
  readonly length: number;
  readonly head: string;
  /** The entry that tells. */
  readonly position: number;
  readonly time: Instant;
}

/** What an entry tells of lost logs. */
export function toldLogs({ command, subjects, position, time }: AuditEntry): readonly ToldLog[] {
  if (command !== 'restore') return [];
  return subjects.flatMap((subject) => {
    const [, length, head = ''] = /^log:([1-9]\d{0,15}):([0-9a-f]{64})$/.exec(subject) ?? [];
    return length === undefined ? [] : [{ length: Number(length), head, position, time }];
  });
}
