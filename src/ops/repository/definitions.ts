/** Keys and thresholds of roles as the store holds them: in the root in force, the frozen one, or the next. */
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import { definitionOf, keyIdsOf } from '../../plan/role-definition.ts';
import type { Member, RoleDefinition } from '../../plan/role-definition.ts';
import type { Authority, Threshold } from '../../plan/quorum.ts';
import type { Reader } from '../../store/reader.ts';
import { completeItem, findRole, frozenItem, itemAt, nextItem } from '../../store/roles.ts';
import type { RepositoryKind, StoredRole } from '../../store/roles.ts';

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

/** What a version must meet: for a root the root in force and the new one itself, for others the root in force. */
export function authoritiesFor(
  reader: Reader,
  role: Pick<StoredRole, 'repository' | 'name'>,
  rootState: Exclude<RootState, 'complete'>,
): readonly Authority[] {
  const root = findRole(reader, { repository: role.repository, name: 'root' });
  if (root === undefined) return [];
  const inForce = definitionsIn(reader, role.repository, 'complete').get(role.name);
  const authorities = inForce === undefined ? [] : [authorityOf(`root ${root.completeVersion ?? 0}`, inForce)];
  if (role.name !== 'root') return authorities;
  const coming = definitionsIn(reader, role.repository, rootState).get('root');
  const version = rootState === 'frozen' ? (root.frozenVersion ?? 0) : root.lastVersion + 1;
  return coming === undefined ? authorities : [...authorities, authorityOf(`root ${version}`, coming)];
}
