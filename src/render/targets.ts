/** Targets as text. */
import { toHex } from '../core/bytes.ts';
import { shortId } from './fingerprint.ts';
import { table } from './table.ts';
import { count, size } from './text.ts';

/** What of a target is shown. */
export interface ShownTarget {
  readonly name: string;
  readonly length: number;
  readonly sha256: Uint8Array;
  readonly custom: Readonly<Record<string, unknown>>;
  readonly confidential: boolean;
  /** The role that lists it. */
  readonly role?: string | undefined;
  /** False where nobody delegates to that role any more. */
  readonly findable?: boolean | undefined;
}

/** How many roles are named at most. */
const ROLES_MAX = 3;

/** A table of targets; says which roles list them where that is not Targets alone. */
export function targetsText(targets: readonly ShownTarget[], more: boolean): string {
  if (targets.length === 0) return 'no targets';
  const delegated = targets.some(({ role }) => role !== undefined && role !== 'targets');
  const rows = targets.map((target) => [
    target.name,
    ...(delegated ? [target.role ?? ''] : []),
    customText(target, 'version'),
    customText(target, 'releaseCounter'),
    size(target.length),
    shortId(toHex(target.sha256)),
    bytesText(target),
  ]);
  const head = ['target', ...(delegated ? ['role'] : []), 'version', 'counter', 'size', 'sha256', 'bytes'];
  const text = table({ head, rows, right: delegated ? [3, 4] : [2, 3] });
  const rest = more ? ['... and more (see --prefix and --limit)'] : [];
  return [text, ...rest, ...unreachedText(targets)].join('\n');
}

function bytesText({ findable, confidential }: ShownTarget): string {
  if (findable === false) return 'not findable';
  return confidential ? 'confidential' : 'published';
}

function unreachedText(targets: readonly ShownTarget[]): readonly string[] {
  const unreached = targets.filter(({ findable }) => findable === false);
  const roles = [...new Set(unreached.map(({ role }) => role ?? ''))];
  if (roles.length === 0) return [];
  // There may be as many as there were hashed bins.
  const names = `${roles.slice(0, ROLES_MAX).join(', ')}${roles.length > ROLES_MAX ? ', ...' : ''}`;
  return [`nobody delegates to ${names} any more: clients find nothing that is listed there`];
}

/** A target whose removal is staged, and the vehicles that it is assigned to. */
export function removedTargetText(
  name: string,
  { vehicles, first }: { vehicles: number; first: readonly { readonly vin: string; readonly ecu: string }[] },
): string {
  const [one] = first;
  const done = `staged the removal of ${name}`;
  if (one === undefined) return done;
  const vins = first.map(({ vin }) => vin).join(', ');
  return [
    done,
    `note: it is assigned to ${count(vehicles, 'vehicle')} (${vins}${vehicles > first.length ? ', ...' : ''}), which the Director cannot sign for without it:`,
    `  assign something else, or take it back with \`secureev assign ${one.vin} --remove ${one.ecu}\``,
  ].join('\n');
}

/** The same as JSON. */
export function targetJson(target: ShownTarget): Readonly<Record<string, unknown>> {
  const { name, length, sha256, custom, confidential, role, findable } = target;
  const place = { ...(role !== undefined && { role }), ...(findable !== undefined && { findable }) };
  return { name, length, sha256: toHex(sha256), custom, confidential, ...place };
}

/** A text or number of a target's custom data; empty where there is none. */
export function customText(target: ShownTarget, name: string): string {
  const value = target.custom[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
