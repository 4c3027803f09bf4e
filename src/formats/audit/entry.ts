/**
 * The audit log's entries and their hash chain.
 *
 * Owns: what is hashed. Entry hash = SHA-256 of the deterministic CBOR array
 * `["secureev/audit/1", position, time, actor, job, command, summary, [subjects...], previous hash]`, where the first
 * entry has position 1 and 32 zero bytes as its previous hash. The chain's head is the hash of its last entry.
 */
import { equalBytes } from '../../core/bytes.ts';
import type { Instant } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';
import { encodeCbor } from '../cbor.ts';

/** One entry of the audit log. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly position: number;
  readonly time: Instant;
  /** Who ran the command: the user's name. */
  readonly actor: string;
  /** The CI job, or empty. */
  readonly job: string;
  /** The subcommand, e.g. `role set`. */
  readonly command: string;
  /** What changed, in words. */
  readonly summary: string;
  /** What it is about, sorted: `vehicle:VIN`, `release:NAME`, `key:ID`, `role:NAME`. */
  readonly subjects: readonly string[];
}

/** The state of a log: how many entries, and the hash of the last one (32 bytes). */
export interface LogHead {
  readonly length: number;
  readonly hash: Uint8Array;
}

/** The head of a log without entries. */
export const EMPTY_LOG: LogHead = { length: 0, hash: new Uint8Array(32) };

const LABEL = 'secureev/audit/1';

/** The hash of `entry` that follows an entry of hash `previous` (32 bytes). */
export function auditEntryHash(engine: EngineName, entry: AuditEntry, previous: Uint8Array): Uint8Array {
  const { position, time, actor, job, command, summary, subjects } = entry;
  return sha256(engine, encodeCbor([LABEL, position, time, actor, job, command, summary, subjects, previous]));
}

/** A stored entry with the hash that the log claims for it. */
export interface ChainedEntry {
  readonly entry: AuditEntry;
  readonly hash: Uint8Array;
}

/**
 * Walks a log from its first entry: positions without gaps, each hash as computed; yields the head after each entry.
 *
 * @throws AUDIT_BROKEN at the first entry that does not follow from the ones before it
 */
export function* verifiedChain(engine: EngineName, entries: Iterable<ChainedEntry>): Iterable<LogHead> {
  let head = EMPTY_LOG;
  for (const { entry, hash } of entries) {
    const expected = head.length + 1;
    if (entry.position !== expected) {
      throw failure('AUDIT_BROKEN', `audit log: entry ${expected} is missing`, { position: expected });
    }
    if (!equalBytes(auditEntryHash(engine, entry, head.hash), hash)) {
      throw failure('AUDIT_BROKEN', `audit log: entry ${expected} was changed after it was written`, {
        position: expected,
      });
    }
    head = { length: expected, hash };
    yield head;
  }
}
