/**
 * Stages what a role delegates, and tells what follows from it.
 *
 * Invariants: a role delegates to others in order or to hashed bins, not both; a role has one delegator; keys of a
 * delegation follow the rules of every role's keys, and are hybrid where the delegator's are.
 */
import { parseRoleName } from '../../core/brands.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import { delegatedDefinitions, delegationsPart, delegationValue, hybridUnlike } from '../../plan/delegations.ts';
import type { BinsDefinition, DelegatedContent, DelegationDefinition } from '../../plan/delegations.ts';
import { binsValue } from '../../plan/delegations.ts';
import type { RoleDefinition } from '../../plan/role-definition.ts';
import {
  binsItem,
  binsPrefixOf,
  claimDelegated,
  delegatedNames,
  delegationItem,
  delegatorOf,
  imageRoleAt,
  isBinsPrefix,
} from '../../store/delegations.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import { findRole, stageItem } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { setting } from '../../store/settings.ts';
import { definitionOfRole, definitionsIn, delegatedContent, isTopLevel } from './definitions.ts';
import type { Definitions } from './definitions.ts';
import { claimMember, sharedKeys } from './role-set.ts';

/** Names that mean something else where roles are named. */
const RESERVED = ['escrow', 'director', 'all'];

/** The delegator and what its next version delegates. */
export interface Delegating {
  readonly role: StoredRole;
  readonly content: DelegatedContent;
}

/** The role that is to delegate: `targets`, or one that is delegated to itself. @throws ROLE_UNKNOWN */
export function delegatingRole(tx: Tx, name: string): Delegating {
  const known = name === 'targets' || (delegatorOf(tx, name) !== undefined && !isBinsPrefix(tx, name));
  if (!known || binsPrefixOf(tx, name) !== undefined) {
    throw new SecureevError('ROLE_UNKNOWN', {
      message: `no role ${name} can delegate`,
      hint: 'targets can, and the roles in `secureev delegation list`',
    });
  }
  const role = imageRoleAt(tx, name);
  return { role, content: delegatedContent(tx, role, 'next') };
}

/** The delegation, or the bins, of a name, with its delegator. @throws DELEGATION_UNKNOWN */
export function delegationNamed(
  tx: Tx,
  name: string,
): Delegating & {
  readonly delegation: DelegationDefinition | undefined;
  readonly bins: BinsDefinition | undefined;
} {
  for (const delegator of delegators(tx)) {
    const content = delegatedContent(tx, delegator, 'next');
    const delegation = content.delegations.find((one) => one.name === name);
    const bins = content.bins?.namePrefix === name ? content.bins : undefined;
    if (delegation !== undefined || bins !== undefined) return { role: delegator, content, delegation, bins };
  }
  throw new SecureevError('DELEGATION_UNKNOWN', {
    message: `there is no delegation ${name}`,
    hint: '`secureev delegation list` shows them',
  });
}

/** The roles that delegate, or did: Targets first. */
export function delegators(reader: Reader): readonly StoredRole[] {
  return ['targets', ...delegatedNames(reader)].flatMap(
    (name) => findRole(reader, { repository: 'image', name }) ?? [],
  );
}

/** Demands a name that a role can have here and no bin has. @throws DELEGATION_FORM, DELEGATION_EXISTS, VALUE_MALFORMED */
export function requireFreeName(reader: Reader, name: string): void {
  parseRoleName(name);
  if (isTopLevel(name) || RESERVED.includes(name)) {
    throw failure('DELEGATION_FORM', `a delegated role cannot be called ${name}`);
  }
  const prefix = binsPrefixOf(reader, name);
  if (prefix !== undefined) throw failure('DELEGATION_EXISTS', `${name} is a name of the bins ${prefix}`);
}

/** Delegations between Targets and a role, at most: what a signing request can show. */
const DEPTH_MAX = 16;

/** Demands that no role comes to delegate to itself by way of others, and none too deep. @throws DELEGATION_FORM */
export function requireNoCycle(reader: Reader, under: string, names: readonly string[]): void {
  const above = new Set([under]);
  for (let at = delegatorOf(reader, under); at !== undefined && !above.has(at.role.name);) {
    above.add(at.role.name);
    at = delegatorOf(reader, at.role.name);
  }
  const again = names.find((name) => above.has(name));
  if (again !== undefined) throw failure('DELEGATION_FORM', `${again} would delegate to itself by way of ${under}`);
  const depthMax = dialectOf(setting(reader, 'dialect')).delegationDepthMax ?? DEPTH_MAX;
  if (above.size > depthMax) throw failure('DELEGATION_FORM', `${under} is ${depthMax} delegations deep already`);
}

