/** Keys, key ids and thresholds: the parts that root, delegations and our hybrid section share. */
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { jsonMap } from '../json/json.ts';
import type { Json, JsonMap } from '../json/json.ts';
import { jsonInteger, jsonList, jsonMember, jsonMembers, jsonMisfit, jsonParsed } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import type { Dialect } from './dialect.ts';
import { KEYS_MAX, ROLE_KEYS_MAX } from './limits.ts';
import type { KeyRing, MetadataKey, RoleKeys } from './types.ts';

/** How keys are written: a dialect's way, or TAP 21's in the hybrid section. */
export type KeyForm = Pick<Dialect, 'decodeKey' | 'encodeKey' | 'listedId'>;

/** Reads `{KEYID: key, ...}`. @throws METADATA_MALFORMED */
export function decodeKeys(place: JsonPlace, form: KeyForm): ReadonlyMap<KeyId, MetadataKey> {
  const entries = jsonMembers(place, KEYS_MAX).map(([name, member]) => {
    const keyId = jsonParsed({ ...member, value: name }, parseKeyId);
    return [keyId, form.decodeKey(keyId, member)] as const;
  });
  return new Map(entries);
}

/** Reads `keyids` and `threshold`; every id unique and in `keys`. @throws METADATA_MALFORMED */
export function decodeRoleKeys(place: JsonPlace, keys: KeyRing['keys']): RoleKeys {
  const list = jsonMember(place, 'keyids');
  const keyIds = jsonList(list, ROLE_KEYS_MAX).map((item) => jsonParsed(item, parseKeyId));
  if (new Set(keyIds).size !== keyIds.length) throw jsonMisfit(list, 'free of duplicates');
  const missing = keyIds.find((keyId) => !keys.has(keyId));
  if (missing !== undefined) throw jsonMisfit(list, `a list of ids of keys: ${missing} is not in keys`);
  return { keyIds, threshold: jsonInteger(jsonMember(place, 'threshold'), { min: 1 }) };
}

/** Reads `{keys, roles}`. @throws METADATA_MALFORMED */
export function decodeKeyRing(place: JsonPlace, form: KeyForm, rolesMax: number): KeyRing {
  const keys = decodeKeys(jsonMember(place, 'keys'), form);
  const members = jsonMembers(jsonMember(place, 'roles'), rolesMax);
  return { keys, roles: new Map(members.map(([name, member]) => [name, decodeRoleKeys(member, keys)] as const)) };
}

/** Writes `{KEYID: key, ...}`, keys of an unknown type left out: we never write any. */
export function encodeKeys(keys: KeyRing['keys'], form: KeyForm): JsonMap {
  const known = [...keys].flatMap(([keyId, { publicKey }]) => (publicKey === undefined ? [] : [{ keyId, publicKey }]));
  return new Map(
    known.map(({ keyId, publicKey }) => [form.listedId(keyId, publicKey), form.encodeKey(publicKey)] as const),
  );
}

/** Writes `keyids` (in order, each as the form lists its key) and `threshold`. */
export function encodeRoleKeys(
  role: RoleKeys,
  { keys, form }: { readonly keys: KeyRing['keys']; readonly form: KeyForm },
): Readonly<Record<string, Json>> {
  const keyids = role.keyIds.map((keyId) => {
    const publicKey = keys.get(keyId)?.publicKey;
    return publicKey === undefined ? keyId : form.listedId(keyId, publicKey);
  });
  return { keyids, threshold: role.threshold };
}

/** Writes `{keys, roles}`. */
export function encodeKeyRing(ring: KeyRing, form: KeyForm): JsonMap {
  const { keys, roles } = ring;
  return jsonMap({
    keys: encodeKeys(keys, form),
    roles: new Map([...roles].map(([name, role]) => [name, jsonMap(encodeRoleKeys(role, { keys, form }))] as const)),
  });
}
