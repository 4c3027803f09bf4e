/** What clients of a repository's dialect download at most: more must never be signed, for they would be stuck with it. */
import { SecureevError } from '../../core/errors.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import { TOP_LEVEL_ROLES } from '../../formats/metadata/types.ts';
import type { RepositoryKind } from '../../formats/metadata/types.ts';

/** Whose file it is; delegated roles count as Targets. */
export interface SizedRole {
  readonly name: string;
  readonly repository: RepositoryKind;
}

/** Demands that a file, or the payload of one, is not over what clients read. @throws METADATA_OVERSIZE */
export function requireReadableSize(
  { dialect }: { readonly dialect: string },
  role: SizedRole,
  bytes: Uint8Array,
): void {
  const kind = TOP_LEVEL_ROLES.find((name) => name === role.name) ?? 'targets';
  const limit = dialectOf(dialect).bytesMax(kind, role.repository);
  if (limit === undefined || bytes.length <= limit) return;
  throw new SecureevError('METADATA_OVERSIZE', {
    message: `${role.name} would have ${bytes.length} bytes, and vehicles of dialect ${dialect} read ${limit} at most`,
    hint: kind === 'targets' ? 'move targets into delegated roles' : 'list fewer keys, or delegate to fewer roles',
    details: { role: role.name, repository: role.repository, sizeBytes: bytes.length, limit, dialect },
  });
}
