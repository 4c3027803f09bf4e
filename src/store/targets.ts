/** Targets of the Image repository: staged through the role that owns their path, found by name and by hash. */
import { toHex, fromHex } from '../core/bytes.ts';
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { failure, SecureevError } from '../core/errors.ts';
import { dialectOf } from '../formats/metadata/index.ts';
import { delegatorOf, imageRoleAt, owningRoles, searchedRoles } from './delegations.ts';
import type { Reader, Tx } from './reader.ts';
import { completeItem, completeItems, findRole, itemAt, nextItem, nextItems, stageItem, valueOf } from './roles.ts';
import type { ItemRange, ItemValue, StoredRole } from './roles.ts';
import { setting } from './settings.ts';

/** What Targets says of one file. */
export interface Target {
  readonly name: TargetName;
  readonly length: number;
  /** SHA-256 of the clear bytes (of the sealed ones for a `.sev`), 32 bytes. */
  readonly sha256: Uint8Array;
  /** Plain JSON: `hardwareIds`, `releaseCounter`, `version`. */
  readonly custom: ItemValue;
  /** Its bytes are never published; only the sealed payload `NAME.sev` is. */
  readonly confidential: boolean;
  /** It travels inside a bundle, so that it needs no sealed payload of its own. */
  readonly insideBundle: boolean;
}

/** A target as it is staged; in the role that owns its path unless `role` names one. */
export type NewTarget = Omit<Target, 'insideBundle'> & {
  readonly role?: string | undefined;
  readonly insideBundle?: boolean | undefined;
};

/** A target and the role that lists it. */
export interface ListedTarget extends Target {
  readonly role: string;
  /** Listed in the last complete version as it is here. */
  readonly complete: boolean;
}

const PREFIX = 'targets/';

/** The name of the role that owns the path `name`; the first one where several must agree on it. */
export function owningRole(reader: Reader, name: TargetName, hardwareIds?: readonly string[]): string {
  return owningRoles(reader, { name, hardwareIds })[0] ?? 'targets';
}

/**
 * Stages a target for the next version of the role that owns its path, or of all where several must agree on it; what a
 * client would find before it under the same name is staged for removal. Gives the names of the roles that will list it.
 *
 * @throws ROLE_UNKNOWN, TARGET_NAME_TAKEN
 */
export function stageTarget(tx: Tx, target: NewTarget): readonly string[] {
  const { name, length, confidential, custom } = target;
  const insideBundle = target.insideBundle === true;
  const value = { length, sha256: toHex(target.sha256), custom, confidential, insideBundle };
  const item = PREFIX + name;
  requireFinalName(tx, target);
  const owners =
    target.role === undefined ? owningRoles(tx, { name, hardwareIds: hardwareIdsOf(custom) }) : [target.role];
  for (const owner of owners) stageItem(tx, targetsRole(tx, owner), { item, value });
  const order = searchedRoles(tx, name);
  for (const role of listingRoles(tx, name)) {
    const isBefore = order.indexOf(role.name) < order.indexOf(owners[0] ?? '');
    if (isBefore && !owners.includes(role.name)) stageItem(tx, role, { item, value: undefined });
  }
  return owners;
}

/** Where vehicles keep content under the target's name, a name that was ever signed stands for one content. */
function requireFinalName(tx: Tx, { name, sha256 }: NewTarget): void {
  if (!dialectOf(setting(tx, 'dialect')).namesAreFinal) return;
  const other = tx
    .sql<{ sha256: string }>(
      `WITH ids AS (SELECT id FROM roles WHERE repository = 'image')
       SELECT value ->> '$.sha256' AS sha256 FROM (
         SELECT value FROM content WHERE role_id IN ids AND item = :item
         UNION ALL SELECT value FROM replaced WHERE role_id IN ids AND item = :item
         UNION ALL SELECT value FROM staged WHERE role_id IN ids AND item = :item AND frozen_version > 0)
       WHERE sha256 <> :hash`,
    )
    .get({ item: PREFIX + name, hash: toHex(sha256) });
  if (other === undefined) return;
  throw new SecureevError('TARGET_NAME_TAKEN', {
    message: `${name} was signed with other content before, and vehicles of this repository keep images by name`,
    hint: 'give the new content a new name, for instance with its version in it',
    details: { target: name, before: other.sha256, now: toHex(sha256) },
  });
}

