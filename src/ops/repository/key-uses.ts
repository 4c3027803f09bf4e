/** Finds what a key serves: roles of both roots, delegated roles, the escrow, vehicles. */
import { quote } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import { keyIdsOf } from '../../plan/role-definition.ts';
import type { Member } from '../../plan/role-definition.ts';
import { findVehicleById, vehicleKeysBeginning } from '../../store/fleet.ts';
import type { Vehicle } from '../../store/fleet.ts';
import { binsPrefixes, delegatedNames } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import type { RoleAddress, RepositoryKind } from '../../store/roles.ts';
import { findSetting } from '../../store/settings.ts';
import { definitionOfRole, definitionsIn } from './definitions.ts';
import type { RootState } from './definitions.ts';

/** A role that a key may sign for. */
export interface RoleUse {
  readonly address: RoleAddress;
  /** The holder's classical key and the post-quantum one beside it: they go together. */
  readonly member: Member;
  /** Whether the root to come still lists it; false where its removal is staged already. */
  readonly coming: boolean;
}

/** All that a key serves. */
export interface KeyUses {
  /** The key, or the pair that it belongs to, classical first. */
  readonly keyIds: readonly string[];
  /** Empty where nobody said. */
  readonly holder: string;
  readonly roles: readonly RoleUse[];
  readonly escrow: boolean;
  readonly vehicles: readonly Vehicle[];
}

const PREFIX = /^[0-9a-f]{8,64}$/;
const REPOSITORIES: readonly RepositoryKind[] = ['image', 'director'];

/** The uses of the key whose id begins with `wanted`. @throws KEY_UNKNOWN, KEY_AMBIGUOUS */
export function findKeyUses(reader: Reader, wanted: string): KeyUses {
  if (!PREFIX.test(wanted)) {
    throw new SecureevError('USAGE', {
      message: `not a key id or its first 8 digits: ${quote(wanted)}`,
      hint: '`secureev role list` and `secureev vehicle show` show key ids',
    });
  }
  const listed = REPOSITORIES.flatMap((repository) => rolesOf(reader, repository, wanted));
  const roles = [...listed, ...delegatedUses(reader, wanted)];
  const escrow = escrowIds(reader).filter((keyId) => keyId.startsWith(wanted));
  const vehicleKeys = vehicleKeysBeginning(reader, wanted, 2);
  const found = new Map(roles.map(({ member }) => [keyIdsOf(member).join(), member] as const));
  const ids = new Set([...found.keys(), ...escrow, ...vehicleKeys.map(({ keyId }) => keyId)]);
  const [first, ...more] = ids;
  if (first === undefined) throw unknown(wanted);
  if (more.length > 0) {
    throw new SecureevError('KEY_AMBIGUOUS', {
      message: `${wanted} begins the ids of several keys`,
      hint: 'give more digits',
      details: { keyIds: [...ids] },
    });
  }
  const owners = vehicleKeys.map(({ vehicle }) => findVehicleById(reader, vehicle));
  return {
    keyIds: first.split(','),
    holder: found.get(first)?.holder ?? '',
    roles,
    escrow: escrow.length > 0,
    vehicles: owners.filter((vehicle) => vehicle !== undefined),
  };
}

function rolesOf(reader: Reader, repository: RepositoryKind, wanted: string): readonly RoleUse[] {
  const next = definitionsIn(reader, repository, 'next');
  const inForce = definitionsIn(reader, repository, 'complete');
  return [...next.keys()].flatMap((name) => {
    const [coming, old] = [next.get(name)?.members ?? [], inForce.get(name)?.members ?? []];
    return usesOf({ address: { repository, name }, next: coming, inForce: old }, wanted);
  });
}

/** Roles that are delegated to with the key, bins by their prefix. */
function delegatedUses(reader: Reader, wanted: string): readonly RoleUse[] {
  const names = [...delegatedNames(reader), ...binsPrefixes(reader)];
  return names.flatMap((name) => {
    const address = { repository: 'image', name } as const;
    const of = (state: RootState): readonly Member[] => definitionOfRole(reader, address, state)?.members ?? [];
    return usesOf({ address, next: of('next'), inForce: of('complete') }, wanted);
  });
}

interface MembersOfRole {
  readonly address: RoleAddress;
  readonly next: readonly Member[];
  readonly inForce: readonly Member[];
}

function usesOf({ address, next, inForce }: MembersOfRole, wanted: string): readonly RoleUse[] {
  const has = (member: Member): boolean => keyIdsOf(member).some((keyId) => keyId.startsWith(wanted));
  const coming = next.filter(has);
  const gone = inForce
    .filter(has)
    .filter((member) => !coming.some((one) => one.classical.keyId === member.classical.keyId));
  return [
    ...coming.map((member) => ({ address, member, coming: true })),
    ...gone.map((member) => ({ address, member, coming: false })),
  ];
}

function escrowIds(reader: Reader): readonly string[] {
  const text = findSetting(reader, 'escrow');
  return text === undefined ? [] : decodePublicFile(utf8(text)).keys.map(({ keyId }) => keyId);
}

function unknown(wanted: string): SecureevError {
  return new SecureevError('KEY_UNKNOWN', {
    message: `no role, escrow or vehicle uses a key ${wanted}`,
    hint: '`secureev role list` and `secureev vehicle show` show the keys in use',
  });
}
