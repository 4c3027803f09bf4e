/** Makes the body of a role's next version from what is complete, and from what is staged where that is taken. */
import type { Instant } from '../../core/brands.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import type { Signed } from '../../formats/metadata/types.ts';
import { rootBody, snapshotBody, targetsBody, timestampBody } from '../../plan/bodies.ts';
import type { BodyFacts } from '../../plan/bodies.ts';
import { delegationsPart, hybridUnlike } from '../../plan/delegations.ts';
import { defaultLifetimeSeconds, expiryOf } from '../../plan/lifetime.ts';
import { versionAfter } from '../../plan/next-version.ts';
import { logHead } from '../../store/audit.ts';
import type { Reader } from '../../store/reader.ts';
import type { Identity } from '../../store/repository.ts';
import { findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { completeTargets, nextTargets } from '../../store/targets.ts';
import { lastComplete } from '../../store/versions.ts';
import { definitionOfRole, definitionsIn, delegatedContent } from './definitions.ts';

/** Which version to make. */
export interface BodyRequest {
  readonly reader: Reader;
  readonly identity: Identity;
  readonly role: StoredRole;
  readonly now: Instant;
  readonly takesStaged: boolean;
}

/** Makes the next body, or says why there can be none yet. @throws ROLE_KEYS_MISSING, HYBRID_INCOMPLETE */
export function nextBody(request: BodyRequest): Signed | { readonly blocked: string } {
  const maker = MAKERS[request.role.name] ?? targets;
  return maker(request, factsOf(request));
}

/**
 * The versions of all complete Targets files of the Image repository, by role name. One that nobody delegates to any
 * more stays: clients refuse a Snapshot that drops what an earlier one listed (U32).
 */
export function completeTargetsVersions(reader: Reader): ReadonlyMap<string, number> {
  const rows = reader
    .sql<{ name: string; version: number }>(
      `SELECT name, complete_version AS version FROM roles WHERE repository = 'image' AND ifnull(vehicle, '') = ''
       AND complete_version IS NOT NULL AND name NOT IN ('root', 'snapshot', 'timestamp') ORDER BY name`,
    )
    .all();
  return new Map(rows.map(({ name, version }) => [name, version]));
}

type Maker = (request: BodyRequest, facts: BodyFacts) => Signed | { readonly blocked: string };

const MAKERS: Readonly<Record<string, Maker>> = { root, targets, snapshot, timestamp };

function root({ reader, identity, role, takesStaged }: BodyRequest, facts: BodyFacts): Signed {
  const inForce = definitionsIn(reader, role.repository, 'complete');
  const next = takesStaged ? definitionsIn(reader, role.repository, 'next') : inForce;
  const { consistentSnapshot } = dialectOf(identity.dialect);
  return { ...rootBody(facts, next, inForce), consistentSnapshot };
}

function targets({ reader, role, takesStaged }: BodyRequest, facts: BodyFacts): Signed | { blocked: string } {
  const content = delegatedContent(reader, role, takesStaged ? 'next' : 'complete');
  const members = definitionOfRole(reader, role, 'complete')?.members ?? [];
  const isHybrid = members.some(({ postQuantum }) => postQuantum !== undefined);
  const unlike = hybridUnlike(role.name, content, isHybrid);
  if (unlike !== undefined) return { blocked: unlike.message };
  const listed = takesStaged ? nextTargets(reader, role) : completeTargets(reader, role);
  return targetsBody(facts, listed, delegationsPart(content));
}

function snapshot({ reader }: BodyRequest, facts: BodyFacts): Signed | { blocked: string } {
  const versions = completeTargetsVersions(reader);
  if (!versions.has('targets')) return { blocked: 'targets has no complete version yet' };
  return snapshotBody(facts, { versions, log: logHead(reader) });
}

function timestamp({ reader, role }: BodyRequest, facts: BodyFacts): Signed | { blocked: string } {
  const snapshotRole = findRole(reader, { repository: role.repository, name: 'snapshot' });
  const complete = snapshotRole === undefined ? undefined : lastComplete(reader, snapshotRole);
  return complete === undefined ? { blocked: 'snapshot has no complete version yet' } : timestampBody(facts, complete);
}

function factsOf({ reader, identity, role, now, takesStaged }: BodyRequest): BodyFacts {
  const state = role.name === 'root' && takesStaged ? 'next' : 'complete';
  const lifetime = definitionOfRole(reader, role, state)?.lifetimeSeconds;
  return {
    version: versionAfter(role.lastVersion),
    expires: expiryOf(now, lifetime ?? defaultLifetimeSeconds(role.name)),
    repository: identity.uuid,
    kind: role.repository,
  };
}
