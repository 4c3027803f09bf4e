/**
 * Delegations as the store holds them, how they change, and how Targets lists them.
 *
 * Invariants: the delegations of one role are hybrid in all their keys or in none, and all where the delegator is; a
 * role delegates to roles in order, or to hashed bins, never both (TUF has one or the other).
 *
 * @see TUF 1.0.34 section 4.5; Uptane 2.1.0 section 5.2.3.2; TAP 3, TAP 15
 */
import { failure, SecureevError } from '../core/errors.ts';
import { quote } from '../core/brands.ts';
import type { Delegation, Delegations, KeyRing } from '../formats/metadata/types.ts';
import { definitionOf, definitionValue } from './role-definition.ts';
import type { RoleDefinition } from './role-definition.ts';
import { ringOf } from './role-ring.ts';
import type { NamedDefinition } from './role-ring.ts';

/** A role of a delegation and its keys. */
export interface DelegatedRoleDefinition {
  readonly name: string;
  readonly definition: RoleDefinition;
}

/** A delegation: paths handed to one role, or to several of which `agreement` must say the same. */
export interface DelegationDefinition {
  readonly name: string;
  /** Rises in the order of trust; not part of metadata. */
  readonly position: number;
  readonly paths: readonly string[];
  readonly hardwareIds: readonly string[] | undefined;
  readonly terminating: boolean;
  /** At least one. */
  readonly roles: readonly DelegatedRoleDefinition[];
  /** 1 to the number of roles. */
  readonly agreement: number;
}

/** Hashed bins: 2^bitLength roles under one key set. */
export interface BinsDefinition {
  readonly namePrefix: string;
  readonly bitLength: number;
  readonly definition: RoleDefinition;
}

/** All that a role delegates. */
export interface DelegatedContent {
  /** In order of trust; empty where there are bins. */
  readonly delegations: readonly DelegationDefinition[];
  readonly bins: BinsDefinition | undefined;
}

type Value = Readonly<Record<string, unknown>>;

/** Largest number of bins, 2^16: with them Snapshot stays under what clients accept. */
export const BIN_BITS_MAX = 16;
/** Patterns, hardware ids or roles of one delegation. */
export const DELEGATION_PARTS_MAX = 256;
const PATTERN_CHARS_MAX = 512;
const PATTERN_SEGMENT = /^[A-Za-z0-9._*?-]+$/;

/** The value of a delegation's item in the store. */
export function delegationValue(delegation: DelegationDefinition): Value {
  const { position, paths, hardwareIds, terminating, roles, agreement } = delegation;
  const listed = roles.map(({ name, definition }) => ({ name, ...definitionValue(definition) }));
  return { position, paths, ...(hardwareIds && { hardwareIds }), terminating, agreement, roles: listed };
}

/** A delegation's item read back. */
export function delegationOf(name: string, value: Value): DelegationDefinition {
  const roles: readonly (Value & { readonly name: string })[] = Array.isArray(value['roles']) ? value['roles'] : [];
  return {
    name,
    position: Number(value['position']),
    paths: textsOf(value['paths']),
    hardwareIds: value['hardwareIds'] === undefined ? undefined : textsOf(value['hardwareIds']),
    terminating: value['terminating'] === true,
    agreement: Number(value['agreement']),
    roles: roles.map((role) => ({ name: role.name, definition: definitionOf(role) })),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** The value of the item of bins. */
export function binsValue({ bitLength, definition }: BinsDefinition): Value {
  return { bitLength, ...definitionValue(definition) };
}

/** The item of bins read back. */
export function binsOf(namePrefix: string, value: Value): BinsDefinition {
  return { namePrefix, bitLength: Number(value['bitLength']), definition: definitionOf(value) };
}

/** The bits of a number of bins. @throws USAGE unless it is a power of two from 2 to 65536 */
export function bitLengthOf(bins: number): number {
  const bits = Math.log2(bins);
  if (Number.isInteger(bits) && bits >= 1 && bits <= BIN_BITS_MAX) return bits;
  throw failure('USAGE', `${bins} is not a number of bins: a power of two from 2 to ${2 ** BIN_BITS_MAX}`);
}

/** Demands path patterns that clients read alike. @throws PATH_PATTERN */
export function requirePatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    const segments = pattern.split('/');
    const safe = segments.every((part) => PATTERN_SEGMENT.test(part) && part !== '.' && part !== '..');
    if (safe && pattern.length <= PATTERN_CHARS_MAX) continue;
    throw new SecureevError('PATH_PATTERN', {
      message: `not a path pattern: ${quote(pattern)}`,
      hint: 'segments of A-Z a-z 0-9 . _ - joined by /, with * for any characters and ? for one, neither across a /',
      details: { pattern },
    });
  }
  const twice = patterns.find((pattern, index) => patterns.indexOf(pattern) !== index);
  if (twice !== undefined) throw failure('PATH_PATTERN', `the pattern ${quote(twice)} is given twice`);
}

/** What a change of a delegation asks for, beside the keys of its roles. */
export interface DelegationTerms {
  readonly addPaths: readonly string[];
  readonly removePaths: readonly string[];
  /** Undefined leaves them; empty is for any. */
  readonly hardwareIds?: readonly string[] | undefined;
  readonly terminating?: boolean | undefined;
  readonly agreement?: number | undefined;
}

/** A delegation after a change of its terms. @throws PATH_PATTERN, DELEGATION_FORM */
export function changedTerms(before: DelegationDefinition, terms: DelegationTerms): DelegationDefinition {
  const strange = terms.removePaths.find((path) => !before.paths.includes(path));
  if (strange !== undefined) throw failure('PATH_PATTERN', `${before.name} is not for ${quote(strange)}`);
  const kept = before.paths.filter((path) => !terms.removePaths.includes(path));
  const { hardwareIds = before.hardwareIds, terminating = before.terminating, agreement = before.agreement } = terms;
  return checkedDelegation({
    ...before,
    paths: [...kept, ...terms.addPaths],
    hardwareIds: hardwareIds?.length === 0 ? undefined : hardwareIds,
    terminating,
    agreement,
  });
}

