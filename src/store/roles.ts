/** Roles and their content: a map of items, staged overrides, and what a frozen version has taken of them. */
import { failure } from '../core/errors.ts';
import type { Reader, Tx } from './reader.ts';

/** Which of the two Uptane repositories. */
export type RepositoryKind = 'image' | 'director';

/** What names a role. */
export interface RoleAddress {
  readonly repository: RepositoryKind;
  /** The random id of the vehicle whose role it is; only in the Director. */
  readonly vehicle?: string | null | undefined;
  readonly name: string;
}

/** A role as the store knows it. */
export interface StoredRole {
  readonly id: number;
  readonly repository: RepositoryKind;
  readonly vehicle: string | null;
  readonly name: string;
  /** The highest version ever frozen, 0 where none was. */
  readonly lastVersion: number;
  readonly completeVersion: number | null;
  readonly frozenVersion: number | null;
}

/** JSON as items hold it. */
export type ItemValue = Readonly<Record<string, unknown>>;

/** One item and its value; `undefined` stands for a removal. */
export interface ItemChange {
  readonly item: string;
  readonly before: ItemValue | undefined;
  readonly after: ItemValue | undefined;
}

const COLUMNS = `id, repository, vehicle, name, last_version AS lastVersion, complete_version AS completeVersion,
  frozen_version AS frozenVersion`;

/** The role at `address`, if it was ever made. */
export function findRole(reader: Reader, address: RoleAddress): StoredRole | undefined {
  return reader
    .sql<StoredRole>(`SELECT ${COLUMNS} FROM roles WHERE repository = ? AND ifnull(vehicle, '') = ? AND name = ?`)
    .get(address.repository, address.vehicle ?? '', address.name);
}

/** The role of a row id that another row names. */
export function roleById(reader: Reader, id: number): StoredRole {
  const role = reader.sql<StoredRole>(`SELECT ${COLUMNS} FROM roles WHERE id = ?`).get(id);
  if (role === undefined) throw failure('INTERNAL', `there is no role ${id}`);
  return role;
}

/** The role at `address`, made where it is missing; `bins` is the prefix of the hashed bins that it is one of. */
export function roleAt(tx: Tx, address: RoleAddress & { readonly bins?: string | undefined }): StoredRole {
  const known = findRole(tx, address);
  if (known !== undefined) return known;
  tx.sql('INSERT INTO roles (repository, vehicle, name, bins) VALUES (?, ?, ?, ?)').run(
    address.repository,
    address.vehicle ?? null,
    address.name,
    address.bins ?? null,
  );
  const made = findRole(tx, address);
  if (made === undefined) throw failure('INTERNAL', `role ${address.name} was not stored`);
  return made;
}

/** All roles of a repository that belong to no vehicle, by name; hashed bins are left out. */
export function repositoryRoles(reader: Reader, repository: RepositoryKind): readonly StoredRole[] {
  return reader
    .sql<StoredRole>(`SELECT ${COLUMNS} FROM roles WHERE repository = ? AND ifnull(vehicle, '') = '' AND bins IS NULL
       ORDER BY name`)
    .all(repository);
}

/** An item as the next version will have it: staged, else frozen, else complete. */
export function nextItem(reader: Reader, role: StoredRole, item: string): ItemValue | undefined {
  const staged = reader
    .sql<{ value: string | null }>(
      'SELECT value FROM staged WHERE role_id = ? AND item = ? ORDER BY frozen_version = 0 DESC, frozen_version DESC LIMIT 1',
    )
    .get(role.id, item);
  return staged === undefined ? completeItem(reader, role, item) : parseValue(staged.value);
}

/** An item of the last complete version. */
export function completeItem(reader: Reader, role: StoredRole, item: string): ItemValue | undefined {
  const row = reader
    .sql<{ value: string }>('SELECT value FROM content WHERE role_id = ? AND item = ?')
    .get(role.id, item);
  return row === undefined ? undefined : parseValue(row.value);
}

/** An item as complete version `version` had it. */
export function itemAt(reader: Reader, role: StoredRole, at: { item: string; version: number }): ItemValue | undefined {
  const row = reader
    .sql<{ value: string }>(
      'SELECT value FROM replaced WHERE role_id = ? AND item = ? AND version > ? ORDER BY version LIMIT 1',
    )
    .get(role.id, at.item, at.version);
  return row === undefined ? completeItem(reader, role, at.item) : parseValue(row.value);
}

/** An item as the frozen version has it, else as complete. */
export function frozenItem(reader: Reader, role: StoredRole, item: string): ItemValue | undefined {
  const row = reader
    .sql<{ value: string | null }>('SELECT value FROM staged WHERE role_id = ? AND item = ? AND frozen_version > 0')
    .get(role.id, item);
  return row === undefined ? completeItem(reader, role, item) : parseValue(row.value);
}

