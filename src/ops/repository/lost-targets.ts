/**
 * Targets that no client finds under their names any more, since nobody delegates to the roles that list them.
 *
 * A role's targets stay in its file when a delegation to it ends, and Snapshot goes on listing that file.
 */
import { delegatorOf } from '../../store/delegations.ts';
import { storedBins } from '../../store/bins.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import { findTarget } from '../../store/targets.ts';
import { definitionOfRole } from './definitions.ts';
import { delegationsBelow } from './delegation-list.ts';
import { targetPages } from './move-targets.ts';

/** How many names are told. */
const NAMES_MAX = 5;
/** How many targets are looked at. */
const LOOKED_AT_MAX = 10_000;

/** Targets that are listed, and found by nobody. */
export interface LostTargets {
  readonly targets: number;
  /** The first few of them. */
  readonly names: readonly string[];
  /** Whether there may be more than were counted. */
  readonly more: boolean;
}

/** Whether the next versions of Targets and of the roles below it lead to a role of the Image repository. */
export function isReached(reader: Reader, name: string): boolean {
  const passed = new Set<string>();
  for (let at = name; at !== 'targets';) {
    const delegator = delegatorOf(reader, at);
    const definition = definitionOfRole(reader, { repository: 'image', name: at }, 'next');
    if (delegator === undefined || definition === undefined || passed.has(at)) return false;
    passed.add(at);
    at = delegator.role.name;
  }
  return true;
}

/**
 * What the delegated roles (bins by their prefix), and those below them, list that no client will find: of the roles to
 * which nobody delegates, the targets that no other role will list under their names.
 */
export function lostTargets(reader: Reader, delegated: readonly string[]): LostTargets {
  const roles = delegated.filter((name) => !isReached(reader, name)).flatMap((name) => withThoseBelow(reader, name));
  const lost = new Set<string>();
  let lookedAt = 0;
  for (const name of new Set(roles)) {
    const role = findRole(reader, { repository: 'image', name });
    for (const page of role === undefined ? [] : targetPages(reader, role, '')) {
      const unfound = page.filter((target) => findTarget(reader, target.name) === undefined);
      for (const target of unfound) lost.add(target.name);
      lookedAt += page.length;
      if (lookedAt >= LOOKED_AT_MAX) return told(lost, true);
    }
  }
  return told(lost, false);
}

function told(lost: ReadonlySet<string>, more: boolean): LostTargets {
  return { targets: lost.size, names: [...lost].slice(0, NAMES_MAX), more };
}

function withThoseBelow(reader: Reader, name: string): readonly string[] {
  const below = delegationsBelow(reader, { name, depth: 1 }).flatMap(({ roles }) => roles.map((role) => role.name));
  return [name, ...below].flatMap((one) => [one, ...storedBins(reader, one)]);
}
