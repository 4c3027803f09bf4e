/** What is staged, and what a version that waits for signatures changes, item by item. */
import { definitionOf } from '../../plan/role-definition.ts';
import type { Io } from '../../core/ports.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole, itemChanges, repositoryRoles } from '../../store/roles.ts';
import type { ItemChange, RoleAddress, StoredRole } from '../../store/roles.ts';
import { targetOf } from '../../store/targets.ts';
import type { Target } from '../../store/targets.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { roleText, signedRole } from '../repository/role-address.ts';
import { shownRole } from '../repository/role-set.ts';
import type { ShownRole } from '../repository/role-set.ts';

/** A role's keys before and after; `undefined` before or after stands for none. */
export interface KeysChange {
  readonly kind: 'keys';
  readonly role: string;
  readonly before: ShownRole | undefined;
  readonly after: ShownRole | undefined;
}

/** A target before and after. */
export interface TargetChange {
  readonly kind: 'target';
  readonly name: string;
  readonly before: Target | undefined;
  readonly after: Target | undefined;
}

/** The changes of one role's next version. */
export interface RoleDiff {
  readonly role: string;
  /** The frozen version that has taken these changes, or null where they are only staged. */
  readonly frozen: number | null;
  readonly changes: readonly (KeysChange | TargetChange)[];
}

/** What is frozen and what is staged, for the roles named or for all; roles without changes are left out. */
export async function stagedChanges(
  input: { repository: RepositoryChoice; roles: readonly string[] },
  io: Io,
): Promise<readonly RoleDiff[]> {
  const named = input.roles.map(signedRole);
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const roles =
    named.length === 0 ? allRoles(repository) : named.flatMap((address) => findRole(repository, address) ?? []);
  return roles.flatMap((role) => diffsOf(repository, role)).filter(({ changes }) => changes.length > 0);
}

function allRoles(reader: Reader): readonly StoredRole[] {
  return [...repositoryRoles(reader, 'image'), ...repositoryRoles(reader, 'director')];
}

function diffsOf(reader: Reader, role: StoredRole): readonly RoleDiff[] {
  const changesOf = (frozen: boolean): RoleDiff['changes'] =>
    [...itemChanges(reader, role, frozen)].flatMap((change) => changeOf(role, change));
  return [
    { role: roleText(role), frozen: role.frozenVersion, changes: changesOf(true) },
    { role: roleText(role), frozen: null, changes: changesOf(false) },
  ];
}

function changeOf(role: RoleAddress, { item, before, after }: ItemChange): readonly (KeysChange | TargetChange)[] {
  const [kind, ...rest] = item.split('/');
  const name = rest.join('/');
  if (kind === 'roles') {
    const shown = (value: typeof before): ShownRole | undefined =>
      value === undefined ? undefined : shownRole(definitionOf(value));
    const about = roleText({ repository: role.repository, name });
    return [{ kind: 'keys', role: about, before: shown(before), after: shown(after) }];
  }
  if (kind !== 'targets') return [];
  const target = (value: typeof before): Target | undefined =>
    value === undefined ? undefined : targetOf(item, value);
  return [{ kind: 'target', name, before: target(before), after: target(after) }];
}