/** Demands paths, and an agreement that the roles can come to. @throws PATH_PATTERN, DELEGATION_FORM */
export function checkedDelegation(delegation: DelegationDefinition): DelegationDefinition {
  const { name, paths, hardwareIds, roles, agreement } = delegation;
  requirePatterns(paths);
  if (paths.length === 0) throw failure('DELEGATION_FORM', `${name} would be for no path: give one with --path`);
  for (const part of [paths, hardwareIds ?? [], roles]) {
    if (part.length > DELEGATION_PARTS_MAX) throw failure('DELEGATION_FORM', `${name} would have ${part.length} parts`);
  }
  if (agreement < 1 || agreement > roles.length) {
    throw failure('DELEGATION_FORM', `${agreement} of ${roles.length} roles of ${name} cannot agree`);
  }
  return delegation;
}

/**
 * The positions of a role's delegations once `name` stands before `before` (undefined: last): only what moves is given.
 *
 * @throws DELEGATION_UNKNOWN
 */
export function reordered(
  delegations: readonly DelegationDefinition[],
  name: string,
  before: string | undefined,
): readonly DelegationDefinition[] {
  const own = delegations.filter((one) => one.name === name);
  const others = delegations.filter((one) => one.name !== name);
  const at = before === undefined ? others.length : others.findIndex((one) => one.name === before);
  if (at === -1) throw failure('DELEGATION_UNKNOWN', `there is no delegation ${before ?? ''} beside ${name}`);
  return [...others.slice(0, at), ...own, ...others.slice(at)]
    .map((one, index) => ({ ...one, position: index + 1 }))
    .filter((one) => delegations.find(({ name: known }) => known === one.name)?.position !== one.position);
}

/** The terms of a delegation in words: place, paths, hardware ids, agreement. */
export function termsWords(one: DelegationDefinition): string {
  const { position, paths, hardwareIds, roles, agreement, terminating } = one;
  const hardware = hardwareIds === undefined ? '' : `, hardware ${hardwareIds.join(' ')}`;
  const agree = roles.length > 1 ? `, ${agreement} of ${roles.length} roles must agree` : '';
  return `${position}. ${paths.join(' ')}${hardware}${agree}${terminating ? ', terminating' : ''}`;
}

/** The definitions of all roles that a role delegates to, bins by their prefix. */
export function delegatedDefinitions({ delegations, bins }: DelegatedContent): readonly NamedDefinition[] {
  if (bins !== undefined) return [[bins.namePrefix, bins.definition]];
  return delegations.flatMap(({ roles }) => roles.map(({ name, definition }) => [name, definition] as const));
}

/**
 * Why a role's delegations cannot stand: their keys must be all hybrid or all not, and all hybrid under a hybrid
 * delegator; undefined where they can.
 */
export function hybridUnlike(
  delegator: string,
  content: DelegatedContent,
  delegatorIsHybrid: boolean,
): SecureevError | undefined {
  const members = delegatedDefinitions(content).flatMap(([name, definition]) =>
    definition.members.map((member) => ({ name, member })),
  );
  const classical = members.find(({ member }) => member.postQuantum === undefined);
  if (classical === undefined || (!delegatorIsHybrid && members.every(({ member }) => !member.postQuantum))) {
    return undefined;
  }
  const { name, member } = classical;
  const others = delegatorIsHybrid ? `${delegator} is hybrid` : `other keys that ${delegator} delegates to do`;
  return new SecureevError('HYBRID_INCOMPLETE', {
    message: `key ${member.classical.keyId} of ${name} has no post-quantum key beside it, but ${others}`,
    hint: 'make a hybrid one with `secureev keygen NAME` (in dialect aktualizr with --scheme hybrid-ed25519)',
    details: { role: name, delegator, keyId: member.classical.keyId },
  });
}

/** What a Targets body says of delegations; both undefined where there are none. */
export interface DelegationsPart {
  readonly delegations: Delegations | undefined;
  readonly hybrid: KeyRing | undefined;
}

/** What Targets says of what it delegates; its delegations are alike as {@link hybridUnlike} has it. */
export function delegationsPart(content: DelegatedContent): DelegationsPart {
  const named = delegatedDefinitions(content);
  if (named.length === 0) return { delegations: undefined, hybrid: undefined };
  const { keys, roles } = ringOf(named, (member) => member.classical);
  const isHybrid = named.every(([, { members }]) => members.every(({ postQuantum }) => postQuantum !== undefined));
  const keysOf = (name: string): Pick<RoleKeysOf, 'keyIds' | 'threshold'> => {
    const found = roles.get(name);
    if (found === undefined) throw failure('INTERNAL', `${name} is delegated to without keys`);
    return found;
  };
  const { bins, delegations } = content;
  const succinct = bins && { namePrefix: bins.namePrefix, bitLength: bins.bitLength, ...keysOf(bins.namePrefix) };
  const listed = delegations.map((one): Delegation => {
    const { name, paths, terminating, hardwareIds, agreement: minRolesInAgreement } = one;
    const of = one.roles.map((role) => ({ name: role.name, ...keysOf(role.name) }));
    return { name, scope: { paths }, terminating, hardwareIds, roles: of, minRolesInAgreement };
  });
  return {
    delegations: { keys, roles: listed, succinct },
    hybrid: isHybrid ? ringOf(named, (member) => member.postQuantum) : undefined,
  };
}

type RoleKeysOf = Delegation['roles'][number];
