/**
 * Delegations as items of the delegating role: which role hands which paths to which.
 *
 * Items: `delegations/NAME` is a delegation, `bins/PREFIX` succinct hashed bins (TAP 15); a role has the one kind or the
 * other. Invariants: a role is delegated to by one delegator, under one item, for as long as any state of that item is
 * there; the table `delegated_roles` finds it by the role's name, or by the prefix of bins.
 */
import type { TargetName } from '../core/brands.ts';
import { failure } from '../core/errors.ts';
import { binOf, matchesPattern } from '../formats/metadata/path-pattern.ts';
import type { Reader, Tx } from './reader.ts';
import { completeItem, completeItems, findRole, nextItem, nextItems, roleAt, roleById } from './roles.ts';
import type { ItemValue, StoredRole } from './roles.ts';

const DELEGATION = 'delegations/';
const BINS = 'bins/';

/** What the way of a target depends on in a delegation. */
export interface Route {
  readonly name: string;
  /** Rises in the order of trust. */
  readonly position: number;
  readonly paths: readonly string[];
  /** Undefined for any. */
  readonly hardwareIds: readonly string[] | undefined;
  readonly terminating: boolean;
  /** One, or several that must agree (TAP 3). */
  readonly roles: readonly string[];
}

/** Succinct hashed bins: 2^bitLength roles named after a prefix. */
export interface BinsRoute {
  readonly namePrefix: string;
  readonly bitLength: number;
}

/** Where a role hands paths to. */
export interface Routes {
  /** In order of trust. */
  readonly routes: readonly Route[];
  readonly bins: BinsRoute | undefined;
}

/** Where a delegated role's keys stand. */
export interface Delegator {
  readonly role: StoredRole;
  /** The item of `role` that delegates. */
  readonly item: string;
}

/** The item of a delegation. */
export function delegationItem(name: string): string {
  return DELEGATION + name;
}

/** The item of bins. */
export function binsItem(namePrefix: string): string {
  return BINS + namePrefix;
}

/** Which versions are asked: the last complete ones, or those that come next. */
export type DelegationState = 'complete' | 'next';

/** Where a role's next version will hand paths to, or its last complete one does. */
export function routesOf(reader: Reader, role: StoredRole, state: DelegationState = 'next'): Routes {
  const items = state === 'next' ? nextItems : completeItems;
  const [bins] = [...items(reader, role, BINS)].map(({ item, value }) => binsRoute(item, value));
  const routes = [...items(reader, role, DELEGATION)].map(({ item, value }) => routeOf(item, value));
  return { bins, routes: routes.sort((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1)) };
}

/** A delegation's item as a route. */
export function routeOf(item: string, value: ItemValue): Route {
  const roles: readonly { readonly name: string }[] = Array.isArray(value['roles']) ? value['roles'] : [];
  return {
    name: item.slice(DELEGATION.length),
    position: Number(value['position']),
    paths: textsOf(value['paths']),
    hardwareIds: value['hardwareIds'] === undefined ? undefined : textsOf(value['hardwareIds']),
    terminating: value['terminating'] === true,
    roles: roles.map(({ name }) => name),
  };
}

