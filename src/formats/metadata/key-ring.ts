/** Keys, key ids and thresholds: the parts that root, delegations and our hybrid section share. */
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { jsonMap } from '../json/json.ts';
import type { Json, JsonMap } from '../json/json.ts';
import { jsonInteger, jsonList, jsonMember, jsonMembers, jsonMisfit, jsonParsed } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { KEYS_MAX, ROLE_KEYS_MAX } from './limits.ts';
import { decodeTufKey, encodeTufKey } from './tuf-key.ts';
import type { KeyRing, MetadataKey, RoleKeys } from './types.ts';

/** Reads `{KEYID: key, ...}`. @throws METADATA_MALFORMED */
export function decodeKeys(place: JsonPlace): ReadonlyMap<KeyId, MetadataKey> {
  const entries = jsonMembers(place, KEYS_MAX).map(([name, member]) => {
    const keyId = jsonParsed({ ...member, value: name }, parseKeyId);
    return [keyId, decodeTufKey(keyId, member)] as const;
  });
  return new Map(entries);
}

/** Reads `keyids` and `threshold`; every id unique. @throws METADATA_MALFORMED */
export function decodeRoleKeys(place: JsonPlace): RoleKeys {
  const ids = jsonList(jsonMember(place, 'keyids'), ROLE_KEYS_MAX).map((item) => jsonParsed(item, parseKeyId));
  if (new Set(ids).size !== ids.length) throw jsonMisfit(jsonMember(place, 'keyids'), 'without duplicates');
  return { keyIds: ids, threshold: jsonInteger(jsonMember(place, 'threshold'), { min: 1 }) };
}

/** Reads `{keys, roles}`; each listed id must have its key. @throws METADATA_MALFORMED */
export function decodeKeyRing(place: JsonPlace, rolesMax: number): KeyRing {
  const keys = decodeKeys(jsonMember(place, 'keys'));
  const members = jsonMembers(jsonMember(place, 'roles'), rolesMax);
  const roles = new Map(members.map(([name, member]) => [name, decodeRoleKeys(member)] as const));
  for (const [name, member] of members) {
    for (const id of roles.get(name)?.keyIds ?? []) {
      if (!keys.has(id)) throw jsonMisfit(member, `complete: key ${id} is not in keys`);
    }
  }
  return { keys, roles };
}

/** Writes `{KEYID: key, ...}`. */
export function encodeKeys(keys: Iterable<PublicKey>): JsonMap {
  return new Map([...keys].map((key) => [key.keyId, encodeTufKey(key)] as const));
}

/** Writes `keyids` (in order) and `threshold`. */
export function encodeRoleKeys(role: RoleKeys): Readonly<Record<string, Json>> {
  return { keyids: role.keyIds, threshold: role.threshold };
}

/** Writes `{keys, roles}`. @throws METADATA_MALFORMED for keys of an unknown type, which we never write */
export function encodeKeyRing(ring: KeyRing): JsonMap {
  return jsonMap({
    keys: encodeKeys(knownKeys(ring.keys.values())),
    roles: new Map([...ring.roles].map(([name, role]) => [name, jsonMap(encodeRoleKeys(role))] as const)),
  });
}

/** The public keys of key objects that are known here. */
export function knownKeys(keys: Iterable<MetadataKey>): readonly PublicKey[] {
  return [...keys].flatMap((key) => (key.publicKey === undefined ? [] : [key.publicKey]));
}
