/** Targets of the Image repository: staged through the role that owns their path, found by name and by hash. */
import { toHex, fromHex } from '../core/bytes.ts';
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import type { Reader, Tx } from './reader.ts';
import { completeItems, findRole, itemAt, nextItem, nextItems, roleAt, stageItem } from './roles.ts';
import type { ItemValue, StoredRole } from './roles.ts';

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

/** The name of the role whose Targets file lists `name`: the top-level one. */
export function owningRole(_reader: Reader, _name: TargetName): string {
  return 'targets';
}

/** Stages a target for the next version of the role that owns its path. @throws ROLE_UNKNOWN */
export function stageTarget(tx: Tx, target: NewTarget): void {
  const { name, length, confidential, custom } = target;
  const insideBundle = target.insideBundle === true;
  const value = { length, sha256: toHex(target.sha256), custom, confidential, insideBundle };
  stageItem(tx, targetsRole(tx, target.role ?? owningRole(tx, name)), { item: PREFIX + name, value });
}

/** Stages the removal of a target. @throws TARGET_UNKNOWN */
export function stageTargetRemoval(tx: Tx, name: TargetName): void {
  const role = targetsRole(tx, owningRole(tx, name));
  if (nextItem(tx, role, PREFIX + name) === undefined) {
    throw failure('TARGET_UNKNOWN', `${role.name} lists no target ${name}`);
  }
  stageItem(tx, role, { item: PREFIX + name, value: undefined });
}

/** The target as the next version will list it. */
export function findTarget(reader: Reader, name: TargetName): ListedTarget | undefined {
  const role = findRole(reader, { repository: 'image', name: owningRole(reader, name) });
  const value = role === undefined ? undefined : nextItem(reader, role, PREFIX + name);
  return role === undefined || value === undefined ? undefined : listed(reader, role, { item: PREFIX + name, value });
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

/** The first target of {@link findTargetsBySha256}. */
export function findTargetBySha256(reader: Reader, sha256: Uint8Array): ListedTarget | undefined {
  return findTargetsBySha256(reader, sha256)[0];
}

/** All targets of a role as its next version will list them, in name order, row by row. */
export function* nextTargets(reader: Reader, role: StoredRole, prefix = ''): Iterable<Target> {
  for (const { item, value } of nextItems(reader, role, PREFIX + prefix)) yield targetOf(item, value);
}

/** All targets of a role's last complete version, in name order, row by row. */
export function* completeTargets(reader: Reader, role: StoredRole): Iterable<Target> {
  for (const { item, value } of completeItems(reader, role, PREFIX)) yield targetOf(item, value);
}

/** A target as version `version` (complete, not above the last) of a role lists it. */
export function targetAt(reader: Reader, role: StoredRole, at: { name: string; version: number }): Target | undefined {
  const item = PREFIX + at.name;
  const value = itemAt(reader, role, { item, version: at.version });
  return value === undefined ? undefined : targetOf(item, value);
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
  if (known === undefined && name !== 'targets') throw failure('ROLE_UNKNOWN', `there is no role ${name}`);
  return known ?? roleAt(tx, { repository: 'image', name });
}

function listed(reader: Reader, role: StoredRole, found: { item: string; value: ItemValue }): ListedTarget {
  const complete = reader
    .sql('SELECT 1 FROM content WHERE role_id = ? AND item = ? AND value = ?')
    .get(role.id, found.item, JSON.stringify(found.value));
  return { ...targetOf(found.item, found.value), role: role.name, complete: complete !== undefined };
}
