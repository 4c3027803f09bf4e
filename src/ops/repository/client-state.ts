/**
 * The trusted metadata of a client in a folder: `root.json`, `timestamp.json` and one file for each other role, exactly
 * as received.
 *
 * Invariants: role names are percent-encoded, so that each is one file; a file is replaced by rename, so that a reader
 * sees the old one or the new one; no delegated role can take the place of a top-level one.
 */
import { isFailure } from '../../core/errors.ts';
import type { Files } from '../../core/ports.ts';
import { METADATA_BYTES_MAX } from '../../formats/metadata/limits.ts';
import { metadataFileName } from '../../trust/file-names.ts';
import type { TrustStore } from '../../trust/source.ts';

/** The store in `folder`, which is made where it is missing. */
export function folderStore(files: Files, folder: string): TrustStore {
  const path = (role: string): string => `${folder}/${metadataFileName(role, undefined)}`;
  return {
    async load(role) {
      try {
        return await files.read(path(role), METADATA_BYTES_MAX.targets);
      } catch (thrown) {
        if (isFailure(thrown, 'FILE_NOT_FOUND')) return undefined;
        throw thrown;
      }
    },
    save: (role, bytes) => files.write(path(role), bytes, { overwrite: true }),
    remove: (role) => files.remove(path(role)),
  };
}
