/** What is staged, and what a version that waits for signatures changes, item by item. */
import { binsOf, delegationOf, termsWords } from '../../plan/delegations.ts';
import { definitionOf } from '../../plan/role-definition.ts';
import type { RoleDefinition } from '../../plan/role-definition.ts';
import type { Io } from '../../core/ports.ts';
import { changedBins } from '../../store/bins.ts';
import { isBinsPrefix } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole, itemChanges, repositoryRoles } from '../../store/roles.ts';
import type { ItemChange, RoleAddress, StoredRole } from '../../store/roles.ts';
import { targetOf } from '../../store/targets.ts';
import type { Target } from '../../store/targets.ts';
import { openChosen } from '../repository/locate.ts';
import type { RepositoryChoice } from '../repository/locate.ts';
import { lostTargets } from '../repository/lost-targets.ts';
import type { LostTargets } from '../repository/lost-targets.ts';
import { requireKnown, roleText, signedRole } from '../repository/role-address.ts';
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

/** The terms of a delegation before and after, in words. */
export interface TermsChange {
  readonly kind: 'value';
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One change. */
export type StagedChange = KeysChange | TargetChange | TermsChange;

/** The changes of one role's next version. */
export interface RoleDiff {
  readonly role: string;
  /** The frozen version that has taken these changes, or null where they are only staged. */
  readonly frozen: number | null;
  readonly changes: readonly StagedChange[];
  /** What removed delegations leave listed, and found by no client. */
  readonly lost: LostTargets;
}

/** What is frozen and what is staged, for the roles named or for all; roles without changes are left out. */
export async function stagedChanges(
  input: { repository: RepositoryChoice; roles: readonly string[] },
  io: Io,
): Promise<readonly RoleDiff[]> {
  const named = input.roles.map(signedRole);
  using repository = await openChosen(io, input.repository, { readOnly: true });
  for (const address of named) requireKnown(repository, address);
  const roles = named.length === 0 ? allRoles(repository) : named.flatMap((address) => rolesAt(repository, address));
  return roles.flatMap((role) => diffsOf(repository, role)).filter(({ changes }) => changes.length > 0);
}

function allRoles(reader: Reader): readonly StoredRole[] {
  const bins = binRoles(reader);
  return [...repositoryRoles(reader, 'image'), ...bins, ...repositoryRoles(reader, 'director')];
}

/** A role, or for the prefix of bins those that change. */
function rolesAt(reader: Reader, address: RoleAddress): readonly StoredRole[] {
  if (address.repository === 'image' && isBinsPrefix(reader, address.name)) return binRoles(reader, address.name);
  const role = findRole(reader, address);
  return role === undefined ? [] : [role];
}

function binRoles(reader: Reader, namePrefix?: string): readonly StoredRole[] {
  return changedBins(reader, namePrefix).flatMap((name) => findRole(reader, { repository: 'image', name }) ?? []);
}

function diffsOf(reader: Reader, role: StoredRole): readonly RoleDiff[] {
  const diffOf = (frozen: boolean): RoleDiff => {
    const items = [...itemChanges(reader, role, frozen)];
    const changes = items.flatMap((change) => changeOf(role, change));
    const lost = lostTargets(reader, items.flatMap(rolesNoLonger));
    return { role: roleText(role), frozen: frozen ? role.frozenVersion : null, changes, lost };
  };
  return [diffOf(true), diffOf(false)];
}

/** The roles of a delegation, or the prefix of bins, that a change removes. */
function rolesNoLonger({ item, before, after }: ItemChange): readonly string[] {
  if (before === undefined || after !== undefined) return [];
  const [kind, name = ''] = item.split('/');
  if (kind === 'bins') return [name];
  return kind === 'delegations' ? delegationOf(name, before).roles.map((role) => role.name) : [];
}

function changeOf(role: RoleAddress, change: ItemChange): readonly StagedChange[] {
  const { item, before, after } = change;
  const [kind, ...rest] = item.split('/');
  const name = rest.join('/');
  if (kind === 'roles') {
    const about = roleText({ repository: role.repository, name });
    return [keysChange(about, before && definitionOf(before), after && definitionOf(after))];
  }
  if (kind === 'delegations') return delegationChanges(name, change);
  if (kind === 'bins') return binsChanges(name, change);
  if (kind !== 'targets') return [];
  const target = (value: typeof before): Target | undefined =>
    value === undefined ? undefined : targetOf(item, value);
  return [{ kind: 'target', name, before: target(before), after: target(after) }];
}

function keysChange(role: string, before: RoleDefinition | undefined, after: RoleDefinition | undefined): KeysChange {
  return { kind: 'keys', role, before: before && shownRole(before), after: after && shownRole(after) };
}

/** The keys of each role whose definition changes, and the terms where they do. */
function delegationChanges(name: string, { before, after }: ItemChange): readonly StagedChange[] {
  const [old, next] = [before && delegationOf(name, before), after && delegationOf(name, after)];
  const roles = new Set([...(old?.roles ?? []), ...(next?.roles ?? [])].map((role) => role.name));
  const keys = [...roles].flatMap((role) => {
    const [was, is] = [old, next].map((one) => one?.roles.find((each) => each.name === role)?.definition);
    return JSON.stringify(was) === JSON.stringify(is) ? [] : [keysChange(role, was, is)];
  });
  const [was, is] = [old && termsWords(old), next && termsWords(next)];
  return was === is ? keys : [...keys, { kind: 'value', name: `delegation ${name}`, before: was, after: is }];
}

function binsChanges(name: string, { before, after }: ItemChange): readonly StagedChange[] {
  const [old, next] = [before && binsOf(name, before), after && binsOf(name, after)];
  const [was, is] = [old, next].map((bins) => bins && `${2 ** bins.bitLength} hashed bins`);
  const keys = keysChange(name, old?.definition, next?.definition);
  return was === is ? [keys] : [keys, { kind: 'value', name: `bins ${name}`, before: was, after: is }];
}
