/**
 * Our member `x-secureev` of `signed`: which repository this is of, the audit log's head, post-quantum keys.
 *
 * Invariants: `log` only in Snapshot; `hybrid` only in root, for exactly the four roles, and in delegating Targets, for
 * exactly its delegated roles (bins by their name prefix).
 */
import { failure } from '../../core/errors.ts';
import { jsonMap } from '../json/json.ts';
import type { JsonMap } from '../json/json.ts';
import { jsonInteger, jsonMember, jsonMisfit, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { decodeKeyRing, encodeKeyRing } from './key-ring.ts';
import type { KeyForm } from './key-ring.ts';
import { DELEGATIONS_MAX } from './limits.ts';
import { decodeTufKey, encodeTufKey } from './tuf-key.ts';
import { TOP_LEVEL_ROLES } from './types.ts';
import type { Delegations, KeyRing, LogHead, RepositoryKind, Signed, SignedExtension } from './types.ts';

/** The member's name, in `signed` and in the envelope. */
export const EXTENSION_MEMBER = 'x-secureev';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEAD = /^[0-9a-f]{64}$/;
/** In every dialect hybrid keys are written as TAP 21 does. */
const HYBRID_FORM: KeyForm = { decodeKey: decodeTufKey, encodeKey: encodeTufKey, listedId: (keyId) => keyId };

/** Reads the member, undefined where there is none. @throws METADATA_MALFORMED */
export function decodeExtension(signed: JsonPlace): SignedExtension | undefined {
  const place = jsonMember(signed, EXTENSION_MEMBER);
  if (place.value === undefined) return undefined;
  const repository = jsonMember(place, 'repository');
  if (!UUID.test(jsonText(repository))) throw jsonMisfit(repository, 'a UUID in lower case');
  const hybrid = jsonMember(place, 'hybrid');
  return {
    repository: jsonText(repository),
    kind: decodeKind(jsonMember(place, 'kind')),
    log: decodeLog(jsonMember(place, 'log')),
    hybrid: hybrid.value === undefined ? undefined : decodeKeyRing(hybrid, HYBRID_FORM, DELEGATIONS_MAX),
  };
}

function decodeKind(place: JsonPlace): RepositoryKind {
  const kind = jsonText(place);
  if (kind !== 'image' && kind !== 'director') throw jsonMisfit(place, 'image or director');
  return kind;
}

function decodeLog(place: JsonPlace): LogHead | undefined {
  if (place.value === undefined) return undefined;
  const head = jsonMember(place, 'head');
  if (!HEAD.test(jsonText(head))) throw jsonMisfit(head, '64 hex digits');
  return { length: jsonInteger(jsonMember(place, 'length'), { min: 0 }), head: jsonText(head) };
}

/**
 * Demands that the member holds what its role may have, and the hybrid section all that it must.
 *
 * @throws METADATA_MALFORMED, METADATA_HYBRID_INCOMPLETE
 */
export function requireFitting(body: Signed, signed: JsonPlace): void {
  const { log, hybrid } = body.extension ?? {};
  const place = jsonMember(signed, EXTENSION_MEMBER);
  if (log !== undefined && body.role !== 'snapshot') throw jsonMisfit(jsonMember(place, 'log'), 'in a Snapshot');
  if (hybrid === undefined) return;
  const expected = hybridRoles(body);
  if (expected.length === 0) throw jsonMisfit(jsonMember(place, 'hybrid'), 'in a root or in delegating Targets');
  requireExactly(expected, hybrid, `${place.path}.hybrid.roles`);
}

/** The roles that a hybrid section of this body must have, each and no other. */
export function hybridRoles(body: Signed): readonly string[] {
  if (body.role === 'root') return TOP_LEVEL_ROLES;
  return body.role === 'targets' && body.delegations !== undefined ? delegatedNames(body.delegations) : [];
}

/** The names that delegations give keys to: roles, or the prefix of bins. */
function delegatedNames(delegations: Delegations): readonly string[] {
  if (delegations.succinct !== undefined) return [delegations.succinct.namePrefix];
  return [...new Set(delegations.roles.flatMap(({ roles }) => roles.map(({ name }) => name)))];
}

function requireExactly(expected: readonly string[], hybrid: KeyRing, path: string): void {
  const missing = expected.filter((name) => !hybrid.roles.has(name));
  const other = [...hybrid.roles.keys()].filter((name) => !expected.includes(name));
  if (missing.length === 0 && other.length === 0) return;
  const problem = missing.length > 0 ? `lacks ${missing.length} roles` : `has ${other.length} roles too many`;
  throw failure('METADATA_HYBRID_INCOMPLETE', `${path} ${problem}: hybrid keys are for all roles or for none`, {
    path,
    missing,
    other,
  });
}

/** Writes the member. */
export function encodeExtension(extension: SignedExtension): JsonMap {
  const { log, hybrid } = extension;
  return jsonMap({
    repository: extension.repository,
    kind: extension.kind,
    log: log === undefined ? undefined : jsonMap({ length: log.length, head: log.head }),
    hybrid: hybrid === undefined ? undefined : encodeKeyRing(hybrid, HYBRID_FORM),
  });
}
