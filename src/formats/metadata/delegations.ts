/**
 * The `delegations` member of Targets: delegated roles in order, or hashed bins (TAP 15), and agreements (TAP 3).
 *
 * Invariants: exactly one of `paths` and `path_hash_prefixes`; role names unique and none of the top level's; every
 * listed key id has its key.
 */
import type { KeyId } from '../../core/brands.ts';
import { jsonMap } from '../json/json.ts';
import type { Json, JsonMap } from '../json/json.ts';
import { jsonBoolean, jsonInteger, jsonList, jsonMember, jsonMisfit, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { decodeKeys, decodeRoleKeys, encodeKeys, encodeRoleKeys, knownKeys } from './key-ring.ts';
import { BIT_LENGTH_MAX, DELEGATIONS_MAX, PATHS_MAX } from './limits.ts';
import { TOP_LEVEL_ROLES } from './types.ts';
import type { DelegatedRole, Delegations, MultiRole, RoleKeys, SuccinctRoles } from './types.ts';

const ROLE_NAME_CHARS_MAX = 255;
const HASH_PREFIX = /^[0-9a-f]{1,64}$/;

/** Reads `delegations`, undefined where there are none. @throws METADATA_MALFORMED */
export function decodeDelegations(place: JsonPlace): Delegations | undefined {
  if (place.value === undefined) return undefined;
  const keys = decodeKeys(jsonMember(place, 'keys'));
  const roles = jsonMember(place, 'roles');
  const succinct = jsonMember(place, 'succinct_roles');
  if ((roles.value === undefined) === (succinct.value === undefined)) {
    throw jsonMisfit({ ...place, value: false }, 'of either roles or succinct_roles');
  }
  const listed = roles.value === undefined ? [] : jsonList(roles, DELEGATIONS_MAX);
  const single = listed.filter((item) => jsonMember(item, 'names').value === undefined);
  const agreeing = listed.filter((item) => jsonMember(item, 'names').value !== undefined);
  const delegations = {
    keys,
    roles: single.map(decodeDelegatedRole),
    succinct: succinct.value === undefined ? undefined : decodeSuccinct(succinct),
    multiRoles: agreeing.map(decodeMultiRole),
  };
  requireConsistent(delegations, place);
  return delegations;
}

function decodeDelegatedRole(place: JsonPlace): DelegatedRole {
  const hardware = jsonMember(place, 'x-hardware-ids');
  return {
    ...decodeRoleKeys(place),
    name: decodeRoleName(jsonMember(place, 'name')),
    scope: decodeScope(place),
    terminating: jsonBoolean(jsonMember(place, 'terminating')),
    hardwareIds: hardware.value === undefined ? undefined : jsonList(hardware, PATHS_MAX).map(jsonText),
  };
}

function decodeRoleName(place: JsonPlace): string {
  const name = jsonText(place);
  const reserved = TOP_LEVEL_ROLES.some((role) => role === name);
  if (name === '' || name.length > ROLE_NAME_CHARS_MAX || reserved)
    throw jsonMisfit(place, 'a name of a delegated role');
  return name;
}

function decodeScope(place: JsonPlace): DelegatedRole['scope'] {
  const paths = jsonMember(place, 'paths');
  const prefixes = jsonMember(place, 'path_hash_prefixes');
  if ((paths.value === undefined) === (prefixes.value === undefined)) {
    throw jsonMisfit({ ...place, value: false }, 'of either paths or path_hash_prefixes');
  }
  if (paths.value !== undefined) return { paths: jsonList(paths, PATHS_MAX).map(jsonText) };
  return {
    hashPrefixes: jsonList(prefixes, PATHS_MAX).map((item) => {
      if (!HASH_PREFIX.test(jsonText(item))) throw jsonMisfit(item, '1 to 64 hex digits in lower case');
      return jsonText(item);
    }),
  };
}

function decodeSuccinct(place: JsonPlace): SuccinctRoles {
  return {
    ...decodeRoleKeys(place),
    bitLength: jsonInteger(jsonMember(place, 'bit_length'), { min: 1, max: BIT_LENGTH_MAX }),
    namePrefix: decodeRoleName(jsonMember(place, 'name_prefix')),
  };
}

function decodeMultiRole(place: JsonPlace): MultiRole {
  const names = jsonList(jsonMember(place, 'names'), PATHS_MAX).map(decodeRoleName);
  return {
    names,
    minRolesInAgreement: jsonInteger(jsonMember(place, 'min_roles_in_agreement'), { min: 1, max: names.length }),
    paths: jsonList(jsonMember(place, 'paths'), PATHS_MAX).map(jsonText),
    terminating: jsonBoolean(jsonMember(place, 'terminating')),
  };
}

function requireConsistent(delegations: Delegations, place: JsonPlace): void {
  const names = new Set<string>();
  for (const role of delegations.roles) {
    if (names.has(role.name)) throw jsonMisfit(place, `free of duplicates: role ${role.name} is there twice`);
    names.add(role.name);
    requireKeys(delegations.keys, { role, place });
  }
  if (delegations.succinct !== undefined) requireKeys(delegations.keys, { role: delegations.succinct, place });
  for (const name of delegations.multiRoles.flatMap((multi) => multi.names)) {
    if (!names.has(name)) throw jsonMisfit(place, `complete: role ${name} of an agreement is not delegated to`);
  }
}

function requireKeys(keys: Delegations['keys'], at: { role: RoleKeys; place: JsonPlace }): void {
  const missing: KeyId | undefined = at.role.keyIds.find((id) => !keys.has(id));
  if (missing !== undefined) throw jsonMisfit(at.place, `complete: key ${missing} is not in keys`);
}

/** Writes `delegations`. */
export function encodeDelegations(delegations: Delegations): JsonMap {
  const { succinct } = delegations;
  const listed = [...delegations.multiRoles.map(encodeMultiRole), ...delegations.roles.map(encodeDelegatedRole)];
  return jsonMap({
    keys: encodeKeys(knownKeys(delegations.keys.values())),
    roles: succinct === undefined ? listed : undefined,
    succinct_roles:
      succinct === undefined
        ? undefined
        : jsonMap({ ...encodeRoleKeys(succinct), bit_length: succinct.bitLength, name_prefix: succinct.namePrefix }),
  });
}

function encodeDelegatedRole(role: DelegatedRole): Json {
  return jsonMap({
    ...encodeRoleKeys(role),
    name: role.name,
    paths: 'paths' in role.scope ? role.scope.paths : undefined,
    path_hash_prefixes: 'hashPrefixes' in role.scope ? role.scope.hashPrefixes : undefined,
    terminating: role.terminating,
    'x-hardware-ids': role.hardwareIds,
  });
}

function encodeMultiRole(multi: MultiRole): Json {
  return jsonMap({
    names: multi.names,
    min_roles_in_agreement: multi.minRolesInAgreement,
    paths: multi.paths,
    terminating: multi.terminating,
  });
}