/** Stages `value` (undefined removes) for `item`; staging what is there already undoes what was staged. */
export function stageItem(tx: Tx, role: StoredRole, change: { item: string; value: ItemValue | undefined }): void {
  const before = frozenItem(tx, role, change.item);
  const text = change.value === undefined ? null : JSON.stringify(change.value);
  if (text === (before === undefined ? null : JSON.stringify(before))) {
    tx.sql('DELETE FROM staged WHERE role_id = ? AND frozen_version = 0 AND item = ?').run(role.id, change.item);
    return;
  }
  tx.sql(
    `INSERT INTO staged (role_id, item, value) VALUES (?, ?, ?)
     ON CONFLICT (role_id, item, frozen_version) DO UPDATE SET value = excluded.value`,
  ).run(role.id, change.item, text);
}

/** Whether anything is staged beyond what is frozen. */
export function hasStaged(reader: Reader, role: StoredRole): boolean {
  return reader.sql('SELECT 1 FROM staged WHERE role_id = ? AND frozen_version = 0 LIMIT 1').get(role.id) !== undefined;
}

/** How many items are staged beyond what is frozen, or (`frozen`) how many the frozen version changes. */
export function countStaged(reader: Reader, role: StoredRole, frozen = false): number {
  const version = frozen ? role.frozenVersion : 0;
  const row = reader
    .sql<{ n: number }>('SELECT count(*) AS n FROM staged WHERE role_id = ? AND frozen_version = ?')
    .get(role.id, version);
  return row?.n ?? 0;
}

/** The staged changes (`frozen: false`) or those of the frozen version, in item order. */
export function* itemChanges(reader: Reader, role: StoredRole, frozen: boolean): Iterable<ItemChange> {
  const rows = reader
    .sql<{ item: string; value: string | null }>(
      'SELECT item, value FROM staged WHERE role_id = ? AND (frozen_version > 0) = ? ORDER BY item',
    )
    .all(role.id, frozen ? 1 : 0);
  for (const { item, value } of rows) {
    const before = frozen ? completeItem(reader, role, item) : frozenItem(reader, role, item);
    yield { item, before, after: parseValue(value) };
  }
}

/** Items whose names begin with `prefix` and come after `after`, which may be empty. */
export interface ItemRange {
  readonly prefix: string;
  readonly after: string;
}

/** All items as the next version will have them (staged and frozen over complete), in item order. */
export function* nextItems(
  reader: Reader,
  role: StoredRole,
  range: string | ItemRange = '',
): Iterable<{ item: string; value: ItemValue }> {
  const { prefix, after } = typeof range === 'string' ? { prefix: range, after: '' } : range;
  const rows = reader
    .sql<{ item: string; value: string }>(
      `SELECT item, value FROM (
         SELECT item, value FROM staged AS s WHERE role_id = :role AND item >= :from AND item < :to AND value IS NOT NULL
           AND frozen_version = (SELECT frozen_version FROM staged WHERE role_id = s.role_id AND item = s.item
                                 ORDER BY frozen_version = 0 DESC LIMIT 1)
         UNION ALL
         SELECT item, value FROM content WHERE role_id = :role AND item >= :from AND item < :to AND NOT EXISTS (
           SELECT 1 FROM staged AS s WHERE s.role_id = content.role_id AND s.item = content.item
             AND s.frozen_version IN (0, :frozen))
       ) ORDER BY item`,
    )
    .iterate({
      role: role.id,
      from: after > prefix ? after : prefix,
      to: `${prefix}\u{10ffff}`,
      frozen: role.frozenVersion ?? 0,
    });
  for (const { item, value } of rows) {
    if (item !== after) yield { item, value: valueOf(value) };
  }
}

/** All items of the last complete version, in item order. */
export function* completeItems(
  reader: Reader,
  role: StoredRole,
  prefix = '',
): Iterable<{ item: string; value: ItemValue }> {
  const rows = reader
    .sql<{ item: string; value: string }>(
      'SELECT item, value FROM content WHERE role_id = ? AND item >= ? AND item < ? ORDER BY item',
    )
    .iterate(role.id, prefix, `${prefix}\u{10ffff}`);
  for (const { item, value } of rows) yield { item, value: valueOf(value) };
}

/** Drops what is staged beyond what is frozen; says how many items that were. */
export function dropStaged(tx: Tx, role: StoredRole): number {
  return tx.sql('DELETE FROM staged WHERE role_id = ? AND frozen_version = 0').run(role.id).changes;
}

function parseValue(text: string | null): ItemValue | undefined {
  return text === null ? undefined : valueOf(text);
}

/** The database's own JSON, which only this room writes. */
export function valueOf(text: string): ItemValue {
  return JSON.parse(text) as ItemValue;
}
