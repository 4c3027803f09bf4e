/** Verifies a file as a client will, before it counts as complete: what leaves here is never refused for its signatures. */
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { decodeRole, decodeMetadata } from '../../formats/metadata/envelope.ts';
import type { Envelope, Root, Signed } from '../../formats/metadata/types.ts';
import { delegatedPolicy, delegatedRole } from '../../trust/delegated-policy.ts';
import { requireThresholds } from '../../trust/role-policy.ts';
import type { RolePolicy } from '../../trust/role-policy.ts';
import { rootPolicy } from '../../trust/state.ts';
import { delegatorOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { lastComplete } from '../../store/versions.ts';
import { definitionOfRole, isTopLevel } from './definitions.ts';
import type { RoleNamed } from './definitions.ts';

/**
 * Verifies `file`, the next complete version of `role`: against the root in force, a root against itself too, a
 * delegated role against its delegator in force.
 *
 * @throws TRUST_*
 */
export function verifyComplete(reader: Reader, role: StoredRole, file: Uint8Array): void {
  const { engine } = reader.io;
  if (!isTopLevel(role.name)) {
    const envelope = decodeRole(file, 'targets').unverified;
    requireThresholds({ engine, envelope, policy: delegatedPolicyOf(reader, role) });
    return;
  }
  const { unverified: envelope } = decodeMetadata(file, role.name);
  const inForce = rootInForce(reader, role);
  if (inForce !== undefined) requireRootPolicy(engine, envelope, { root: inForce, role: envelope.signed.role });
  if (role.name === 'root') {
    requireRootPolicy(engine, envelope, { root: decodeRole(file, 'root').unverified.signed, role: 'root' });
  } else if (inForce === undefined) throw failure('INTERNAL', `${role.name} cannot be complete before a root is`);
}

/** What the delegator in force demands of a delegated role. @throws TRUST_HYBRID_MISSING, INTERNAL */
export function delegatedPolicyOf(reader: Reader, role: RoleNamed): RolePolicy {
  const delegator = delegatorOf(reader, role.name)?.role;
  const complete = delegator && lastComplete(reader, delegator);
  const signed = complete && decodeRole(complete.file, 'targets').unverified.signed;
  const to = signed && delegatedRole(signed, role.name);
  if (delegator === undefined || signed === undefined || to === undefined) {
    throw failure('INTERNAL', `${role.name} cannot be complete before it is delegated to`);
  }
  const members = definitionOfRole(reader, delegator, 'complete')?.members ?? [];
  const isHybrid = members.some(({ postQuantum }) => postQuantum !== undefined);
  return delegatedPolicy({ role: delegator.name, signed, isHybrid }, to);
}

/** Demands that a file meets what a root says of its role. @throws TRUST_THRESHOLD, TRUST_HYBRID_THRESHOLD */
export function requireRootPolicy(
  engine: EngineName,
  envelope: Envelope,
  under: { root: Root; role: Signed['role'] },
): void {
  requireThresholds({ engine, envelope, policy: rootPolicy(under.root, under.role) });
}

function rootInForce(reader: Reader, role: StoredRole): Root | undefined {
  const root = findRole(reader, { repository: role.repository, name: 'root' });
  const complete = root === undefined ? undefined : lastComplete(reader, root);
  return complete === undefined ? undefined : decodeRole(complete.file, 'root').unverified.signed;
}
