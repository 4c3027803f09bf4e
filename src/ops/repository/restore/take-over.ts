/**
 * Takes over into a restored database what was published after the backup was made: roots, Targets and delegated roles
 * with their content, Snapshot, Timestamp, byte for byte.
 *
 * Invariants: what is taken over was verified as a client verifies it; a target whose bytes are not at hand stays listed,
 * but its bytes are never published from here; release counters that were published are never given again.
 */
import { parseTargetName } from '../../../core/brands.ts';
import type { TargetName } from '../../../core/brands.ts';
import { sha256 } from '../../../crypto/hash.ts';
import type { Json } from '../../../formats/json/json.ts';
import { writeJsonText } from '../../../formats/json/write.ts';
import { dialectOf } from '../../../formats/metadata/index.ts';
import { TOP_LEVEL_ROLES } from '../../../formats/metadata/types.ts';
import type { Envelope, Root, TargetFile, Targets } from '../../../formats/metadata/types.ts';
import type { PublicKey } from '../../../formats/keys/public-key.ts';
import { binsValue, delegationValue } from '../../../plan/delegations.ts';
import { defaultLifetimeSeconds } from '../../../plan/lifetime.ts';
import { definitionValue } from '../../../plan/role-definition.ts';
import type { RoleDefinition } from '../../../plan/role-definition.ts';
import { binsItem, claimDelegated, delegationItem, imageRoleAt } from '../../../store/delegations.ts';
import type { Reader, Tx } from '../../../store/reader.ts';
import { adoptVersion, counterScopes, raiseReleaseCounter } from '../../../store/restored.ts';
import { completeItem, findRole, nextItem, roleAt } from '../../../store/roles.ts';
import type { ItemValue, RepositoryKind, StoredRole } from '../../../store/roles.ts';
import { targetItem } from '../../../store/targets.ts';
import type { StoredSignature } from '../../../store/versions.ts';
import { delegatedPolicy } from '../../../trust/delegated-policy.ts';
import type { RolePolicy } from '../../../trust/role-policy.ts';
import { rootPolicy } from '../../../trust/state.ts';
import { definitionItem, definitionOfRole } from '../definitions.ts';
import { roleText } from '../role-address.ts';
import { claimMember } from '../role-set.ts';
import { definitionFrom } from './key-definitions.ts';
import type { KnownFiles } from './key-definitions.ts';
import type { PublishedRole, PublishedState } from './published.ts';

/** A version that was taken over. */
export interface TakenVersion {
  readonly role: string;
  /** What the backup had; 0 where it had none. */
  readonly before: number;
  readonly version: number;
}

/** What is taken over. */
export interface TakeOver {
  readonly state: PublishedState;
  readonly known: KnownFiles;
  /** SHA-256 in hex of targets whose bytes are among the objects. */
  readonly held: ReadonlySet<string>;
}

/** Takes everything over that is newer than what the database holds. */
export function takeOver(tx: Tx, request: TakeOver): readonly TakenVersion[] {
  const { roots, targets, snapshot, timestamp } = request.state;
  const taken = [
    ...roots.map((root, i) => {
      return takeRoot(tx, { kind: 'image', root, signers: roots[i - 1] ?? root, known: request.known });
    }),
    ...targets.map((role) => takeTargets(tx, role, request)),
    ...[snapshot, timestamp].map((role) => takeListing(tx, role)),
  ];
  for (const { envelope } of targets) raiseCounters(tx, envelope);
  return taken.filter((one) => one !== undefined);
}

/** Adopts a version unless the database has it, or a newer one. */
function adopt(
  tx: Tx,
  role: StoredRole,
  file: { envelope: Envelope; keys: ReadonlyMap<string, PublicKey>; items: ReadonlyMap<string, ItemValue> | undefined },
): TakenVersion | undefined {
  const { bytes, signed } = file.envelope;
  const { version, expires } = signed;
  const before = role.completeVersion ?? 0;
  if (version <= before) return undefined;
  const signatures = signaturesOf(file.envelope, file.keys);
  adoptVersion(tx, role, {
    version,
    expires,
    signatures,
    file: bytes,
    sha256: sha256(tx.io.engine, bytes),
    items: file.items,
  });
  tx.about(`role:${roleText(role)}`);
  return { role: roleText(role), before, version };
}

