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
import type { RepositoryKind } from '../../formats/metadata/types.ts';
import { metadataFileName } from '../../trust/file-names.ts';
import { NO_STORE } from '../../trust/source.ts';
import type { TrustStore } from '../../trust/source.ts';

/** The store in `folder`, which is made where it is missing. */
function folderStore(files: Files, folder: string): TrustStore {
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

/** The store of one of the repositories below the folder `state`; without a folder nothing is known before or kept after. */
export function storeBelow(files: Files, state: string | undefined, kind?: RepositoryKind): TrustStore {
  if (state === undefined) return NO_STORE;
  return folderStore(files, kind === undefined ? state : `${state}/${kind}`);
}

/** A store that keeps new files back until they are committed; roots it saves at once. */
export interface DeferredStore extends TrustStore {
  /** Saves what was kept back, in the order in which it came. */
  commit(): Promise<void>;
}

/**
 * Keeps Timestamp, Snapshot and Targets back until their vehicle is known to be the right one: of the files of a Director
 * only Targets says whose they are, and another vehicle's Timestamp, once stored, would lock this one's out.
 */
export function deferredStore(store: TrustStore): DeferredStore {
  const pending = new Map<string, Uint8Array>();
  return {
    load: async (role) => pending.get(role) ?? (await store.load(role)),
    async save(role, bytes) {
      if (role === 'root') await store.save(role, bytes);
      else pending.set(role, bytes);
    },
    async remove(role) {
      pending.delete(role);
      await store.remove(role);
    },
    async commit() {
      for (const [role, bytes] of pending) await store.save(role, bytes);
      pending.clear();
    },
  };
}
