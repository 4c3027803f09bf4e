/** Makes the body of a role's next version from what is complete, and from what is staged where that is taken. */
import type { Instant } from '../../core/brands.ts';
import type { Signed } from '../../formats/metadata/types.ts';
import { rootBody, snapshotBody, targetsBody, timestampBody } from '../../plan/bodies.ts';
import type { BodyFacts } from '../../plan/bodies.ts';
import { defaultLifetimeSeconds, expiryOf } from '../../plan/lifetime.ts';
import { versionAfter } from '../../plan/next-version.ts';
import { logHead } from '../../store/audit.ts';
import type { Reader } from '../../store/reader.ts';
import type { Identity } from '../../store/repository.ts';
import { findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { completeTargets, nextTargets } from '../../store/targets.ts';
import { lastComplete } from '../../store/versions.ts';
import { definitionsIn } from './definitions.ts';

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

/** The versions of all complete Targets files of the Image repository, by role name. */
export function completeTargetsVersions(reader: Reader): ReadonlyMap<string, number> {
  const role = findRole(reader, { repository: 'image', name: 'targets' });
  const version = role?.completeVersion ?? null;
  return version === null ? new Map() : new Map([['targets', version]]);
}

type Maker = (request: BodyRequest, facts: BodyFacts) => Signed | { readonly blocked: string };

const MAKERS: Readonly<Record<string, Maker>> = { root, targets, snapshot, timestamp };

function root({ reader, role, takesStaged }: BodyRequest, facts: BodyFacts): Signed {
  const inForce = definitionsIn(reader, role.repository, 'complete');
  return rootBody(facts, takesStaged ? definitionsIn(reader, role.repository, 'next') : inForce, inForce);
}

function targets({ reader, role, takesStaged }: BodyRequest, facts: BodyFacts): Signed {
  return targetsBody(facts, takesStaged ? nextTargets(reader, role) : completeTargets(reader, role));
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
  const lifetime = definitionsIn(reader, role.repository, state).get(role.name)?.lifetimeSeconds;
  return {
    version: versionAfter(role.lastVersion),
    expires: expiryOf(now, lifetime ?? defaultLifetimeSeconds(role.name)),
    repository: identity.uuid,
    kind: role.repository,
  };
}