function signaturesOf(envelope: Envelope, keys: ReadonlyMap<string, PublicKey>): readonly StoredSignature[] {
  const { decodeSignature } = dialectOf(envelope.dialect);
  const classical = envelope.signatures.flatMap(({ keyId, encoded }): readonly StoredSignature[] => {
    const key = keys.get(keyId);
    return key === undefined
      ? []
      : [{ section: 'classical', keyId: key.keyId, signature: decodeSignature(key.algorithm, encoded) }];
  });
  const hybrid = envelope.hybridSignatures.flatMap(({ keyId, signature }): readonly StoredSignature[] => {
    const key = keys.get(keyId);
    return key === undefined ? [] : [{ section: 'post-quantum', keyId: key.keyId, signature }];
  });
  return [...classical, ...hybrid];
}

function keysOf(...policies: readonly (RolePolicy | undefined)[]): ReadonlyMap<string, PublicKey> {
  return new Map(
    policies.flatMap((policy) => [...(policy?.classical.keys ?? []), ...(policy?.postQuantum?.keys ?? [])]),
  );
}

/** A root, and the one that signs for it beside itself: the one before, or itself for the first. */
export interface RootToTake {
  readonly kind: RepositoryKind;
  readonly root: Envelope<Root>;
  readonly signers: Envelope<Root>;
  readonly known: KnownFiles;
}

/** Takes a verified root over, unless it is there. @throws RESTORE_OTHER, KEY_SERVES_ANOTHER */
export function takeRoot(tx: Tx, { kind, root, signers, known }: RootToTake): TakenVersion | undefined {
  const role = roleAt(tx, { repository: kind, name: 'root' });
  if (root.signed.version <= (role.completeVersion ?? 0)) return undefined;
  const items = new Map(
    TOP_LEVEL_ROLES.map((name) => {
      const policy = rootPolicy(root.signed, name);
      return [definitionItem(name), definitionValue(taken(tx, { repository: kind, name }, { policy, known }))] as const;
    }),
  );
  const keys = keysOf(rootPolicy(signers.signed, 'root'), rootPolicy(root.signed, 'root'));
  return adopt(tx, role, { envelope: root, keys, items });
}

/** A role's definition by its policy, its keys claimed for the repository. */
function taken(
  tx: Tx,
  role: { readonly repository: RepositoryKind; readonly name: string },
  { policy, known }: { policy: RolePolicy; known: KnownFiles },
): RoleDefinition {
  const before = definitionOfRole(tx, role, 'complete');
  const lifetimeSeconds = before?.lifetimeSeconds ?? defaultLifetimeSeconds(role.name, role.repository);
  const definition = definitionFrom({ ...policy, lifetimeSeconds, known });
  for (const member of definition.members) claimMember(tx, member, role.repository);
  return definition;
}

function takeListing(tx: Tx, { role: name, envelope, policy }: PublishedRole): TakenVersion | undefined {
  const role = roleAt(tx, { repository: 'image', name });
  return adopt(tx, role, { envelope, keys: keysOf(policy), items: undefined });
}

function takeTargets(tx: Tx, published: PublishedRole, request: TakeOver): TakenVersion | undefined {
  const { envelope, policy } = published;
  if (envelope.signed.role !== 'targets') return undefined;
  const role = imageRoleAt(tx, published.role);
  const items = new Map<string, ItemValue>();
  for (const [name, target] of envelope.signed.targets) {
    items.set(targetItem(parseTargetName(name)), targetValue(tx, role, { name, target, held: request.held }));
  }
  const isHybrid = policy?.postQuantum !== undefined;
  for (const [item, value] of delegationItems(tx, role, { signed: envelope.signed, isHybrid, known: request.known })) {
    items.set(item, value);
  }
  return adopt(tx, role, { envelope, keys: keysOf(policy), items });
}

/** As the backup has it where that is the same file; else its bytes may be published only if they are at hand. */
function targetValue(
  reader: Reader,
  role: StoredRole,
  { name, target, held }: { name: string; target: TargetFile; held: ReadonlySet<string> },
): ItemValue {
  const hash = target.hashes.get('sha256') ?? '';
  const custom = plain(target.custom ?? new Map());
  const known = knownTarget(reader, role, { name, target });
  const same = known !== undefined && JSON.stringify(sorted(known['custom'])) === JSON.stringify(sorted(custom));
  if (known !== undefined) return same ? known : { ...known, custom };
  const isHeld = held.has(hash);
  return { length: target.length, sha256: hash, custom, confidential: !isHeld, insideBundle: !isHeld };
}

