/** Roles, their keys and thresholds, as text. */
import { fingerprint } from './fingerprint.ts';
import { keyText } from './role-outcomes.ts';
import type { ShownKey } from './role-outcomes.ts';
import { indented, table } from './table.ts';
import { count, duration } from './text.ts';

/** A member of a role. */
export interface ShownMember {
  readonly holder: string;
  /** Classical first. */
  readonly keys: readonly { readonly algorithm: string; readonly keyId: string }[];
}

/** A role's keys, threshold and lifetime. */
export interface ShownDefinition {
  readonly members: readonly ShownMember[];
  readonly threshold: number;
  readonly lifetimeSeconds: number | null;
}

/** `2 of 3 keys`. */
export function quorumText(definition: ShownDefinition): string {
  return `${definition.threshold} of ${count(definition.members.length, 'key')}`;
}

/** A threshold that a coming version must meet. */
export interface ShownQuorum {
  /** e.g. `root 2`. */
  readonly authority: string;
  readonly section: 'classical' | 'post-quantum';
  readonly needed: number;
  readonly keys: readonly ShownKey[];
}

/** The root that comes next and who must sign it. */
export interface ShownComingRoot {
  /** `root` or `director/root`. */
  readonly role: string;
  readonly version: number;
  /** A root that waits for signatures and must be complete first. */
  readonly after: number | null;
  readonly quorums: readonly ShownQuorum[];
}

/** A role with its keys, one line per key. */
export function definitionText(role: string, definition: ShownDefinition): string {
  const lifetime = definition.lifetimeSeconds === null ? '' : `, versions live ${duration(definition.lifetimeSeconds)}`;
  return `${role}: ${quorumText(definition)}${lifetime}\n${indented(membersText(definition.members))}`;
}

/** One line per key: holder, algorithm, key id in groups of four. */
export function membersText(members: readonly ShownMember[]): string {
  const rows = members.flatMap((member) =>
    member.keys.map((key, i) => [i === 0 ? member.holder || '-' : '', key.algorithm, fingerprint(key.keyId)]),
  );
  return table({ rows });
}

/** The quorum before and after a change. */
export function quorumChangeText(role: string, before: ShownDefinition, after: ShownDefinition): string {
  return `${role}: ${quorumText(before)} -> ${quorumText(after)}`;
}

/** One line per member that goes or comes. */
export function membersChangeText(before: readonly ShownMember[], after: readonly ShownMember[]): readonly string[] {
  const ids = ({ keys }: ShownMember): string => keys.map(({ keyId }) => keyId).join(' ');
  const old = new Set(before.map(ids));
  const next = new Set(after.map(ids));
  const line = (sign: string, member: ShownMember): string =>
    `  ${sign} ${keyText({ keyId: member.keys[0]?.keyId ?? '', holder: member.holder })}`;
  return [
    ...before.filter((member) => !next.has(ids(member))).map((member) => line('-', member)),
    ...after.filter((member) => !old.has(ids(member))).map((member) => line('+', member)),
  ];
}

/** Who must sign the coming root, under the old quorum and the new one. */
export function comingRootText({ role, version, after, quorums }: ShownComingRoot): string {
  const first = after === null ? '' : ` once ${role} ${after} is complete (it waits for signatures)`;
  return `${role} ${version} makes this true${first}; it must be signed by all of\n${indented(quorumsText(quorums))}`;
}

/** One line per threshold: `2 of 3 keys of root 1: ...`. */
export function quorumsText(quorums: readonly ShownQuorum[]): string {
  return quorums
    .map(({ authority, section, needed, keys }) => {
      const kind = section === 'classical' ? 'classical' : 'post-quantum';
      return `${needed} of ${keys.length} ${kind} keys of ${authority}: ${keys.map(keyText).join(', ')}`;
    })
    .join('\n');
}
