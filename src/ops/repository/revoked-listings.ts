/** Which roles still list revoked keys, and the commands that change that. */
import { utf8 } from '../../core/bytes.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import { keyIdsOf } from '../../plan/role-definition.ts';
import type { Member } from '../../plan/role-definition.ts';
import { binsPrefixes, delegatedNames, delegatorOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { revokedKeys } from '../../store/revoked-keys.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { findSetting } from '../../store/settings.ts';
import { definitionOfRole, isTopLevel } from './definitions.ts';
import type { RoleNamed } from './definitions.ts';
import { delegationOfRole } from './delegation-stage.ts';
import { roleText } from './role-address.ts';

/** A role, or the escrow, that lists a revoked key. */
export interface RevokedListing {
  readonly role: string;
  /** The key, classical where it is a pair. */
  readonly keyId: string;
  readonly holder: string;
  /** `replace`: its threshold needs another key; `remove`: the others reach it; `sign`: only the version in force lists it. */
  readonly needs: 'replace' | 'remove' | 'sign';
  /** What to type next. */
  readonly command: string;
}

/** Who still lists revoked keys, in either repository. */
export function revokedListings(reader: Reader): readonly RevokedListing[] {
  const revoked = revokedKeys(reader);
  if (revoked.size === 0) return [];
  const topLevel = (['image', 'director'] as const).flatMap((repository) =>
    TOP_LEVEL_ROLES.map((name): RoleAddress => ({ repository, name })),
  );
  const delegated = [...delegatedNames(reader), ...binsPrefixes(reader)].map((name): RoleAddress => ({
    repository: 'image',
    name,
  }));
  const roles = [...topLevel, ...delegated].flatMap((address) => listingsOf(reader, address, revoked));
  return [...roles, ...escrowListing(reader, revoked)];
}

function listingsOf(reader: Reader, address: RoleAddress, revoked: ReadonlySet<string>): readonly RevokedListing[] {
  const role: RoleNamed = { repository: address.repository, name: address.name };
  const isRevoked = (member: Member): boolean => keyIdsOf(member).some((keyId) => revoked.has(keyId));
  const idOf = (member: Member): string => member.classical.keyId;
  const next = definitionOfRole(reader, role, 'next');
  const coming = (next?.members ?? []).filter(isRevoked);
  const inForce = (definitionOfRole(reader, role, 'complete')?.members ?? []).filter(isRevoked);
  const going = inForce.filter((member) => !coming.some((one) => idOf(one) === idOf(member)));
  const needs: 'replace' | 'remove' =
    next !== undefined && next.members.length - coming.length < next.threshold ? 'replace' : 'remove';
  const listing = (member: Member): Pick<RevokedListing, 'role' | 'keyId' | 'holder'> => ({
    role: roleText(address),
    keyId: idOf(member),
    holder: member.holder,
  });
  return [
    ...coming.map((member) => ({
      ...listing(member),
      needs,
      command: changeCommand(reader, address, { needs, keyId: idOf(member) }),
    })),
    ...going.map((member) => ({ ...listing(member), needs: 'sign' as const, command: signCommand(reader, address) })),
  ];
}

function escrowListing(reader: Reader, revoked: ReadonlySet<string>): readonly RevokedListing[] {
  const text = findSetting(reader, 'escrow');
  if (text === undefined) return [];
  const { keys, holder } = decodePublicFile(utf8(text));
  return keys
    .filter(({ keyId }) => revoked.has(keyId))
    .map(({ keyId }): RevokedListing => {
      return { role: 'escrow', keyId, holder: holder ?? '', needs: 'replace', command: escrowCommand(keyId) };
    });
}

/** What replaces the escrow key. */
export function escrowCommand(keyId: string): string {
  return `secureev role change escrow --replace ${keyId.slice(0, 8)}=NEW.pub`;
}

/** What replaces a key of a role, or takes it away. @throws DELEGATION_UNKNOWN */
export function changeCommand(
  reader: Reader,
  address: RoleAddress,
  { needs, keyId }: { needs: 'replace' | 'remove'; keyId: string },
): string {
  const short = keyId.slice(0, 8);
  const change = needs === 'replace' ? `--replace ${short}=NEW.pub` : `--remove ${short}`;
  if (isTopLevel(address.name)) return `secureev role change ${roleText(address)} ${change}`;
  const { name, role } = delegationOfRole(reader, address.name);
  return `secureev delegation change ${role === undefined ? name : `${name} --role ${role}`} ${change}`;
}

/** Whose next version takes a key out of a role. */
function signCommand(reader: Reader, { repository, name }: RoleAddress): string {
  const delegator = isTopLevel(name) ? 'root' : (delegatorOf(reader, name)?.role.name ?? 'targets');
  return `secureev sign ${roleText({ repository, name: delegator })} --key ...`;
}
