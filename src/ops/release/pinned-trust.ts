/**
 * What a bundle is verified under: a root handed over out of band, and, where it is at hand, a published `metadata` folder.
 *
 * Invariant: the pinned root never comes from the folder that is verified.
 */
import type { Instant } from '../../core/brands.ts';
import { isFailure, SecureevError } from '../../core/errors.ts';
import type { Files, Io } from '../../core/ports.ts';
import { TRUST_LIMITS } from '../../trust/limits.ts';
import { pinRoot } from '../../trust/root-chain.ts';
import type { TrustSource } from '../../trust/source.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { updateFrom } from '../../trust/update.ts';

/** Whom to trust, and when. */
export interface PinnedTrust {
  /** Path of the pinned root. */
  readonly root: string;
  /** The `metadata` folder of a published tree; without it much is skipped. */
  readonly metadata: string | undefined;
  readonly now: Instant;
  /** Demand hybrid signatures whatever the root says. */
  readonly requireHybrid: boolean;
}

/** What came of it: verified metadata, or the pinned root alone. */
export interface Trusted {
  readonly set: TrustedSet;
  /** Where delegated roles come from; undefined with the pinned root alone. */
  readonly source: TrustSource | undefined;
}

/** Reads the pinned root. @throws ROOT_INSIDE_TREE, FILE_NOT_FOUND, FILE_ACCESS, FILE_TOO_LARGE */
export async function readPinnedRoot(io: Io, trust: PinnedTrust): Promise<Uint8Array> {
  if (trust.metadata !== undefined) await refuseRootInside(io.files, trust.root, trust.metadata);
  return io.files.read(trust.root, TRUST_LIMITS.rootBytesMax);
}

/** Verifies the metadata from the pinned root. @throws TRUST_*, METADATA_*, JSON_* */
export async function establishTrust(io: Io, pinnedRoot: Uint8Array, trust: PinnedTrust): Promise<Trusted> {
  const { engine } = io;
  const { now, requireHybrid, metadata } = trust;
  const kind = 'image';
  if (metadata === undefined) {
    const terms = { engine, now, requireHybrid, kind, limits: TRUST_LIMITS, maxStalenessSeconds: 0 } as const;
    return { set: pinRoot(pinnedRoot, terms), source: undefined };
  }
  const source = folderSource(io.files, metadata);
  return { set: await updateFrom(source, { engine, pinnedRoot, now, requireHybrid, kind }), source };
}

/** A folder as a source; names come percent-encoded, so that none leaves it. */
function folderSource(files: Files, folder: string): TrustSource {
  return {
    fetch: async (name, maxBytes) => {
      try {
        return await files.read(`${folder}/${name}`, maxBytes);
      } catch (thrown) {
        if (isFailure(thrown, 'FILE_NOT_FOUND')) return undefined;
        throw thrown;
      }
    },
  };
}

async function refuseRootInside(files: Files, root: string, metadata: string): Promise<void> {
  const folder = await files.realPath(metadata);
  const rootPath = await files.realPath(root);
  const places = [rootPath];
  // A link in the tree leads where the tree's maker wants, so the folders on the way count too.
  for (const through of foldersOf(root)) places.push(`${await files.realPath(through)}/`);
  const prefix = folder.endsWith('/') ? folder : `${folder}/`;
  if (!places.some((place) => place.startsWith(prefix))) return;
  throw new SecureevError('ROOT_INSIDE_TREE', {
    message: `the root ${root} is inside the tree that is verified: it would vouch for itself`,
    hint: 'pin a root that was handed over another way, for instance from `secureev root export`',
    details: { root: rootPath, tree: folder },
  });
}

/** The folders that a path names on its way, but for those that it leaves again by `..`. */
function foldersOf(path: string): readonly string[] {
  const cuts = Array.from(path.matchAll(/[^/]\/+/g), ({ index }) => index + 1);
  return cuts.filter((cut) => !path.slice(cut).split('/').includes('..')).map((cut) => path.slice(0, cut));
}
