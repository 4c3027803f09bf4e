/**
 * What a database that came back from a backup takes over from what was published since.
 *
 * Invariants: a version that was published keeps its number and its bytes; what waited for signatures in the backup under
 * such a number is staged again, and its number is never given again.
 */
import type { Instant } from '../core/brands.ts';
import { guarded, openDatabase } from './database.ts';
import type { Reader, Tx } from './reader.ts';
import type { Repository } from './repository.ts';
import { openOn } from './repository.ts';
import type { Io } from '../core/ports.ts';
import { completeItems } from './roles.ts';
import type { ItemValue, StoredRole } from './roles.ts';
import { addSignature, blob } from './versions.ts';
import type { StoredSignature } from './versions.ts';

/** A published version. */
export interface PublishedVersion {
  readonly version: number;
  readonly file: Uint8Array;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  readonly expires: Instant;
  readonly signatures: readonly StoredSignature[];
  /** All of the role's content as of this version; undefined for a role without content. */
  readonly items: ReadonlyMap<string, ItemValue> | undefined;
}

/** Opens a database file at `path` (absolute) as the repository of `folder` (absolute), before it has its name. */
export function openRestored(io: Io, folder: string, path: string): Repository {
  const connection = openDatabase({ path, lockTimeoutMs: 0, mode: 'write' });
  guarded(() => connection.pragma('journal_mode = WAL'));
  return openOn(io, folder, connection);
}

/** Makes a published version, newer than the complete one, the complete one. */
export function adoptVersion(tx: Tx, role: StoredRole, adopted: PublishedVersion): void {
  const { version, file, sha256, expires } = adopted;
  unfreeze(tx, role);
  for (const table of ['requests', 'signatures']) {
    tx.sql(`DELETE FROM ${table} WHERE role_id = ? AND version = ?`).run(role.id, version);
  }
  tx.sql("DELETE FROM versions WHERE role_id = ? AND version = ? AND state <> 'complete'").run(role.id, version);
  tx.sql(
    `INSERT INTO versions (role_id, version, state, file, length, sha256, expires, frozen_at, completed_at)
     VALUES (?, ?, 'complete', ?, ?, ?, ?, ?, ?)`,
  ).run(role.id, version, blob(file), file.length, blob(sha256), expires, tx.now, tx.now);
  for (const signature of adopted.signatures) addSignature(tx, role, { ...signature, version });
  tx.sql('UPDATE roles SET complete_version = ?, last_version = max(last_version, ?) WHERE id = ?').run(
    version,
    version,
    role.id,
  );
  if (adopted.items !== undefined) replaceContent(tx, role, { version, items: adopted.items });
}

/** What was frozen is staged again, unless something newer is staged over it. */
function unfreeze(tx: Tx, role: StoredRole): void {
  tx.sql('UPDATE OR IGNORE staged SET frozen_version = 0 WHERE role_id = ? AND frozen_version > 0').run(role.id);
  tx.sql('DELETE FROM staged WHERE role_id = ? AND frozen_version > 0').run(role.id);
  tx.sql("UPDATE versions SET state = 'cancelled' WHERE role_id = ? AND state = 'frozen'").run(role.id);
  tx.sql('UPDATE roles SET frozen_version = NULL WHERE id = ?').run(role.id);
}

function replaceContent(
  tx: Tx,
  role: StoredRole,
  { version, items }: { version: number; items: ReadonlyMap<string, ItemValue> },
): void {
  const before = new Map([...completeItems(tx, role)].map(({ item, value }) => [item, JSON.stringify(value)]));
  const keep = tx.sql('INSERT INTO replaced (role_id, item, version, value) VALUES (?, ?, ?, ?)');
  const put = tx.sql(
    `INSERT INTO content (role_id, item, value) VALUES (?, ?, ?)
     ON CONFLICT (role_id, item) DO UPDATE SET value = excluded.value`,
  );
  const drop = tx.sql('DELETE FROM content WHERE role_id = ? AND item = ?');
  for (const [item, value] of before) {
    if (JSON.stringify(items.get(item)) === value) continue;
    keep.run(role.id, item, version, value);
    if (!items.has(item)) drop.run(role.id, item);
  }
  for (const [item, value] of items) {
    const text = JSON.stringify(value);
    if (before.get(item) !== text) put.run(role.id, item, text);
  }
  dropDone(tx, role);
}

/** What is staged as it is by now needs no next version. */
function dropDone(tx: Tx, role: StoredRole): void {
  tx.sql(
    `DELETE FROM staged WHERE role_id = :role AND frozen_version = 0 AND (
       value = (SELECT value FROM content WHERE role_id = :role AND item = staged.item)
       OR (value IS NULL AND NOT EXISTS (SELECT 1 FROM content WHERE role_id = :role AND item = staged.item)))`,
  ).run({ role: role.id });
}

/** No release counter up to `counter` is given again in `scope`. */
export function raiseReleaseCounter(tx: Tx, scope: string, counter: number): void {
  tx.sql(
    `INSERT INTO counters (scope, last) VALUES (?, ?)
     ON CONFLICT (scope) DO UPDATE SET last = max(last, excluded.last)`,
  ).run(scope, counter);
}

/** The scopes in which release counters were ever given. */
export function counterScopes(reader: Reader): readonly string[] {
  return reader
    .sql<{ scope: string }>('SELECT scope FROM counters ORDER BY scope')
    .all()
    .map(({ scope }) => scope);
}

/** The text of every key definition that the repository holds: of roles, delegations and bins, staged ones too. */
export function definitionValues(reader: Reader): readonly ItemValue[] {
  return reader
    .sql<{ value: string }>(
      `SELECT value FROM content WHERE item GLOB 'roles/*' OR item GLOB 'delegations/*' OR item GLOB 'bins/*'
       UNION SELECT value FROM staged WHERE value IS NOT NULL
         AND (item GLOB 'roles/*' OR item GLOB 'delegations/*' OR item GLOB 'bins/*')`,
    )
    .all()
    .map(({ value }) => JSON.parse(value) as ItemValue);
}
