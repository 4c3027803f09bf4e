/** Verifies a file as a client will, before it counts as complete: what leaves here is never refused for its signatures. */
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { decodeRole, decodeMetadata } from '../../formats/metadata/envelope.ts';
import type { Envelope, Root, Signed } from '../../formats/metadata/types.ts';
import { requireThresholds } from '../../trust/role-policy.ts';
import { rootPolicy } from '../../trust/state.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import type { StoredRole } from '../../store/roles.ts';
import { lastComplete } from '../../store/versions.ts';

/** Verifies `file`, the next complete version of `role`, against the root in force; a root against itself too. @throws TRUST_* */
export function verifyComplete(reader: Reader, role: StoredRole, file: Uint8Array): void {
  const { engine } = reader.io;
  const { unverified: envelope } = decodeMetadata(file, role.name);
  const inForce = rootInForce(reader, role);
  if (inForce !== undefined) requireRootPolicy(engine, envelope, { root: inForce, role: envelope.signed.role });
  if (role.name === 'root') {
    requireRootPolicy(engine, envelope, { root: decodeRole(file, 'root').unverified.signed, role: 'root' });
  } else if (inForce === undefined) throw failure('INTERNAL', `${role.name} cannot be complete before a root is`);
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
