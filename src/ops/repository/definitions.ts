/**
 * Keys and thresholds of roles as the store holds them: those of the four in the root, those of delegated roles in the
 * Targets that delegates to them; in the version in force, the frozen one, or the next.
 */
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import { binsOf, delegatedDefinitions, delegationOf } from '../../plan/delegations.ts';
import type { DelegatedContent } from '../../plan/delegations.ts';
import { definitionOf, keyIdsOf } from '../../plan/role-definition.ts';
import type { Member, RoleDefinition } from '../../plan/role-definition.ts';
import type { Authority, Threshold } from '../../plan/quorum.ts';
import { delegatorOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { completeItem, completeItems, findRole, frozenItem, itemAt, nextItem, nextItems } from '../../store/roles.ts';
import type { ItemValue, RepositoryKind, StoredRole } from '../../store/roles.ts';

/** Role name -> definition; roles without keys are missing. */
export type Definitions = ReadonlyMap<string, RoleDefinition>;

/** Which root is asked: the last complete one, the frozen one, or the one that would come next. */
export type RootState = 'complete' | 'frozen' | 'next';

const READ = { complete: completeItem, frozen: frozenItem, next: nextItem } as const;

/** The item of the root that holds a role's keys. */
export function definitionItem(role: string): string {
  return `roles/${role}`;
}

/** The definitions of a repository's root in a state; empty where there is no root. */
export function definitionsIn(reader: Reader, repository: RepositoryKind, state: RootState): Definitions {
  const root = findRole(reader, { repository, name: 'root' });
  const definitions = new Map<string, RoleDefinition>();
  if (root === undefined) return definitions;
  for (const name of TOP_LEVEL_ROLES) {
    const value = READ[state](reader, root, definitionItem(name));
    if (value !== undefined) definitions.set(name, definitionOf(value));
  }
  return definitions;
}

/** The definitions of the root before the one in force; empty where there is none. */
export function previousDefinitions(reader: Reader, repository: RepositoryKind): Definitions {
  const root = findRole(reader, { repository, name: 'root' });
  const definitions = new Map<string, RoleDefinition>();
  const version = (root?.completeVersion ?? 0) - 1;
  if (root === undefined || version < 1) return definitions;
  for (const name of TOP_LEVEL_ROLES) {
    const value = itemAt(reader, root, { item: definitionItem(name), version });
    if (value !== undefined) definitions.set(name, definitionOf(value));
  }
  return definitions;
}

/** A role by its name; the address of one that was never stored will do. */
export type RoleNamed = Pick<StoredRole, 'repository' | 'name'>;

/** Whether a root lists the role; the others are delegated to. */
export function isTopLevel(name: string): boolean {
  return TOP_LEVEL_ROLES.some((role) => role === name);
}

/** A role's definition in a state of its root or of its delegator; undefined where nobody lists it. */
export function definitionOfRole(reader: Reader, role: RoleNamed, state: RootState): RoleDefinition | undefined {
  if (isTopLevel(role.name)) return definitionsIn(reader, role.repository, state).get(role.name);
  const delegator = role.repository === 'image' ? delegatorOf(reader, role.name) : undefined;
  const value = delegator && READ[state](reader, delegator.role, delegator.item);
  if (delegator === undefined || value === undefined) return undefined;
  const named = delegatedDefinitions(contentOf([{ item: delegator.item, value }]));
  return (named.find(([name]) => name === role.name) ?? (isBins(delegator.item) ? named[0] : undefined))?.[1];
}

/** All that a role delegates in its last complete or its next version. */
export function delegatedContent(
  reader: Reader,
  role: StoredRole,
  state: Exclude<RootState, 'frozen'>,
): DelegatedContent {
  const items = state === 'complete' ? completeItems : nextItems;
  return contentOf([...items(reader, role, 'bins/'), ...items(reader, role, 'delegations/')]);
}

function contentOf(items: readonly { readonly item: string; readonly value: ItemValue }[]): DelegatedContent {
  const named = items.map(({ item, value }) => ({ item, value, name: item.slice(item.indexOf('/') + 1) }));
  const bins = named.find(({ item }) => isBins(item));
  const delegations = named.filter(({ item }) => !isBins(item)).map(({ name, value }) => delegationOf(name, value));
  return {
    bins: bins && binsOf(bins.name, bins.value),
    delegations: delegations.sort((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1)),
  };
}

function isBins(item: string): boolean {
  return item.startsWith('bins/');
}

/** What a version of `role` must meet under a root named `name`. */
export function authorityOf(name: string, definition: RoleDefinition): Authority {
  const { members, threshold: needed } = definition;
  const classical: Threshold = { section: 'classical', needed, keyIds: members.map((m) => m.classical.keyId) };
  const postQuantum = members.map((member) => member.postQuantum?.keyId).filter((id) => id !== undefined);
  if (postQuantum.length === 0) return { name, thresholds: [classical] };
  return { name, thresholds: [classical, { section: 'post-quantum', needed, keyIds: postQuantum }] };
}

/** The members of all roles in some definitions. */
export function membersOf(...definitions: readonly Definitions[]): readonly Member[] {
  return definitions.flatMap((some) => [...some.values()].flatMap((definition) => definition.members));
}

/** Who holds a key. */
export function holderOf(members: readonly Member[], keyId: string): string {
  return members.find((member) => keyIdsOf(member).includes(keyId))?.holder ?? '';
}

/** Everyone whose key may count for a role, in any state of its root or delegator. */
export function membersFor(reader: Reader, role: RoleNamed): readonly Member[] {
  const states = ['complete', 'frozen', 'next'] as const;
  if (isTopLevel(role.name)) {
    const definitions = states.map((state) => definitionsIn(reader, role.repository, state));
    return membersOf(...definitions, previousDefinitions(reader, role.repository));
  }
  return states.flatMap((state) => definitionOfRole(reader, role, state)?.members ?? []);
}

/**
 * What a version must meet: for a root the root in force and the new one itself, for the other three the root in force,
 * for a delegated role the delegator in force.
 */
export function authoritiesFor(
  reader: Reader,
  role: RoleNamed,
  rootState: Exclude<RootState, 'complete'>,
): readonly Authority[] {
  if (!isTopLevel(role.name)) return delegatedAuthority(reader, role);
  const root = findRole(reader, { repository: role.repository, name: 'root' });
  if (root === undefined) return [];
  const inForce = definitionsIn(reader, role.repository, 'complete').get(role.name);
  const authorities = inForce === undefined ? [] : [authorityOf(`root ${root.completeVersion ?? 0}`, inForce)];
  if (role.name !== 'root') return authorities;
  const coming = definitionsIn(reader, role.repository, rootState).get('root');
  const version = rootState === 'frozen' ? (root.frozenVersion ?? 0) : root.lastVersion + 1;
  return coming === undefined ? authorities : [...authorities, authorityOf(`root ${version}`, coming)];
}

function delegatedAuthority(reader: Reader, role: RoleNamed): readonly Authority[] {
  const definition = definitionOfRole(reader, role, 'complete');
  const delegator = delegatorOf(reader, role.name)?.role;
  if (definition === undefined || delegator === undefined) return [];
  return [authorityOf(`${delegator.name} ${delegator.completeVersion ?? 0}`, definition)];
}
