/**
 * The `delegations` of Targets: delegated roles in order, hashed bins (TAP 15), or roles that must agree (TAP 3).
 *
 * Three forms: `{keys, roles: [...]}` and `{keys, succinct_roles}` of TUF, and TAP 3's list of delegations with their
 * `roleinfo`, its keys in `keys_for_delegations` beside it. Writing takes TAP 3's only where a delegation has several
 * roles, since other clients read the first two alone.
 *
 * Invariants: exactly one of `paths` and `path_hash_prefixes`; no list empty; no role named as a top-level one; a role
 * twice only under two delegations of TAP 3; every listed key id has its key.
 */
import { jsonMap } from '../json/json.ts';
import type { Json } from '../json/json.ts';
import { isJsonList } from '../json/json.ts';
import { jsonBoolean, jsonInteger, jsonList, jsonMember, jsonMisfit, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { decodeKeys, decodeRoleKeys, encodeKeys, encodeRoleKeys } from './key-ring.ts';
import type { KeyForm } from './key-ring.ts';
import { BIT_LENGTH_MAX, DELEGATIONS_MAX, PATHS_MAX, ROLE_NAME_CHARS_MAX } from './limits.ts';
import { TOP_LEVEL_ROLES } from './types.ts';
import type { DelegatedRole, Delegation, Delegations, DelegationScope, KeyRing, SuccinctRoles } from './types.ts';

/** Our member of a delegation: hardware ids, as Uptane has them. */
const HARDWARE_MEMBER = 'x-hardware-ids';
const HASH_PREFIX = /^[0-9a-f]{1,64}$/;

/** Reads `delegations` of a `signed` object, undefined where there are none. @throws METADATA_MALFORMED */
export function decodeDelegations(signed: JsonPlace, form: KeyForm): Delegations | undefined {
  const place = jsonMember(signed, 'delegations');
  if (place.value === undefined) return undefined;
  if (isJsonList(place.value)) {
    const keys = decodeKeys(jsonMember(signed, 'keys_for_delegations'), form);
    return { keys, roles: decodeList(place, (item) => decodeAgreement(item, keys)), succinct: undefined };
  }
  const keys = decodeKeys(jsonMember(place, 'keys'), form);
  const roles = jsonMember(place, 'roles');
  const succinct = jsonMember(place, 'succinct_roles');
  requireOne([roles, succinct]);
  if (succinct.value !== undefined) return { keys, roles: [], succinct: decodeSuccinct(succinct, keys) };
  return { keys, roles: decodeList(roles, (item) => decodeSingle(item, keys)), succinct: undefined };
}

/** Delegations in order, their names unique. */
function decodeList(place: JsonPlace, decode: (item: JsonPlace) => Delegation): readonly Delegation[] {
  const listed = jsonList(place, DELEGATIONS_MAX).map(decode);
  requireUnique(
    listed.map(({ name }) => name),
    place,
  );
  return listed;
}

function decodeSingle(place: JsonPlace, keys: KeyRing['keys']): Delegation {
  const role: DelegatedRole = { ...decodeRoleKeys(place, keys), name: decodeName(jsonMember(place, 'name')) };
  return { ...decodeTerms(place), name: role.name, roles: [role], minRolesInAgreement: 1 };
}

/** @see TAP 3, "The new file format of targets metadata" */
function decodeAgreement(place: JsonPlace, keys: KeyRing['keys']): Delegation {
  const info = jsonMember(place, 'roleinfo');
  const roles = jsonList(info, PATHS_MAX).map((item) => {
    return { ...decodeRoleKeys(item, keys), name: decodeName(jsonMember(item, 'rolename')) };
  });
  if (roles.length === 0) throw jsonMisfit(info, 'a list that is not empty');
  requireUnique(
    roles.map(({ name }) => name),
    info,
  );
  return {
    ...decodeTerms(place),
    name: decodeName(jsonMember(place, 'name')),
    roles,
    minRolesInAgreement: jsonInteger(jsonMember(place, 'min_roles_in_agreement'), { min: 1, max: roles.length }),
  };
}

function decodeTerms(place: JsonPlace): Pick<Delegation, 'scope' | 'terminating' | 'hardwareIds'> {
  const hardware = jsonMember(place, HARDWARE_MEMBER);
  return {
    scope: decodeScope(place),
    terminating: jsonBoolean(jsonMember(place, 'terminating')),
    hardwareIds: hardware.value === undefined ? undefined : decodeTexts(hardware),
  };
}

function decodeName(place: JsonPlace): string {
  const name = jsonText(place);
  const reserved = TOP_LEVEL_ROLES.some((role) => role === name);
  if (name === '' || name.length > ROLE_NAME_CHARS_MAX || reserved) {
    throw jsonMisfit(place, 'a name of a delegated role');
  }
  return name;
}

function decodeScope(place: JsonPlace): DelegationScope {
  const paths = jsonMember(place, 'paths');
  const prefixes = jsonMember(place, 'path_hash_prefixes');
  requireOne([paths, prefixes]);
  if (paths.value !== undefined) return { paths: decodeTexts(paths) };
  const hashPrefixes = decodeTexts(prefixes);
  const wrong = hashPrefixes.findIndex((prefix) => !HASH_PREFIX.test(prefix));
  if (wrong !== -1) throw jsonMisfit(prefixes, `a list of 1 to 64 hex digits in lower case: item ${wrong}`);
  return { hashPrefixes };
}

function decodeTexts(place: JsonPlace): readonly string[] {
  return jsonList(place, PATHS_MAX).map(jsonText);
}

function decodeSuccinct(place: JsonPlace, keys: KeyRing['keys']): SuccinctRoles {
  return {
    ...decodeRoleKeys(place, keys),
    bitLength: jsonInteger(jsonMember(place, 'bit_length'), { min: 1, max: BIT_LENGTH_MAX }),
    namePrefix: decodeName(jsonMember(place, 'name_prefix')),
  };
}

function requireOne([a, b]: readonly [JsonPlace, JsonPlace]): void {
  if ((a.value === undefined) === (b.value === undefined)) {
    throw jsonMisfit({ ...a, value: false }, `alone or absent: exactly one of it and ${b.path}`);
  }
}

function requireUnique(names: readonly string[], place: JsonPlace): void {
  if (new Set(names).size !== names.length) throw jsonMisfit(place, 'free of duplicates: a role is there twice');
}

/** The members of `signed` that say `delegations`. */
export function encodeDelegations(delegations: Delegations, form: KeyForm): Readonly<Record<string, Json>> {
  const { succinct, roles } = delegations;
  const keys = encodeKeys(delegations.keys, form);
  const listing = { keys: delegations.keys, form };
  if (succinct !== undefined) {
    return { delegations: jsonMap({ keys, succinct_roles: encodeSuccinct(succinct, listing) }) };
  }
  if (roles.every((delegation) => delegation.roles.length === 1)) {
    return { delegations: jsonMap({ keys, roles: roles.flatMap((one) => encodeSingle(one, listing)) }) };
  }
  return { delegations: roles.map((one) => encodeAgreement(one, listing)), keys_for_delegations: keys };
}

/** The keys of a file and how it lists them. */
type Listing = Parameters<typeof encodeRoleKeys>[1];

function encodeSuccinct(succinct: SuccinctRoles, listing: Listing): Json {
  return jsonMap({
    ...encodeRoleKeys(succinct, listing),
    bit_length: succinct.bitLength,
    name_prefix: succinct.namePrefix,
  });
}

function encodeSingle(delegation: Delegation, listing: Listing): readonly Json[] {
  return delegation.roles.map((role) =>
    jsonMap({ ...encodeTerms(delegation), ...encodeRoleKeys(role, listing), name: role.name }),
  );
}

function encodeAgreement(delegation: Delegation, listing: Listing): Json {
  return jsonMap({
    ...encodeTerms(delegation),
    name: delegation.name,
    min_roles_in_agreement: delegation.minRolesInAgreement,
    roleinfo: delegation.roles.map((role) => jsonMap({ ...encodeRoleKeys(role, listing), rolename: role.name })),
  });
}

function encodeTerms({ scope, terminating, hardwareIds }: Delegation): Readonly<Record<string, Json | undefined>> {
  return {
    paths: 'paths' in scope ? scope.paths : undefined,
    path_hash_prefixes: 'hashPrefixes' in scope ? scope.hashPrefixes : undefined,
    terminating,
    [HARDWARE_MEMBER]: hardwareIds,
  };
}
