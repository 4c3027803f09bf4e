/** What functions over tables take: something to read with, and within a transaction something to write with. */
import type { Statement } from 'better-sqlite3';
import type { Instant } from '../core/brands.ts';
import type { Io } from '../core/ports.ts';

/** Reads the repository; prepared statements are kept per connection. */
export interface Reader {
  readonly io: Io;
  /** The repository's folder. */
  readonly folder: string;
  /** A prepared statement with rows of type `Row`; the same text gives the same statement. */
  sql<Row = unknown>(text: string): Statement<unknown[], Row>;
}

/** An open write transaction. */
export interface Tx extends Reader {
  /** The one "now" of this transaction. */
  readonly now: Instant;
  /** Adds what the audit entry is about, e.g. `vehicle:VIN`, `release:NAME`, `key:ID`, `role:NAME`. */
  about(...subjects: readonly string[]): void;
  /** Replaces the audit entry's words about what changed. */
  summarize(summary: string): void;
}