/** The item of bins as a route. */
export function binsRoute(item: string, value: ItemValue): BinsRoute {
  return { namePrefix: item.slice(BINS.length), bitLength: Number(value['bitLength']) };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Whether a role's item says to whom it delegates. */
export function isDelegating(item: string): boolean {
  return item.startsWith(DELEGATION) || item.startsWith(BINS);
}

/** Who delegates, or did, to a role of the Image repository, or to the bin that it is. */
export function delegatorOf(reader: Reader, name: string): Delegator | undefined {
  const row = delegatedRow(reader, name) ?? delegatedRow(reader, binsPrefixOf(reader, name));
  return row === undefined ? undefined : { role: roleById(reader, row.delegator), item: row.item };
}

/** The prefix of the bins of which `name` is one by its form; undefined where there are none so named. */
export function binsPrefixOf(reader: Reader, name: string): string | undefined {
  const prefix = /^(.+)-[0-9a-f]{1,8}$/.exec(name)?.[1];
  return delegatedRow(reader, prefix)?.item === binsItem(prefix ?? '') ? prefix : undefined;
}

/** Whether a name is the prefix of hashed bins. */
export function isBinsPrefix(reader: Reader, name: string): boolean {
  return delegatedRow(reader, name)?.item === binsItem(name);
}

/** A role of the Image repository, made where it is missing; a bin is stored as one of its bins. */
export function imageRoleAt(tx: Tx, name: string): StoredRole {
  return roleAt(tx, { repository: 'image', name, bins: binsPrefixOf(tx, name) });
}

interface DelegatedRow {
  readonly delegator: number;
  readonly item: string;
}

function delegatedRow(reader: Reader, name: string | undefined): DelegatedRow | undefined {
  if (name === undefined) return undefined;
  return reader.sql<DelegatedRow>('SELECT delegator, item FROM delegated_roles WHERE name = ?').get(name);
}

/** The prefixes of all bins that were ever delegated to, in name order. */
export function binsPrefixes(reader: Reader): readonly string[] {
  return reader
    .sql<{ name: string }>("SELECT name FROM delegated_roles WHERE item = 'bins/' || name ORDER BY name")
    .all()
    .map(({ name }) => name);
}

/** The names of all roles that are delegated to one by one, bins aside, in name order. */
export function delegatedNames(reader: Reader): readonly string[] {
  return reader
    .sql<{ name: string }>(
      "SELECT name FROM delegated_roles WHERE item >= 'delegations/' AND item < 'delegations0' ORDER BY name",
    )
    .all()
    .map(({ name }) => name);
}

/** Every stored role that lists targets: Targets, then delegated ones, then bins. */
export function targetsRoles(reader: Reader): readonly StoredRole[] {
  const one = ['targets', ...delegatedNames(reader)];
  const bins = reader.sql<{ name: string }>('SELECT name FROM roles WHERE bins IS NOT NULL ORDER BY bins, name').all();
  const names = [...one, ...bins.map(({ name }) => name)];
  return names.flatMap((name) => findRole(reader, { repository: 'image', name }) ?? []);
}

/**
 * Records that `item` of `delegator` delegates to roles, or to bins by their prefix.
 *
 * @throws DELEGATION_EXISTS where another item does
 */
export function claimDelegated(tx: Tx, delegator: StoredRole, claim: { item: string; names: readonly string[] }): void {
  for (const name of claim.names) {
    const known = delegatedRow(tx, name);
    const same = known?.delegator === delegator.id && known.item === claim.item;
    if (known !== undefined && !same && isDelegated(tx, known)) {
      const by = roleById(tx, known.delegator).name;
      throw failure('DELEGATION_EXISTS', `${by} delegates to ${name} already`, { role: name, delegator: by });
    }
    tx.sql(
      `INSERT INTO delegated_roles (name, delegator, item) VALUES (?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET delegator = excluded.delegator, item = excluded.item`,
    ).run(name, delegator.id, claim.item);
  }
}

/** Whether the last complete or the next version of the delegator has the item. */
function isDelegated(reader: Reader, { delegator, item }: DelegatedRow): boolean {
  const role = roleById(reader, delegator);
  return completeItem(reader, role, item) !== undefined || nextItem(reader, role, item) !== undefined;
}

/** The roles in the order in which a client asks them for `name`, hardware ids left aside; each once. */
export function searchedRoles(reader: Reader, name: TargetName, state: DelegationState = 'next'): readonly string[] {
  const visited = new Set<string>();
  search(reader, { name, state, role: 'targets', visited });
  return [...visited];
}

interface Visit {
  readonly name: TargetName;
  readonly state: DelegationState;
  readonly role: string;
  readonly visited: Set<string>;
}

/** Whether the search ends here for good. */
function search(reader: Reader, { name, state, role, visited }: Visit): boolean {
  if (visited.has(role)) return false;
  visited.add(role);
  const known = findRole(reader, { repository: 'image', name: role });
  if (known === undefined) return false;
  const { bins, routes } = routesOf(reader, known, state);
  if (bins !== undefined) {
    search(reader, { name, state, role: binOf(reader.io.engine, bins, name), visited });
    return true;
  }
  for (const route of routes.filter(({ paths }) => paths.some((path) => matchesPattern(name, path)))) {
    if (route.roles.some((one) => search(reader, { name, state, role: one, visited })) || route.terminating)
      return true;
  }
  return false;
}

/**
 * The roles that own a path: down from Targets (or `role`), always into the first delegation that is for it; more than
 * one where roles must agree on it.
 */
export function owningRoles(
  reader: Reader,
  target: { readonly name: TargetName; readonly hardwareIds?: readonly string[] | undefined },
  role = 'targets',
): readonly string[] {
  return owners(reader, { ...target, role, above: [] });
}

interface Ownership {
  readonly name: TargetName;
  readonly hardwareIds?: readonly string[] | undefined;
  readonly role: string;
  readonly above: readonly string[];
}

function owners(reader: Reader, { name, hardwareIds, role, above }: Ownership): readonly string[] {
  const known = findRole(reader, { repository: 'image', name: role });
  if (known === undefined || above.includes(role)) return [role];
  const { bins, routes } = routesOf(reader, known);
  if (bins !== undefined) return [binOf(reader.io.engine, bins, name)];
  const route = routes.find((one) => isFor(one, { name, hardwareIds }));
  if (route === undefined) return [role];
  return route.roles.flatMap((one) => owners(reader, { name, hardwareIds, role: one, above: [...above, role] }));
}

function isFor(route: Route, { name, hardwareIds }: Pick<Ownership, 'name' | 'hardwareIds'>): boolean {
  const { hardwareIds: allowed } = route;
  const fits = allowed === undefined || hardwareIds === undefined || hardwareIds.every((id) => allowed.includes(id));
  return fits && route.paths.some((path) => matchesPattern(name, path));
}
