/** All roles that have versions of their own: those of the Image repository, and the Director's root. */
import { binsPrefixes, delegatedNames } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { definitionOfRole } from './definitions.ts';

/** Root and Targets, the roles that somebody delegates to, Snapshot and Timestamp, the Director's root where it is begun; bins by their prefix. */
export function signedRoles(reader: Reader): readonly RoleAddress[] {
  const delegated = [...delegatedNames(reader), ...binsPrefixes(reader)].filter((name) => isDelegatedTo(reader, name));
  const image = ['root', 'targets', ...delegated, 'snapshot', 'timestamp'];
  const director: RoleAddress = { repository: 'director', name: 'root' };
  return [
    ...image.map((name): RoleAddress => ({ repository: 'image', name })),
    ...(findRole(reader, director) === undefined ? [] : [director]),
  ];
}

/** Whether a role's delegator lists it, or will in its next version. */
export function isDelegatedTo(reader: Reader, name: string): boolean {
  const role: RoleAddress = { repository: 'image', name };
  return (['complete', 'next'] as const).some((state) =>
    definitionOfRole(reader, { ...role, repository: 'image' }, state),
  );
}
