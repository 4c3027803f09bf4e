/**
 * What a new metadata file changes against the one before, worked out from the two bodies alone.
 *
 * Invariant: nothing is taken from what a repository says about a change; an offline signer sees what the bytes say.
 */
import { fromHex, fromUtf8 } from '../core/bytes.ts';
import { canonicalJson } from '../formats/json/canonical.ts';
import type { Json, JsonMap } from '../formats/json/json.ts';
import { isJsonMap } from '../formats/json/json.ts';
import type {
  Delegation,
  KeyRing,
  RoleKeys,
  Root,
  Signed,
  Snapshot,
  TargetFile,
  Targets,
} from '../formats/metadata/types.ts';

/** One who may sign: a key, or the classical and the post-quantum key that stand at the same place of both lists. */
export interface ChangedMember {
  readonly holder: string;
  readonly keys: readonly { readonly keyId: string; readonly algorithm: string }[];
}

/** A role's keys and threshold. */
export interface ChangedDefinition {
  readonly members: readonly ChangedMember[];
  readonly threshold: number;
  /** Metadata does not say how long later versions live. */
  readonly lifetimeSeconds: null;
}

/** A role's keys before and after; undefined for none. */
export interface KeysChange {
  readonly kind: 'keys';
  readonly role: string;
  readonly before: ChangedDefinition | undefined;
  readonly after: ChangedDefinition | undefined;
}

/** A target as metadata lists it. */
export interface ListedTarget {
  readonly name: string;
  readonly length: number;
  readonly sha256: Uint8Array;
  readonly custom: Readonly<Record<string, unknown>>;
  readonly confidential: false;
}

/** A target before and after. */
export interface TargetChange {
  readonly kind: 'target';
  readonly name: string;
  readonly before: ListedTarget | undefined;
  readonly after: ListedTarget | undefined;
}

/** A value that is neither keys nor a target: a delegation's terms, a listed file's version, a setting. */
export interface ValueChange {
  readonly kind: 'value';
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One change. */
export type MetadataChange = KeysChange | TargetChange | ValueChange;

/** Every change from `before` (undefined for a first version) to `after`, version and expiry aside. */
export function metadataChanges(before: Signed | undefined, after: Signed): readonly MetadataChange[] {
  if (after.role === 'root') return rootChanges(before?.role === 'root' ? before : undefined, after);
  if (after.role === 'targets') return targetsChanges(before?.role === 'targets' ? before : undefined, after);
  if (after.role === 'snapshot') return snapshotChanges(before?.role === 'snapshot' ? before : undefined, after);
  const old = before?.role === 'timestamp' ? before.snapshot.version : undefined;
  return valueChange('snapshot.json', versionText(old), versionText(after.snapshot.version));
}

function rootChanges(before: Root | undefined, after: Root): readonly MetadataChange[] {
  return [
    ...ringChanges(before === undefined ? undefined : ringsOf(before), ringsOf(after)),
    ...valueChange('consistent snapshots', yesNo(before?.consistentSnapshot), yesNo(after.consistentSnapshot)),
    ...valueChange('hybrid protection', hybridText(before), hybridText(after)),
  ];
}

interface Rings {
  readonly classical: KeyRing;
  readonly hybrid: KeyRing | undefined;
}

function ringsOf(root: Root): Rings {
  return { classical: root, hybrid: root.extension?.hybrid };
}

function ringChanges(before: Rings | undefined, after: Rings): readonly KeysChange[] {
  const names = union(before?.classical.roles.keys(), after.classical.roles.keys());
  return names.flatMap((role) => {
    const [old, next] = [before === undefined ? undefined : definition(before, role), definition(after, role)];
    return same(old, next) ? [] : [{ kind: 'keys', role, before: old, after: next } as const];
  });
}

function definition(rings: Rings, role: string): ChangedDefinition | undefined {
  const keys = rings.classical.roles.get(role);
  if (keys === undefined) return undefined;
  const hybrid = rings.hybrid?.roles.get(role);
  const paired = hybrid?.keyIds.length === keys.keyIds.length;
  const members = keys.keyIds.map((keyId, index) => {
    const second = paired ? hybrid.keyIds[index] : undefined;
    return member([keyOf(rings.classical, keyId), ...(second === undefined ? [] : [keyOf(rings.hybrid, second)])]);
  });
  const alone = paired ? [] : (hybrid?.keyIds ?? []).map((keyId) => member([keyOf(rings.hybrid, keyId)]));
  return { members: [...members, ...alone], threshold: keys.threshold, lifetimeSeconds: null };
}

function member(keys: ChangedMember['keys']): ChangedMember {
  return { holder: '', keys };
}

/** A key by its own id, which people read on public files, whatever the file lists it under. */
function keyOf(ring: KeyRing | undefined, keyId: string): { keyId: string; algorithm: string } {
  const found = [...(ring?.keys.values() ?? [])].find((key) => key.keyId === keyId);
  const { publicKey } = found ?? {};
  return { keyId: publicKey?.keyId ?? keyId, algorithm: publicKey?.algorithm ?? 'unknown' };
}

function targetsChanges(before: Targets | undefined, after: Targets): readonly MetadataChange[] {
  const names = union(before?.targets.keys(), after.targets.keys());
  const targets = names.flatMap((name) => {
    const [old, next] = [listed(name, before?.targets.get(name)), listed(name, after.targets.get(name))];
    return same(old, next) ? [] : [{ kind: 'target', name, before: old, after: next } as const];
  });
  const hashes = names.flatMap((name) =>
    valueChange(
      `other hashes of ${name}`,
      otherHashes(before?.targets.get(name)),
      otherHashes(after.targets.get(name)),
    ),
  );
  const custom = valueChange('custom', customText(before?.custom), customText(after.custom));
  return [...delegationChanges(before, after), ...targets, ...hashes, ...custom];
}

/** Hashes by other algorithms than SHA-256, which stands with the target itself. */
function otherHashes(file: TargetFile | undefined): string | undefined {
  const others = [...(file?.hashes ?? [])].filter(([id]) => id !== 'sha256').map((hash) => hash.join(' '));
  return others.length === 0 ? undefined : others.toSorted().join(', ');
}

function customText(custom: JsonMap | undefined): string | undefined {
  return custom === undefined ? undefined : fromUtf8(canonicalJson(custom), 'custom');
}

function listed(name: string, file: TargetFile | undefined): ListedTarget | undefined {
  if (file === undefined) return undefined;
  const sha256 = fromHex(file.hashes.get('sha256') ?? '', 'sha256');
  return { name, length: file.length, sha256, custom: plainMap(file.custom), confidential: false };
}

function plainMap(map: JsonMap | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...(map ?? [])].map(([name, value]) => [name, plain(value)]));
}