function hardwareIdsOf(custom: ItemValue): readonly string[] | undefined {
  return Array.isArray(custom['hardwareIds']) ? custom['hardwareIds'].map(String) : undefined;
}

/** The roles whose next versions list `name`, in the order in which a client asks them. */
export function listingRoles(reader: Reader, name: TargetName): readonly StoredRole[] {
  return searchedRoles(reader, name)
    .flatMap((role) => findRole(reader, { repository: 'image', name: role }) ?? [])
    .filter((role) => nextItem(reader, role, PREFIX + name) !== undefined);
}

/** Stages the removal of a target from every role that lists it. @throws TARGET_UNKNOWN */
export function stageTargetRemoval(tx: Tx, name: TargetName): readonly string[] {
  const roles = listingRoles(tx, name);
  if (roles.length === 0) throw failure('TARGET_UNKNOWN', `${owningRole(tx, name)} lists no target ${name}`);
  for (const role of roles) stageItem(tx, role, { item: PREFIX + name, value: undefined });
  return roles.map((role) => role.name);
}

/** The target as the next versions will list it, as a client would find it. */
export function findTarget(reader: Reader, name: TargetName): ListedTarget | undefined {
  const [role] = listingRoles(reader, name);
  const value = role === undefined ? undefined : nextItem(reader, role, PREFIX + name);
  return role === undefined || value === undefined ? undefined : listed(reader, role, { item: PREFIX + name, value });
}

/**
 * All that complete versions ever listed under a name, of the roles that a search for it comes to: what they list now first,
 * then what they listed before, and what is staged for it.
 */
export function targetHistory(reader: Reader, name: TargetName): readonly Target[] {
  const names = new Set([...searchedRoles(reader, name, 'complete'), ...searchedRoles(reader, name)]);
  const ids = [...names].flatMap((role) => findRole(reader, { repository: 'image', name: role })?.id ?? []);
  const rows = ids.flatMap((id) =>
    // Each arm has its own condition: over the whole of them SQLite would read every row there is.
    reader
      .sql<{ value: string; place: number }>(
        `SELECT value, 0 AS place, 0 AS version FROM content WHERE role_id = :id AND item = :item
         UNION ALL SELECT value, 1, version FROM replaced WHERE role_id = :id AND item = :item
         UNION ALL SELECT value, 2, 0 FROM staged WHERE role_id = :id AND item = :item AND value IS NOT NULL
         ORDER BY place, version DESC`,
      )
      .all({ id, item: PREFIX + name }),
  );
  const ordered = rows.toSorted((a, b) => a.place - b.place);
  return ordered.map(({ value }) => targetOf(PREFIX + name, valueOf(value)));
}

/** The target as the last complete versions list it, as a client would find it. */
export function findCompleteTarget(reader: Reader, name: TargetName): Target | undefined {
  const item = PREFIX + name;
  for (const roleName of searchedRoles(reader, name, 'complete')) {
    const role = findRole(reader, { repository: 'image', name: roleName });
    const value = role && completeItem(reader, role, item);
    if (value !== undefined) return targetOf(item, value);
  }
  return undefined;
}

/** Every target of the next versions whose SHA-256 is `sha256` (32 bytes), by name. */
export function findTargetsBySha256(reader: Reader, sha256: Uint8Array): readonly ListedTarget[] {
  const hash = toHex(sha256);
  const rows = reader
    .sql<{ item: string }>(
      `SELECT item FROM content JOIN roles ON roles.id = role_id AND repository = 'image' WHERE value ->> '$.sha256' = :hash
       UNION SELECT item FROM staged JOIN roles ON roles.id = role_id AND repository = 'image'
       WHERE value ->> '$.sha256' = :hash ORDER BY item`,
    )
    .all({ hash });
  return rows
    .map(({ item }) => findTarget(reader, targetNameOf(item)))
    .filter((target) => target !== undefined)
    .filter((target) => toHex(target.sha256) === hash);
}