/** Stages a delegation, new or changed. @throws DELEGATION_MIXED, DELEGATION_EXISTS, HYBRID_INCOMPLETE, KEY_SERVES_ANOTHER */
export function stageDelegation(tx: Tx, { role, content }: Delegating, delegation: DelegationDefinition): void {
  if (content.bins !== undefined) throw mixed(role.name, `has the bins ${content.bins.namePrefix}`);
  requireDialect(tx, { delegations: [delegation], bins: undefined });
  requireHybrid(tx, role, { delegations: [delegation], bins: undefined });
  const names = delegation.roles.map(({ name }) => name);
  claimDelegated(tx, role, { item: delegationItem(delegation.name), names });
  for (const { definition } of delegation.roles) claimKeys(tx, definition);
  stageItem(tx, role, { item: delegationItem(delegation.name), value: delegationValue(delegation) });
  tx.about(`role:${role.name}`, ...names.map((name) => `role:${name}`));
}

/** The delegation, or the bins, that a role is of; `role` where several roles are. @throws DELEGATION_UNKNOWN */
export function delegationOfRole(
  reader: Reader,
  name: string,
): { readonly name: string; readonly role: string | undefined } {
  for (const delegator of delegators(reader)) {
    const { delegations, bins } = delegatedContent(reader, delegator, 'next');
    if (bins?.namePrefix === name) return { name, role: undefined };
    const found = delegations.find(({ roles }) => roles.some((role) => role.name === name));
    if (found !== undefined) return { name: found.name, role: found.roles.length > 1 ? name : undefined };
  }
  throw failure('DELEGATION_UNKNOWN', `nobody delegates to ${name}`);
}

/** Stages other keys for a delegated role, or for bins. @throws DELEGATION_UNKNOWN, HYBRID_INCOMPLETE */
export function stageRoleKeys(tx: Tx, name: string, definition: RoleDefinition): void {
  const found = delegationNamed(tx, delegationOfRole(tx, name).name);
  const { delegation, bins } = found;
  if (bins !== undefined) stageBins(tx, found, { ...bins, definition });
  if (delegation === undefined) return;
  const roles = delegation.roles.map((role) => (role.name === name ? { ...role, definition } : role));
  stageDelegation(tx, found, { ...delegation, roles });
}

/** Stages hashed bins, new or changed. @throws DELEGATION_MIXED, DELEGATION_EXISTS, HYBRID_INCOMPLETE, KEY_SERVES_ANOTHER */
export function stageBins(tx: Tx, { role, content }: Delegating, bins: BinsDefinition): void {
  if (content.delegations.length > 0) throw mixed(role.name, `delegates to ${content.delegations[0]?.name ?? ''}`);
  if (content.bins !== undefined && content.bins.namePrefix !== bins.namePrefix) {
    throw mixed(role.name, `has the bins ${content.bins.namePrefix}`);
  }
  requireDialect(tx, { delegations: [], bins });
  requireHybrid(tx, role, { delegations: [], bins });
  const { namePrefix } = bins;
  claimDelegated(tx, role, { item: binsItem(namePrefix), names: [namePrefix] });
  claimKeys(tx, bins.definition);
  stageItem(tx, role, { item: binsItem(namePrefix), value: binsValue(bins) });
  tx.about(`role:${role.name}`, `role:${namePrefix}`);
}

function mixed(delegator: string, has: string): SecureevError {
  return new SecureevError('DELEGATION_MIXED', {
    message: `${delegator} ${has} already: a role delegates to roles or to hashed bins, not to both`,
    hint: 'delegate the paths to a role of their own first, and put the bins under that one with --under',
  });
}

/** What vehicles of the repository's dialect cannot read is refused before it is signed. @throws DIALECT_UNSUITABLE, KEY_UNSUITABLE */
function requireDialect(tx: Tx, content: DelegatedContent): void {
  const { delegations } = delegationsPart(content);
  if (delegations !== undefined) dialectOf(setting(tx, 'dialect')).requireDelegations(delegations);
}

/** Under a hybrid delegator at once; whether all of its delegations are alike shows when its next version is made. */
function requireHybrid(tx: Tx, role: StoredRole, content: DelegatedContent): void {
  const own = definitionOfRole(tx, role, 'next');
  const isHybrid = own?.members.some(({ postQuantum }) => postQuantum !== undefined) ?? false;
  const unlike = isHybrid ? hybridUnlike(role.name, content, isHybrid) : undefined;
  if (unlike !== undefined) throw unlike;
}

function claimKeys(tx: Tx, { members }: RoleDefinition): void {
  for (const member of members) claimMember(tx, member, 'image');
}

/** The definitions of all roles of the Image repository as their next versions will have them, delegated ones too. */
export function allDefinitions(reader: Reader): Definitions {
  const delegated = delegators(reader).flatMap((role) => delegatedDefinitions(delegatedContent(reader, role, 'next')));
  return new Map([...definitionsIn(reader, 'image', 'next'), ...delegated]);
}

/** What is allowed but unwise about a role's keys. */
export function keyWarnings(reader: Reader, name: string, definition: RoleDefinition): readonly string[] {
  return sharedKeys({ repository: 'image', name }, definition, allDefinitions(reader));
}
