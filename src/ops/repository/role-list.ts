/** Roles and their keys, as the next roots will list them. */
import { utf8 } from '../../core/bytes.ts';
import type { Io } from '../../core/ports.ts';
import { decodePublicFile } from '../../formats/keys/public-file.ts';
import { definitionValue } from '../../plan/role-definition.ts';
import type { Reader } from '../../store/reader.ts';
import type { RepositoryKind } from '../../store/roles.ts';
import { findSetting } from '../../store/settings.ts';
import { definitionsIn } from './definitions.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { roleText } from './role-address.ts';
import { shownRole } from './role-set.ts';
import type { ShownRole } from './role-set.ts';

/** A role and its keys. */
export interface ListedRole {
  readonly role: string;
  readonly definition: ShownRole;
  /** Whether it differs from the root in force. */
  readonly staged: boolean;
}

/** All roles that have keys, Image first, and the escrow key. */
export async function listRoles(input: { repository: RepositoryChoice }, io: Io): Promise<readonly ListedRole[]> {
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const roles = [...rolesOf(repository, 'image'), ...rolesOf(repository, 'director')];
  const escrow = findSetting(repository, 'escrow');
  return escrow === undefined ? roles : [...roles, escrowRole(escrow)];
}

function rolesOf(reader: Reader, repository: RepositoryKind): readonly ListedRole[] {
  const inForce = definitionsIn(reader, repository, 'complete');
  return [...definitionsIn(reader, repository, 'next')].map(([name, definition]) => {
    const known = inForce.get(name);
    const same =
      known !== undefined && JSON.stringify(definitionValue(known)) === JSON.stringify(definitionValue(definition));
    return { role: roleText({ repository, name }), definition: shownRole(definition), staged: !same };
  });
}

function escrowRole(publicFile: string): ListedRole {
  const { keys, holder } = decodePublicFile(utf8(publicFile));
  const members = [{ holder: holder ?? '', keys: keys.map(({ algorithm, keyId }) => ({ algorithm, keyId })) }];
  return { role: 'escrow', definition: { members, threshold: 1, lifetimeSeconds: null }, staged: false };
}