/** The highest release counters of any target for each of these hardware ids, complete or staged; none where there is none. */
export function highestCounters(reader: Reader, hardwareIds: ReadonlySet<string>): ReadonlyMap<string, number> {
  const own = "repository = 'image' AND item >= 'targets/' AND item < 'targets0'";
  const rows = reader
    .sql<{ id: string; highest: number | null }>(
      `SELECT hardware.value AS id, max(CAST(listed.value ->> '$.custom.releaseCounter' AS INTEGER)) AS highest FROM (
         SELECT value FROM content JOIN roles ON roles.id = role_id WHERE ${own}
         UNION ALL SELECT value FROM staged JOIN roles ON roles.id = role_id WHERE value IS NOT NULL AND ${own}) AS listed,
         json_each(listed.value, '$.custom.hardwareIds') AS hardware
       WHERE hardware.value IN (SELECT value FROM json_each(?)) GROUP BY hardware.value`,
    )
    .all(JSON.stringify([...hardwareIds]));
  return new Map(rows.map(({ id, highest }) => [id, highest ?? 0]));
}

/** The first target of {@link findTargetsBySha256}. */
export function findTargetBySha256(reader: Reader, sha256: Uint8Array): ListedTarget | undefined {
  return findTargetsBySha256(reader, sha256)[0];
}

/** All targets of a role as its next version will list them, in name order, row by row. */
export function* nextTargets(reader: Reader, role: StoredRole, range: string | ItemRange = ''): Iterable<Target> {
  const items = typeof range === 'string' ? PREFIX + range : itemsAfter(range);
  for (const { item, value } of nextItems(reader, role, items)) yield targetOf(item, value);
}

function itemsAfter({ prefix, after }: ItemRange): ItemRange {
  return { prefix: PREFIX + prefix, after: after === '' ? '' : PREFIX + after };
}

/** All targets of a role's last complete version, in name order, row by row. */
export function* completeTargets(reader: Reader, role: StoredRole): Iterable<Target> {
  for (const { item, value } of completeItems(reader, role, PREFIX)) yield targetOf(item, value);
}

/** What a role lists of a target, as it is stored: the hash in hex. */
export interface ListedRow {
  readonly name: string;
  readonly length: number;
  readonly sha256: string;
  readonly custom: unknown;
}

/** The targets of a role's next version, or of its last complete one, in name order, with nothing made of them. */
export function* listedRows(reader: Reader, role: StoredRole, next: boolean): Iterable<ListedRow> {
  const items = next ? nextItems(reader, role, PREFIX) : completeItems(reader, role, PREFIX);
  for (const { item, value } of items) {
    const { length, sha256, custom } = value;
    yield { name: item.slice(PREFIX.length), length: Number(length), sha256: String(sha256), custom };
  }
}

/** A target as version `version` (complete, not above the last) of a role lists it. */
export function targetAt(reader: Reader, role: StoredRole, at: { name: string; version: number }): Target | undefined {
  const item = PREFIX + at.name;
  const value = itemAt(reader, role, { item, version: at.version });
  return value === undefined ? undefined : targetOf(item, value);
}

/** The item that holds a target. */
export function targetItem(name: TargetName): string {
  return PREFIX + name;
}

/** How a target reads from the item that holds it. */
export function targetOf(item: string, value: ItemValue): Target {
  return {
    name: targetNameOf(item),
    length: Number(value['length']),
    sha256: fromHex(String(value['sha256'])),
    custom: value['custom'] as ItemValue,
    confidential: value['confidential'] === true,
    insideBundle: value['insideBundle'] === true,
  };
}

function targetNameOf(item: string): TargetName {
  return parseTargetName(item.slice(PREFIX.length));
}

function targetsRole(tx: Tx, name: string): StoredRole {
  const known = findRole(tx, { repository: 'image', name });
  if (known !== undefined) return known;
  if (name !== 'targets' && delegatorOf(tx, name) === undefined) {
    throw failure('ROLE_UNKNOWN', `there is no role ${name}`);
  }
  return imageRoleAt(tx, name);
}

function listed(reader: Reader, role: StoredRole, found: { item: string; value: ItemValue }): ListedTarget {
  const complete = reader
    .sql('SELECT 1 FROM content WHERE role_id = ? AND item = ? AND value = ?')
    .get(role.id, found.item, JSON.stringify(found.value));
  return { ...targetOf(found.item, found.value), role: role.name, complete: complete !== undefined };
}
