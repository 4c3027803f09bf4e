/**
 * The order in which metadata is written, so that a client finds a whole state between any two writes.
 *
 * A new root matters when it changes the keys of another role: old files under the new root, or new files under the old root,
 * may not meet their thresholds. Where the old tree meets the new root, roots go before Timestamp; where only the new files
 * meet the old root (they were signed with old and new keys), roots go last; where neither holds, the new root and Timestamp
 * follow each other directly, and clients that come in between keep what they have.
 */
import type { Io } from '../../core/ports.ts';
import { isFailure } from '../../core/errors.ts';
import { decodeMetadata, decodeRole } from '../../formats/metadata/envelope.ts';
import { dialectOf } from '../../formats/metadata/index.ts';
import { metadataPath, TIMESTAMP_PATH } from './publication.ts';
import type { Publication, PublishedFile } from './publication.ts';
import { publishedBytes, publishedTimestamp } from './published-tree.ts';
import { requireRootPolicy } from './verify-complete.ts';

/** The files in order, and what to tell the user. */
export interface PublishOrder {
  readonly metadata: readonly PublishedFile[];
  readonly note: readonly string[];
}

/** Orders the metadata of `publication` against what lies in `folder`. */
export async function publishOrder(io: Io, folder: string, publication: Publication): Promise<PublishOrder> {
  const { roots, targets, snapshot, timestamp } = publication;
  const immutable = [...targets, snapshot];
  const usual = { metadata: [...immutable, ...roots, timestamp], note: [] };
  const known = await knownRoots(io, folder, roots);
  const [newest] = roots.slice(-1);
  const [newestKnown] = known.slice(-1);
  const old = await oldFiles(io, folder, decodeMetadata(timestamp.bytes, 'timestamp').unverified.dialect);
  if (newest === undefined || newestKnown === undefined || newest === newestKnown || old.length === 0) return usual;
  if (meetsRoot(io, newest, old)) return usual;
  if (meetsRoot(io, newestKnown, [...immutable, timestamp])) {
    return { metadata: [...immutable, timestamp, ...roots], note: [] };
  }
  return { ...usual, note: [`root ${newest.version} changes keys of other roles: ${ROTATION_NOTE}`] };
}

const ROTATION_NOTE =
  'a client that reads between root and Timestamp keeps what it has; sign with old and new keys to avoid that';

async function knownRoots(io: Io, folder: string, roots: readonly PublishedFile[]): Promise<readonly PublishedFile[]> {
  const known: PublishedFile[] = [];
  for (const root of roots) {
    if ((await io.files.status(`${folder}/${root.path}`)) !== undefined) known.push(root);
  }
  return known;
}

interface RoleFile {
  readonly role: string;
  readonly bytes: Uint8Array;
}

/** The files that clients of the tree use now. */
async function oldFiles(io: Io, folder: string, dialectId: string): Promise<readonly RoleFile[]> {
  const timestamp = await publishedTimestamp(io, folder);
  if (timestamp === undefined) return [];
  const dialect = dialectOf(dialectId);
  const timestampBytes = await publishedBytes(io, `${folder}/${TIMESTAMP_PATH}`);
  const snapshotBytes = await publishedBytes(
    io,
    `${folder}/${metadataPath('snapshot', timestamp.snapshot.version, dialect)}`,
  );
  if (timestampBytes === undefined || snapshotBytes === undefined) return [];
  const files: RoleFile[] = [
    { role: 'timestamp', bytes: timestampBytes },
    { role: 'snapshot', bytes: snapshotBytes },
  ];
  const { meta } = decodeRole(snapshotBytes, 'snapshot').unverified.signed;
  const targets = meta.get('targets.json');
  const bytes =
    targets === undefined
      ? undefined
      : await publishedBytes(io, `${folder}/${metadataPath('targets', targets.version, dialect)}`);
  return bytes === undefined ? files : [...files, { role: 'targets', bytes }];
}

/** Whether the top-level files among `files` meet the thresholds of a root of ours. */
function meetsRoot(io: Io, root: PublishedFile, files: readonly RoleFile[]): boolean {
  const { signed } = decodeRole(root.bytes, 'root').unverified;
  const top = files.filter(({ role }) => signed.roles.has(role));
  try {
    for (const { role, bytes } of top) {
      const { unverified: envelope } = decodeMetadata(bytes, role);
      requireRootPolicy(io.engine, envelope, { root: signed, role: envelope.signed.role });
    }
    return true;
  } catch (thrown) {
    if (isFailure(thrown, 'TRUST_THRESHOLD') || isFailure(thrown, 'TRUST_HYBRID_THRESHOLD')) return false;
    throw thrown;
  }
}
