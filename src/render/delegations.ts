/** Delegations as text. */
import { membersChangeText, membersText, quorumChangeText, quorumText } from './roles.ts';
import type { ShownDefinition } from './roles.ts';
import { indented } from './table.ts';
import { count, duration, printableLine } from './text.ts';

/** A role and its keys. */
export interface ShownDelegatedRole {
  readonly name: string;
  readonly definition: ShownDefinition;
}

/** A delegation that was staged. */
export interface ShownNewDelegation {
  readonly name: string;
  readonly under: string;
  readonly roles: readonly ShownDelegatedRole[];
  readonly warnings: readonly string[];
  readonly moved: number;
  readonly elsewhere: number;
}

/** A delegation that was staged, and what follows. */
export function newDelegationText(added: ShownNewDelegation, what: string): string {
  const { name, under, roles, warnings } = added;
  return [
    `${under} delegates ${what} to ${name} (staged)`,
    ...roles.map((role) => indented(roleText(role))),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...placedText(added),
    `\`secureev sign ${under} --key ...\` makes it true`,
  ].join('\n');
}

function roleText({ name, definition }: ShownDelegatedRole): string {
  const lifetime = definition.lifetimeSeconds === null ? '' : `, versions live ${duration(definition.lifetimeSeconds)}`;
  return `${name}: ${quorumText(definition)}${lifetime}\n${indented(membersText(definition.members))}`;
}

/** What becomes of targets that are listed already. */
function placedText(placed: { name: string; under: string; moved: number; elsewhere: number }): readonly string[] {
  const { name, under, moved, elsewhere } = placed;
  if (moved > 0)
    return [`${count(moved, 'target')} moved from ${under}; what a bundle's role signed must be signed anew`];
  if (elsewhere === 0) return [];
  const stay = `${count(elsewhere, 'target')} of delegated paths stay in ${under}, where clients find them first`;
  return [`${stay}; \`secureev delegation change ${name} --move\` moves them`];
}

/** A changed delegation. */
export interface ShownDelegationChange {
  readonly name: string;
  readonly under: string;
  readonly roles: readonly {
    readonly name: string;
    readonly before: ShownDefinition;
    readonly after: ShownDefinition;
  }[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  readonly moved: number;
  readonly elsewhere: number;
}

/** A change of a delegation, with the old and the new quorum of each role whose keys change. */
export function delegationChangeText(changed: ShownDelegationChange): string {
  const { name, under, roles, warnings, notes } = changed;
  const keys = roles.flatMap(({ name: role, before, after }) => [
    quorumChangeText(role, before, after),
    ...membersChangeText(before.members, after.members),
  ]);
  return [
    `delegation ${name} of ${under} changed (staged)`,
    ...keys.map((line) => indented(line)),
    ...warnings.map((warning) => `warning: ${warning}`),
    ...placedText(changed),
    `\`secureev sign ${under} --key ...\` makes it true`,
    ...notes.map((note) => `note: ${note}`),
  ].join('\n');
}

/** Targets that are listed, and that no client will find. */
export interface ShownLostTargets {
  readonly targets: number;
  readonly names: readonly string[];
  readonly more: boolean;
}

/** How many targets no client will find, and the first names; nothing where there are none. */
export function lostTargetsText({ targets, names, more }: ShownLostTargets): readonly string[] {
  if (targets === 0) return [];
  const number = `${more ? 'at least ' : ''}${count(targets, 'target')}`;
  const rest = targets > names.length ? ', ...' : '';
  return [`clients will not find ${number} any more, listed by no other role: ${names.join(', ')}${rest}`];
}

/** A removed delegation. */
export function removedDelegationText(removed: {
  readonly name: string;
  readonly under: string;
  readonly roles: readonly string[];
  readonly lost: ShownLostTargets;
}): string {
  const { name, under, roles, lost } = removed;
  const files = roles.map((role) => `${role}.json`).join(', ');
  return [
    `${under} no longer delegates to ${name} (staged); \`secureev sign ${under} --key ...\` makes it true`,
    `Snapshot goes on listing ${files}, since clients refuse one that drops a file, but nobody is sent there any more`,
    ...lostTargetsText(lost),
    ...(lost.targets === 0
      ? []
      : [`\`secureev target add\` lists them elsewhere; \`secureev discard ${under}\` drops what is staged`]),
  ].join('\n');
}

/** A delegation in a list. */
export interface ShownDelegation {
  readonly name: string;
  readonly under: string;
  readonly depth: number;
  readonly paths: readonly string[];
  readonly hardwareIds: readonly string[] | null;
  readonly terminating: boolean;
  readonly agreement: number;
  readonly roles: readonly (ShownDelegatedRole & { readonly version: number | null })[];
  readonly bins: { readonly total: number; readonly complete: number } | null;
  readonly staged: boolean;
}

/** The delegations in order of trust, those of delegated roles below them. */
export function delegationListText(list: {
  readonly delegations: readonly ShownDelegation[];
  readonly elsewhere: readonly { readonly role: string; readonly targets: number }[];
}): string {
  if (list.delegations.length === 0) return 'nothing is delegated';
  const blocks = list.delegations.map(
    (one) => '  '.repeat(one.depth) + delegationText(one).replaceAll('\n', `\n${'  '.repeat(one.depth)}`),
  );
  return [...blocks, ...elsewhereText(list.elsewhere)].join('\n');
}

/** Targets that are listed above the role that owns their path. */
export function elsewhereText(
  elsewhere: readonly { readonly role: string; readonly targets: number }[],
): readonly string[] {
  return elsewhere.map(
    ({ role, targets }) =>
      `${role} lists ${count(targets, 'target')} that it delegates, and clients find them there first`,
  );
}

function delegationText(one: ShownDelegation): string {
  const { name, under, roles, bins } = one;
  const scope =
    bins === null ? one.paths.map(printableLine).join(' ') : `${bins.total} hashed bins, ${bins.complete} signed`;
  const terms = [
    ...(one.hardwareIds === null ? [] : [`hardware ${one.hardwareIds.join(' ')}`]),
    ...(roles.length > 1 ? [`${one.agreement} of ${roles.length} roles must agree`] : []),
    ...(one.terminating && bins === null ? ['terminating'] : []),
    ...(one.staged ? ['staged'] : []),
  ];
  const head = `${under} -> ${name}: ${scope}${terms.map((term) => `, ${term}`).join('')}`;
  const members = roles.map((role) => {
    const version = bins !== null ? '' : role.version === null ? ', no version yet' : `, version ${role.version}`;
    return indented(
      `${role.name}: ${quorumText(role.definition)}${version}\n${indented(membersText(role.definition.members))}`,
    );
  });
  return [head, ...members].join('\n');
}
