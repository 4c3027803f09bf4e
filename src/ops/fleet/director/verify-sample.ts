/** Reads files that were just made as a vehicle would: one vehicle of each batch, so that no fleet is signed wrongly for long. */
import { failure } from '../../../core/errors.ts';
import { decodeMetadata, decodeRole } from '../../../formats/metadata/envelope.ts';
import type { Root } from '../../../formats/metadata/types.ts';
import type { Tx } from '../../../store/reader.ts';
import { findRole } from '../../../store/roles.ts';
import { lastComplete } from '../../../store/versions.ts';
import { requireRootPolicy } from '../../repository/verify-complete.ts';
import type { VehicleFiles } from './vehicle-files.ts';

/** Verifies a vehicle's new files under the Director's root in force. @throws TRUST_THRESHOLD, METADATA_MALFORMED */
export function verifySample(tx: Tx, { files }: VehicleFiles): void {
  const root = directorRoot(tx);
  for (const { role, file } of files) {
    requireRootPolicy(tx.io.engine, decodeMetadata(file, role).unverified, { root, role });
  }
}

function directorRoot(tx: Tx): Root {
  const role = findRole(tx, { repository: 'director', name: 'root' });
  const complete = role === undefined ? undefined : lastComplete(tx, role);
  if (complete === undefined) throw failure('DIRECTOR_ROOT_MISSING', 'the Director has no complete root');
  return decodeRole(complete.file, 'root').unverified.signed;
}
