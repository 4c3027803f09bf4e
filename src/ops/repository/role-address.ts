/** Role names as people write them: `targets`, `director/root`. */
import { parseRoleName, quote } from '../../core/brands.ts';
import { isFailure, SecureevError } from '../../core/errors.ts';
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import { delegatorOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { isTopLevel } from './definitions.ts';

const DIRECTOR = 'director/';
/** As deep as clients follow delegations. */
const DEPTH_MAX = 32;

/** The roles that a root lists, in both repositories: `root` to `timestamp`, and the same behind `director/`. */
export function definedRole(text: string): RoleAddress {
  const repository = text.startsWith(DIRECTOR) ? 'director' : 'image';
  const name = repository === 'director' ? text.slice(DIRECTOR.length) : text;
  if (TOP_LEVEL_ROLES.some((role) => role === name)) return { repository, name };
  throw unknownRole(text);
}

function unknownRole(text: string): SecureevError {
  const roles = `${TOP_LEVEL_ROLES.join(', ')}, and the same behind director/`;
  return new SecureevError('ROLE_UNKNOWN', {
    message: `there is no role ${quote(text)}`,
    hint: `roles are ${roles}; delegated ones are in \`secureev delegation list\``,
  });
}

/**
 * The roles that have versions of their own: those of the Image repository, delegated ones included, and the Director's
 * root. Whether a delegated one is known is for {@link requireKnown} to say.
 *
 * @throws ROLE_UNKNOWN
 */
export function signedRole(text: string): RoleAddress {
  if (!text.startsWith(DIRECTOR) && !isTopLevel(text)) return delegatedRole(text);
  const address = definedRole(text);
  if (address.repository === 'image' || address.name === 'root') return address;
  throw new SecureevError('ROLE_UNKNOWN', {
    message: `${text} has no versions of its own: each vehicle has its own Targets, Snapshot and Timestamp there`,
  });
}

function delegatedRole(text: string): RoleAddress {
  try {
    return { repository: 'image', name: parseRoleName(text) };
  } catch (thrown) {
    if (isFailure(thrown, 'VALUE_MALFORMED')) throw unknownRole(text);
    throw thrown;
  }
}

/** Demands of a delegated role, or the prefix of bins, that somebody delegates to it or did. @throws ROLE_UNKNOWN */
export function requireKnown(reader: Reader, address: RoleAddress): void {
  if (isTopLevel(address.name) || delegatorOf(reader, address.name) !== undefined) return;
  throw unknownRole(address.name);
}

/** How many delegations lead from Targets to a delegated role. */
export function delegationDepth(reader: Reader, name: string): number {
  let depth = 0;
  for (let at = delegatorOf(reader, name); at !== undefined && depth < DEPTH_MAX; depth++) {
    at = delegatorOf(reader, at.role.name);
  }
  return depth;
}

/** How people write a role. */
export function roleText(address: RoleAddress): string {
  return address.repository === 'director' ? DIRECTOR + address.name : address.name;
}
