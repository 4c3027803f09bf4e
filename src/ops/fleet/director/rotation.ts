/**
 * Notices that the Director's root lists other keys than those that vehicles' files were signed with: all of them are to be
 * signed anew then, whichever way the root came to be complete.
 */
import { toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../crypto/hash.ts';
import { keyIdsOf } from '../../../plan/role-definition.ts';
import { markAllSigned, VEHICLE_ROLES } from '../../../store/director.ts';
import type { Reader } from '../../../store/reader.ts';
import type { Repository } from '../../../store/repository.ts';
import { findSetting, writeSetting } from '../../../store/settings.ts';
import { directorDefinitions } from './keys.ts';

/** Whether the keys of the root in force are others than at the last signing. @throws DIRECTOR_ROOT_MISSING */
export function keysHaveChanged(reader: Reader): boolean {
  const known = findSetting(reader, 'director-keys');
  return known !== undefined && known !== keysDigest(reader);
}

/** Marks all signed vehicles where the keys have changed, and remembers the keys. */
export function noteKeys(repository: Repository): void {
  const digest = keysDigest(repository);
  if (findSetting(repository, 'director-keys') === digest) return;
  const change = { command: 'sign director', summary: "the Director's online keys are known" };
  repository.transact(change, (tx) => {
    writeSetting(tx, 'director-keys', digest);
    const marked = markAllSigned(tx);
    tx.about('role:director');
    if (marked > 0) tx.summarize(`the Director's online keys have changed: ${marked} vehicles are to be signed anew`);
  });
}

function keysDigest(reader: Reader): string {
  const definitions = directorDefinitions(reader);
  const roles = VEHICLE_ROLES.map((role) => {
    const { members, threshold } = definitions[role];
    return { role, threshold, keys: members.flatMap(keyIdsOf).sort() };
  });
  return toHex(sha256(reader.io.engine, utf8(JSON.stringify(roles))));
}
