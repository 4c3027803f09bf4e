/** A change of metadata in words: keys added and removed, thresholds, targets with versions and hashes. */
import { toHex } from '../core/bytes.ts';
import { lostTargetsText } from './delegations.ts';
import type { ShownLostTargets } from './delegations.ts';
import { fingerprint } from './fingerprint.ts';
import { quorumText } from './roles.ts';
import type { ShownDefinition, ShownMember } from './roles.ts';
import { indented } from './table.ts';
import { customText } from './targets.ts';
import type { ShownTarget } from './targets.ts';
import { duration, printableJson, printableLine, size } from './text.ts';

/** A role's keys before and after. */
export interface ShownKeysChange {
  readonly kind: 'keys';
  readonly role: string;
  readonly before: ShownDefinition | undefined;
  readonly after: ShownDefinition | undefined;
}

/** A target before and after. */
export interface ShownTargetChange {
  readonly kind: 'target';
  readonly name: string;
  readonly before: ShownTarget | undefined;
  readonly after: ShownTarget | undefined;
}

/** Any other value before and after, in words. */
export interface ShownValueChange {
  readonly kind: 'value';
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One change. */
export type ShownChange = ShownKeysChange | ShownTargetChange | ShownValueChange;

/** The changes of one role's next version. */
export interface ShownDiff {
  readonly role: string;
  readonly frozen: number | null;
  readonly changes: readonly ShownChange[];
  readonly lost: ShownLostTargets;
}

/** Every change in words. */
export function diffText(diffs: readonly ShownDiff[]): string {
  if (diffs.length === 0) return 'nothing is staged';
  return diffs
    .map(({ role, frozen, changes, lost }) => {
      const state = frozen === null ? 'staged' : `version ${frozen}, waiting for signatures`;
      return `${role} (${state}):\n${indented([...changes.map(changeText), ...lostTargetsText(lost)].join('\n'))}`;
    })
    .join('\n');
}

/** One change in words, a line or a few. */
export function changeText(change: ShownChange): string {
  if (change.kind === 'value') return valueText(change);
  return change.kind === 'keys' ? keysText(change) : targetText(change);
}

/** The same as JSON. */
export function changeJson(change: ShownChange): Readonly<Record<string, unknown>> {
  if (change.kind !== 'target') return { ...change, before: change.before ?? null, after: change.after ?? null };
  return { ...change, before: targetFacts(change.before), after: targetFacts(change.after) };
}

function valueText({ name, before, after }: ShownValueChange): string {
  if (after === undefined) return `- ${printableLine(name)} (${printableLine(before ?? '')})`;
  if (before === undefined) return `+ ${printableLine(name)} (${printableLine(after)})`;
  return `~ ${printableLine(name)} (${printableLine(before)} -> ${printableLine(after)})`;
}

function keysText({ role: name, before, after }: ShownKeysChange): string {
  const role = printableLine(name);
  if (after === undefined) return `- keys of ${role}`;
  const known = new Set(before?.members.map(memberId));
  const kept = new Set(after.members.map(memberId));
  const lines = [
    `${before === undefined ? '+' : '~'} keys of ${role}: ${quorumChange(before, after)}`,
    ...after.members.filter((m) => !known.has(memberId(m))).map((m) => `  + ${memberText(m)}`),
    ...(before?.members ?? []).filter((m) => !kept.has(memberId(m))).map((m) => `  - ${memberText(m)}`),
  ];
  return [...lines, ...lifetimeChange(before, after)].join('\n');
}

function quorumChange(before: ShownDefinition | undefined, after: ShownDefinition): string {
  return before === undefined ? quorumText(after) : `${quorumText(before)} -> ${quorumText(after)}`;
}

function lifetimeChange(before: ShownDefinition | undefined, after: ShownDefinition): readonly string[] {
  if (after.lifetimeSeconds === null || before?.lifetimeSeconds === after.lifetimeSeconds) return [];
  const known = before?.lifetimeSeconds ?? null;
  const was = known === null ? '' : `${duration(known)} -> `;
  return [`  versions live ${was}${duration(after.lifetimeSeconds)}`];
}

function memberId(member: ShownMember): string {
  return member.keys.map((key) => key.keyId).join('+');
}

function memberText(member: ShownMember): string {
  const keys = member.keys.map((key) => `${key.algorithm} ${fingerprint(key.keyId)}`).join('\n    with ');
  return member.holder === '' ? keys : `${member.holder}: ${keys}`;
}

function targetText({ name, before, after }: ShownTargetChange): string {
  const shown = printableLine(name);
  if (after === undefined) return `- ${shown}`;
  if (before === undefined) return `+ ${shown} (${factsText(after)})`;
  const [was, is] = [factsText(before), factsText(after)];
  if (was !== is) return `~ ${shown} (${was} -> ${is})`;
  return `~ ${shown} (${is}; ${printableJson(before.custom)} -> ${printableJson(after.custom)})`;
}

function factsText(target: ShownTarget): string {
  const [version, counter] = [customText(target, 'version'), customText(target, 'releaseCounter')];
  const facts = [
    ...(version === '' ? [] : [`version ${printableLine(version)}`]),
    ...(counter === '' ? [] : [`counter ${printableLine(counter)}`]),
    size(target.length),
    // Whole: whoever signs this compares it, and a few digits of a hash can be met on purpose.
    `sha256 ${toHex(target.sha256)}`,
    ...(target.confidential ? ['confidential'] : []),
  ];
  return facts.join(', ');
}

function targetFacts(target: ShownTarget | undefined): Readonly<Record<string, unknown>> | null {
  if (target === undefined) return null;
  const { length, sha256, custom, confidential } = target;
  return { length, sha256: toHex(sha256), custom, confidential };
}
