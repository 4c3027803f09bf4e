/** Looks at what lies in a published tree already; it is material of ours, but may have been exchanged. */
import { equalBytes } from '../../core/bytes.ts';
import { isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../formats/metadata/limits.ts';
import type { Timestamp } from '../../formats/metadata/types.ts';
import { TIMESTAMP_PATH } from './publication.ts';
import type { Publication } from './publication.ts';

/** Refuses a tree of another repository, or one newer than this database. @throws PUBLISH_OTHER, PUBLISH_NEWER */
export async function refuseOtherTree(io: Io, folder: string, publication: Publication): Promise<void> {
  for (const root of publication.roots) {
    const there = await publishedBytes(io, `${folder}/${root.path}`);
    if (there !== undefined && !equalBytes(there, root.bytes)) throw otherTree(`${folder}/${root.path}`);
  }
  const timestamp = await publishedTimestamp(io, folder);
  const { version } = publication.timestamp;
  if (timestamp !== undefined && timestamp.version > version) {
    throw new SecureevError('PUBLISH_NEWER', {
      message: `${folder} holds Timestamp ${timestamp.version}, newer than ${version} here: clients would refuse to go back`,
      hint: 'was the database restored from an old backup, or does another one publish there?',
      details: { found: timestamp.version, expected: version },
    });
  }
}

/** The Timestamp of a tree, if there is a tree. @throws PUBLISH_OTHER where it is none */
export async function publishedTimestamp(io: Io, folder: string): Promise<Timestamp | undefined> {
  const path = `${folder}/${TIMESTAMP_PATH}`;
  const bytes = await publishedBytes(io, path);
  if (bytes === undefined) return undefined;
  try {
    return decodeRole(bytes, 'timestamp').unverified.signed;
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    throw otherTree(path);
  }
}

/** A file of the tree, if it is there. @throws FILE_TOO_LARGE, FILE_ACCESS */
export async function publishedBytes(io: Io, path: string): Promise<Uint8Array | undefined> {
  try {
    return await io.files.read(path, METADATA_BYTES_MAX.targets);
  } catch (thrown) {
    if (isFailure(thrown, 'FILE_NOT_FOUND')) return undefined;
    throw thrown;
  }
}

function otherTree(path: string): SecureevError {
  return new SecureevError('PUBLISH_OTHER', {
    message: `${path} is not of this repository`,
    hint: 'publish to an empty folder, or to the one that this repository was published to before',
  });
}