/** What the backup knows of a target with the same content, staged or complete. */
function knownTarget(
  reader: Reader,
  role: StoredRole | undefined,
  { name, target }: { name: string; target: TargetFile },
): ItemValue | undefined {
  if (role === undefined) return undefined;
  const item = targetItem(parseTargetName(name));
  const known = [completeItem(reader, role, item), nextItem(reader, role, item)];
  return known.find(
    (value) => value?.['sha256'] === target.hashes.get('sha256') && value?.['length'] === target.length,
  );
}

function plain(value: Json): ItemValue {
  return JSON.parse(writeJsonText(value)) as ItemValue;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

function delegationItems(
  tx: Tx,
  role: StoredRole,
  { signed, isHybrid, known }: { signed: Targets; isHybrid: boolean; known: KnownFiles },
): readonly (readonly [string, ItemValue])[] {
  const { delegations } = signed;
  const file = { role: role.name, signed, isHybrid };
  const listed = (delegations?.roles ?? []).map((delegation, position) => {
    const roles = delegation.roles.map((to) => {
      const policy = delegatedPolicy(file, { ...to, delegation: delegation.name });
      return { name: to.name, definition: taken(tx, { repository: 'image', name: to.name }, { policy, known }) };
    });
    const item = delegationItem(delegation.name);
    claimDelegated(tx, role, { item, names: roles.map(({ name }) => name) });
    const { name, hardwareIds, terminating, minRolesInAgreement: agreement, scope } = delegation;
    const paths = 'paths' in scope ? scope.paths : [];
    return [item, delegationValue({ name, position, paths, hardwareIds, terminating, roles, agreement })] as const;
  });
  const succinct = delegations?.succinct;
  if (succinct === undefined) return listed;
  const { namePrefix, bitLength } = succinct;
  const policy = delegatedPolicy(file, { ...succinct, name: namePrefix, delegation: namePrefix });
  claimDelegated(tx, role, { item: binsItem(namePrefix), names: [namePrefix] });
  const definition = taken(tx, { repository: 'image', name: namePrefix }, { policy, known });
  return [...listed, [binsItem(namePrefix), binsValue({ namePrefix, bitLength, definition })]];
}

/** An image's counter is its model's; a bundle's name does not say the model, so it counts in all. */
function raiseCounters(tx: Tx, { signed }: Envelope): void {
  if (signed.role !== 'targets') return;
  const highest = new Map<string, number>();
  for (const [name, { custom }] of signed.targets) {
    const found = custom?.get('releaseCounter');
    const scope = name.slice(0, name.indexOf('/'));
    if (typeof found === 'number') highest.set(scope, Math.max(highest.get(scope) ?? 0, found));
  }
  const bundles = highest.get('bundles') ?? 0;
  for (const scope of new Set([...counterScopes(tx), ...highest.keys()])) {
    const model = scope.split('/', 1)[0] ?? scope;
    const counter = Math.max(highest.get(scope) ?? 0, highest.get(model) ?? 0, bundles);
    if (counter > 0 && scope !== 'bundles') raiseReleaseCounter(tx, scope, counter);
  }
}

/** A target that was published and is not in the backup. */
export interface UnknownTarget {
  readonly name: TargetName;
  readonly target: TargetFile;
  /** SHA-256, hex. */
  readonly sha256: string;
}

/** Targets that were published and are not in the backup, in the order of their roles. */
export function unknownTargets(reader: Reader, state: PublishedState): readonly UnknownTarget[] {
  const unknown: UnknownTarget[] = [];
  for (const { role: name, envelope } of state.targets) {
    const role = findRole(reader, { repository: 'image', name });
    if (envelope.signed.role !== 'targets') continue;
    for (const [listed, target] of envelope.signed.targets) {
      const hash = target.hashes.get('sha256');
      if (hash === undefined || knownTarget(reader, role, { name: listed, target }) !== undefined) continue;
      unknown.push({ name: parseTargetName(listed), target, sha256: hash });
    }
  }
  return unknown;
}