function plain(value: Json): unknown {
  if (isJsonMap(value)) return plainMap(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

function delegationChanges(before: Targets | undefined, after: Targets): readonly MetadataChange[] {
  const [old, next] = [delegationsOf(before), delegationsOf(after)];
  const keys = union(old.keys.keys(), next.keys.keys()).flatMap((role): readonly KeysChange[] => {
    const change = { kind: 'keys', role, before: old.keys.get(role), after: next.keys.get(role) } as const;
    return same(change.before, change.after) ? [] : [change];
  });
  const terms = union(old.terms.keys(), next.terms.keys()).flatMap((name) =>
    valueChange(name, old.terms.get(name), next.terms.get(name)),
  );
  return [...keys, ...terms];
}

interface DelegationView {
  readonly keys: ReadonlyMap<string, ChangedDefinition>;
  readonly terms: ReadonlyMap<string, string>;
}

function delegationsOf(targets: Targets | undefined): DelegationView {
  const { delegations, extension } = targets ?? {};
  const keys = new Map<string, ChangedDefinition>();
  const terms = new Map<string, string>();
  if (delegations === undefined) return { keys, terms };
  const { succinct } = delegations;
  const roles = new Map<string, RoleKeys>(
    delegations.roles.flatMap((delegation) => delegation.roles.map((role) => [role.name, role] as const)),
  );
  if (succinct !== undefined) roles.set(succinct.namePrefix, succinct);
  const rings: Rings = { classical: { keys: delegations.keys, roles }, hybrid: extension?.hybrid };
  for (const name of roles.keys()) {
    const found = definition(rings, name);
    if (found !== undefined) keys.set(name, found);
  }
  for (const [index, one] of delegations.roles.entries()) terms.set(`delegation ${one.name}`, termsText(one, index));
  if (succinct !== undefined) terms.set(`bins ${succinct.namePrefix}`, `2^${succinct.bitLength} hashed bins`);
  return { keys, terms };
}

function termsText(one: Delegation, index: number): string {
  const scope = 'paths' in one.scope ? one.scope.paths.join(' ') : `hash prefixes ${one.scope.hashPrefixes.join(' ')}`;
  const hardware = one.hardwareIds === undefined ? '' : `, hardware ${one.hardwareIds.join(' ')}`;
  const agreement = one.roles.length > 1 ? `, ${one.minRolesInAgreement} of ${one.roles.length} roles must agree` : '';
  return `${index + 1}. ${scope}${hardware}${agreement}${one.terminating ? ', terminating' : ''}`;
}

function snapshotChanges(before: Snapshot | undefined, after: Snapshot): readonly MetadataChange[] {
  return union(before?.meta.keys(), after.meta.keys()).flatMap((name) =>
    valueChange(name, versionText(before?.meta.get(name)?.version), versionText(after.meta.get(name)?.version)),
  );
}

function valueChange(name: string, before: string | undefined, after: string | undefined): readonly ValueChange[] {
  return before === after ? [] : [{ kind: 'value', name, before, after }];
}

function versionText(version: number | undefined): string | undefined {
  return version === undefined ? undefined : `version ${version}`;
}

function yesNo(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? 'on' : 'off';
}

function hybridText(root: Root | undefined): string | undefined {
  return yesNo(root === undefined ? undefined : root.extension?.hybrid !== undefined);
}

function union(a: Iterable<string> | undefined, b: Iterable<string> | undefined): readonly string[] {
  return [...new Set([...(a ?? []), ...(b ?? [])])].toSorted();
}

/** Whether two views hold the same; they are plain values without cycles. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a, bytesAsList) === JSON.stringify(b, bytesAsList);
}

function bytesAsList(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}
