/** Role names as people write them: `targets`, `director/root`. */
import { quote } from '../../core/brands.ts';
import { SecureevError } from '../../core/errors.ts';
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import type { RoleAddress } from '../../store/roles.ts';

const DIRECTOR = 'director/';

/** The roles that a root lists, in both repositories: `root` to `timestamp`, and the same behind `director/`. */
export function definedRole(text: string): RoleAddress {
  const repository = text.startsWith(DIRECTOR) ? 'director' : 'image';
  const name = repository === 'director' ? text.slice(DIRECTOR.length) : text;
  if (TOP_LEVEL_ROLES.some((role) => role === name)) return { repository, name };
  throw new SecureevError('ROLE_UNKNOWN', {
    message: `there is no role ${quote(text)}`,
    hint: `roles are ${TOP_LEVEL_ROLES.join(', ')}, and the same behind director/`,
  });
}

/** The roles that have versions of their own: those of the Image repository, and the Director's root. @throws ROLE_UNKNOWN */
export function signedRole(text: string): RoleAddress {
  const address = definedRole(text);
  if (address.repository === 'image' || address.name === 'root') return address;
  throw new SecureevError('ROLE_UNKNOWN', {
    message: `${text} has no versions of its own: each vehicle has its own Targets, Snapshot and Timestamp there`,
  });
}

/** How people write a role. */
export function roleText(address: RoleAddress): string {
  return address.repository === 'director' ? DIRECTOR + address.name : address.name;
}
