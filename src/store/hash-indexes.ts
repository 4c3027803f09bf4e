/** The indexes by SHA-256, while very much moves from what is staged to what is signed. */
import type { Tx } from './reader.ts';

/** Staged items from which on it is less work to make the indexes anew than to change them row by row, in no order. */
const MANY = 50_000;
const NAMES = ['content_sha256', 'staged_sha256'] as const;

/** Does `work`, which turns most of what is staged into content, by sorting the hashes once afterwards where they are many. */
export async function movingMuch(tx: Tx, work: () => Promise<void>): Promise<void> {
  const indexes = isMuch(tx) ? NAMES.map((name) => ({ name, sql: definitionOf(tx, name) })) : [];
  for (const { name } of indexes) tx.sql(`DROP INDEX ${name}`).run();
  await work();
  for (const { sql } of indexes) tx.sql(sql).run();
}

function isMuch(tx: Tx): boolean {
  const staged = rowsIn(tx, 'staged');
  return staged >= MANY && staged >= rowsIn(tx, 'content');
}

function rowsIn(tx: Tx, table: 'staged' | 'content'): number {
  return tx.sql<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
}

function definitionOf(tx: Tx, name: string): string {
  const row = tx.sql<{ sql: string }>("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?").get(name);
  if (row === undefined) throw new RangeError(`there is no index ${name}`);
  return row.sql;
}
