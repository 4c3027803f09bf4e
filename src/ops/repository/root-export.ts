/** Writes the root of trust that vehicles and verifiers pin. */
import { toHex } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { findRole } from '../../store/roles.ts';
import { lastComplete } from '../../store/versions.ts';
import { openChosen } from './locate.ts';
import type { RepositoryChoice } from './locate.ts';
import { definedRole, roleText } from './role-address.ts';
import { failure } from '../../core/errors.ts';

/** Which root to write where. */
export interface RootExportInput {
  readonly repository: RepositoryChoice;
  /** `root` or `director/root`. */
  readonly role: string;
  readonly out: string;
  readonly overwrite: boolean;
}

/** What was written: its version, and SHA-256 of the file in hex. */
export interface RootExportAnswer {
  readonly version: number;
  readonly sha256: string;
}

/** Writes the last complete root, byte for byte. @throws ROLE_NOT_COMPLETE, FILE_EXISTS */
export async function exportRoot(input: RootExportInput, io: Io): Promise<RootExportAnswer> {
  const address = definedRole(input.role);
  if (address.name !== 'root') throw failure('USAGE', `${input.role} is not a root`);
  using repository = await openChosen(io, input.repository, { readOnly: true });
  const role = findRole(repository, address);
  const complete = role === undefined ? undefined : lastComplete(repository, role);
  if (complete === undefined) {
    throw new SecureevError('ROLE_NOT_COMPLETE', {
      message: `${roleText(address)} has no complete version yet`,
      hint: `\`secureev sign ${roleText(address)} --key ...\``,
    });
  }
  await io.files.write(input.out, complete.file, { overwrite: input.overwrite });
  return { version: complete.version, sha256: toHex(complete.sha256) };
}
