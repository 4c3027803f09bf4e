/**
 * Targets that a role lists although it delegates their paths: found, and moved to the roles that own them.
 *
 * A client finds them where they are, since a role is asked before those that it delegates to; they are moved when
 * they are staged again, or all at once on request.
 */
import type { Route } from '../../store/delegations.ts';
import { owningRoles, routesOf } from '../../store/delegations.ts';
import type { Reader, Tx } from '../../store/reader.ts';
import type { StoredRole } from '../../store/roles.ts';
import { nextTargets, stageTarget } from '../../store/targets.ts';
import type { Target } from '../../store/targets.ts';

/** How many are counted at most. */
export const MISPLACED_MAX = 1000;
/** How many are looked at for that. */
const LOOKED_AT_MAX = 10_000;
const PAGE = 1000;

/** How many targets that `role` lists belong to the roles that it delegates to, at most {@link MISPLACED_MAX}. */
export function countMisplaced(reader: Reader, role: StoredRole): number {
  let count = 0;
  let pages = 0;
  for (const page of misplacedPages(reader, role)) {
    count += page.length;
    pages += 1;
    if (count >= MISPLACED_MAX || pages * PAGE >= LOOKED_AT_MAX) break;
  }
  return Math.min(count, MISPLACED_MAX);
}

/** Stages the move of all of them, page by page. Gives how many that were. */
export function moveMisplaced(tx: Tx, role: StoredRole): number {
  let moved = 0;
  for (const page of misplacedPages(tx, role)) {
    for (const target of page) stageTarget(tx, target);
    moved += page.length;
  }
  return moved;
}

function* misplacedPages(reader: Reader, role: StoredRole): Iterable<readonly Target[]> {
  for (const prefix of delegatedPrefixes(reader, role)) {
    for (const page of targetPages(reader, role, prefix)) {
      yield page.filter((target) => isMisplaced(reader, role, target));
    }
  }
}

/** The targets of a role's next version whose names begin with `prefix`, a thousand at a time: between pages no query is open. */
export function* targetPages(reader: Reader, role: StoredRole, prefix: string): Iterable<readonly Target[]> {
  for (let page = pageOf(reader, role, { prefix, after: '' }); page.length > 0;) {
    yield page;
    page = pageOf(reader, role, { prefix, after: page.at(-1)?.name ?? '' });
  }
}

function pageOf(reader: Reader, role: StoredRole, from: { prefix: string; after: string }): readonly Target[] {
  const page: Target[] = [];
  for (const target of nextTargets(reader, role, from)) {
    page.push(target);
    if (page.length === PAGE) break;
  }
  return page;
}

function isMisplaced(reader: Reader, role: StoredRole, { name, custom }: Target): boolean {
  const hardwareIds = Array.isArray(custom['hardwareIds']) ? custom['hardwareIds'].map(String) : undefined;
  return !owningRoles(reader, { name, hardwareIds }, role.name).includes(role.name);
}

/** What the names of delegated targets begin with, none of them the beginning of another. */
function delegatedPrefixes(reader: Reader, role: StoredRole): readonly string[] {
  const { bins, routes } = routesOf(reader, role);
  const prefixes = bins === undefined ? routes.flatMap(literalPrefixes) : [''];
  const sorted = [...new Set(prefixes)].sort();
  return sorted.filter((prefix) => !sorted.some((other) => other !== prefix && prefix.startsWith(other)));
}

function literalPrefixes({ paths }: Route): readonly string[] {
  return paths.map((path) => path.replace(/[*?].*$/, ''));
}
