/**
 * The signed bodies of next versions, from what the store holds.
 *
 * Invariants: a root is hybrid in all four roles and all their keys, or in none; a Snapshot lists complete versions only; a
 * Timestamp lists the length and hash of a complete Snapshot.
 */
import { parseVersion } from '../core/brands.ts';
import type { Instant, TargetName } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { failure, SecureevError } from '../core/errors.ts';
import type { Json } from '../formats/json/json.ts';
import { jsonMap } from '../formats/json/json.ts';
import { SPEC_VERSION } from '../formats/metadata/body.ts';
import { TOP_LEVEL_ROLES } from '../formats/metadata/types.ts';
import type {
  MetaFile,
  RepositoryKind,
  Root,
  SignedExtension,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from '../formats/metadata/types.ts';
import type { DelegationsPart } from './delegations.ts';
import type { RoleDefinition } from './role-definition.ts';
import { ringOf } from './role-ring.ts';
import type { NamedDefinition } from './role-ring.ts';

/** What every body says beside its content. */
export interface BodyFacts {
  readonly version: number;
  readonly expires: Instant;
  /** The repository's UUID. */
  readonly repository: string;
  readonly kind: RepositoryKind;
}

/** The four definitions a root needs. */
export type RootDefinitions = ReadonlyMap<string, RoleDefinition>;

/** A root body; `inForce` is the root before it, if there is one. @throws ROLE_KEYS_MISSING, HYBRID_INCOMPLETE, HYBRID_DROPPED */
export function rootBody(facts: BodyFacts, definitions: RootDefinitions, inForce: RootDefinitions): Root {
  const roles = TOP_LEVEL_ROLES.map((name) => [name, definitionFor(definitions, { name, kind: facts.kind })] as const);
  const hybrid = isHybrid(roles) ? ringOf(roles, (member) => member.postQuantum) : undefined;
  const wasHybrid = inForce.get('root')?.members.some((member) => member.postQuantum !== undefined) ?? false;
  if (wasHybrid && hybrid === undefined) {
    throw failure('HYBRID_DROPPED', 'this root would give up post-quantum signatures, which clients refuse');
  }
  return {
    role: 'root',
    ...commonOf(facts, { hybrid }),
    consistentSnapshot: true,
    ...ringOf(roles, (member) => member.classical),
  };
}

/** What a Targets body says of one file. */
export interface BodyTarget {
  readonly name: TargetName;
  readonly length: number;
  readonly sha256: Uint8Array;
  /** Plain JSON values. */
  readonly custom: Readonly<Record<string, unknown>>;
}

const NO_DELEGATIONS: DelegationsPart = { delegations: undefined, hybrid: undefined };

/** A Targets body, or that of a delegated role. */
export function targetsBody(
  facts: BodyFacts,
  targets: Iterable<BodyTarget>,
  { delegations, hybrid }: DelegationsPart = NO_DELEGATIONS,
): Targets {
  const files = new Map<TargetName, TargetFile>();
  for (const { name, length, sha256, custom } of targets) {
    files.set(name, { length, hashes: new Map([['sha256', toHex(sha256)]]), custom: customMap(custom) });
  }
  return { role: 'targets', ...commonOf(facts, { hybrid }), targets: files, delegations, custom: undefined };
}

/** A Snapshot body: Targets files by name without `.json`, and the audit log's head. */
export function snapshotBody(
  facts: BodyFacts,
  content: { versions: ReadonlyMap<string, number>; log: { length: number; hash: Uint8Array } },
): Snapshot {
  const meta = new Map<string, MetaFile>();
  for (const [name, version] of content.versions) {
    meta.set(`${name}.json`, { version: parseVersion(version), length: undefined, hashes: undefined });
  }
  const log = { length: content.log.length, head: toHex(content.log.hash) };
  return { role: 'snapshot', ...commonOf(facts, { log }), meta };
}

/** A Timestamp body over a complete Snapshot. */
export function timestampBody(
  facts: BodyFacts,
  snapshot: { version: number; sizeBytes: number; sha256: Uint8Array },
): Timestamp {
  const hashes = new Map([['sha256', toHex(snapshot.sha256)]]);
  const file = { version: parseVersion(snapshot.version), length: snapshot.sizeBytes, hashes };
  return { role: 'timestamp', ...commonOf(facts, {}), snapshot: file };
}

function definitionFor(
  definitions: RootDefinitions,
  { name, kind }: { name: string; kind: RepositoryKind },
): RoleDefinition {
  const definition = definitions.get(name);
  if (definition !== undefined) return definition;
  const role = kind === 'director' ? `director/${name}` : name;
  throw new SecureevError('ROLE_KEYS_MISSING', {
    message: `${role} has no keys yet, and a root lists the keys of all four roles`,
    hint: `\`secureev role set ${role} --key ...\``,
  });
}

/** All members of all roles have a post-quantum key (true), or none has (false). @throws HYBRID_INCOMPLETE */
function isHybrid(roles: readonly NamedDefinition[]): boolean {
  const members = roles.flatMap(([name, { members }]) => members.map((member) => ({ name, member })));
  const classical = members.filter(({ member }) => member.postQuantum === undefined);
  if (classical.length === members.length) return false;
  const [first] = classical;
  if (first === undefined) return true;
  throw new SecureevError('HYBRID_INCOMPLETE', {
    message: `key ${first.member.classical.keyId} of ${first.name} has no post-quantum key beside it, but others do`,
    hint: 'hybrid protection covers all four roles or none: replace the classical keys, or the hybrid ones',
    details: { roles: [...new Set(classical.map(({ name }) => name))] },
  });
}

/** What all bodies begin with. */
export function commonOf(
  facts: BodyFacts,
  own: Partial<Pick<SignedExtension, 'log' | 'hybrid'>>,
): Pick<Root, 'specVersion' | 'version' | 'expires' | 'extension'> {
  const { repository, kind } = facts;
  return {
    specVersion: SPEC_VERSION,
    version: parseVersion(facts.version),
    expires: facts.expires,
    extension: { repository, kind, log: own.log, hybrid: own.hybrid },
  };
}

/** A target's custom data as metadata has it. @throws INTERNAL for what JSON has not */
export function customMap(custom: Readonly<Record<string, unknown>>): ReadonlyMap<string, Json> {
  return jsonMap(Object.fromEntries(Object.entries(custom).map(([name, value]) => [name, jsonOf(value)])));
}

/** Plain JSON values as this program holds them. @throws INTERNAL for what JSON has not */
function jsonOf(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== 'object') throw failure('INTERNAL', `custom data holds a ${typeof value}`);
  return new Map(Object.entries(value).map(([name, member]) => [name, jsonOf(member)]));
}
