/** Who must sign the root that comes next: enough keys of the root before it, and enough of its own. */
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import type { RepositoryKind } from '../../store/roles.ts';
import type { NamedKey } from './advance-role.ts';
import { authorityOf, definitionsIn, holderOf } from './definitions.ts';
import { roleText } from './role-address.ts';
import type { RoleDefinition } from '../../plan/role-definition.ts';

/** A threshold that a coming version must meet. */
export interface Quorum {
  /** e.g. `root 2`. */
  readonly authority: string;
  readonly section: 'classical' | 'post-quantum';
  readonly needed: number;
  readonly keys: readonly NamedKey[];
}

/** The root that takes what is staged. */
export interface ComingRoot {
  /** `root` or `director/root`. */
  readonly role: string;
  readonly version: number;
  /** The root that waits for signatures and must be complete first; null where none does. */
  readonly after: number | null;
  readonly quorums: readonly Quorum[];
}

/** The root that takes what is staged, under the old quorum and the new one. */
export function comingRoot(reader: Reader, repository: RepositoryKind): ComingRoot {
  const address = { repository, name: 'root' };
  const root = findRole(reader, address);
  const waiting = root?.frozenVersion ?? null;
  const version = (root?.lastVersion ?? 0) + 1;
  const old = definitionsIn(reader, repository, waiting === null ? 'complete' : 'frozen').get('root');
  const next = definitionsIn(reader, repository, 'next').get('root');
  const before = old === undefined ? [] : quorumsOf(`root ${waiting ?? root?.completeVersion ?? 0}`, old);
  const own = next === undefined ? [] : quorumsOf(`root ${version}`, next);
  return { role: roleText(address), version, after: waiting, quorums: [...before, ...own] };
}

/** The thresholds of a definition with the holders of its keys. */
export function quorumsOf(name: string, definition: RoleDefinition): readonly Quorum[] {
  return authorityOf(name, definition).thresholds.map(({ section, needed, keyIds }) => {
    const keys = keyIds.map((keyId) => ({ keyId, holder: holderOf(definition.members, keyId) }));
    return { authority: name, section, needed, keys };
  });
}
