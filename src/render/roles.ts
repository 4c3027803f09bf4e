/** Roles, their keys and thresholds, as text. */
import { fingerprint } from './fingerprint.ts';
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
