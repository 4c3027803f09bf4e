/** Looks at what lies in a published tree already; it is material of ours, but may have been exchanged. */
import { equalBytes } from '../../core/bytes.ts';
import { isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { decodeMetadata, decodeRole } from '../../formats/metadata/envelope.ts';
import { METADATA_BYTES_MAX } from '../../formats/metadata/limits.ts';
import type { Envelope, Timestamp } from '../../formats/metadata/types.ts';
import type { Reader } from '../../store/reader.ts';
import { findRole } from '../../store/roles.ts';
import { TIMESTAMP_PATH } from './publication.ts';
import type { Publication, PublishedFile } from './publication.ts';

/** What lies in `folder` must be older than, or the same as, what `publication` will put there. */
export interface TreeComparison {
  readonly folder: string;
  readonly publication: Publication;
  /** The UUID of the repository. */
  readonly repository: string;
}

/**
 * Refuses a tree of another repository, or one newer than this database.
 *
 * @throws PUBLISH_OTHER, PUBLISH_NEWER
 */
export async function refuseOtherTree(reader: Reader, tree: TreeComparison): Promise<void> {
  const { io } = reader;
  const { folder, publication } = tree;
  for (const root of publication.roots) {
    const there = await publishedBytes(io, `${folder}/${root.path}`);
    if (there !== undefined && !equalBytes(there, root.bytes)) throw otherTree(`${folder}/${root.path}`);
  }
  const timestamp = await publishedTimestamp(io, folder);
  const of = timestamp?.extension?.repository;
  if (of !== undefined && of !== tree.repository) throw otherTree(`${folder}/${TIMESTAMP_PATH}`);
  const { version } = publication.timestamp;
  if (timestamp !== undefined && timestamp.version > version) {
    throw newerTree({ folder, role: 'timestamp', found: timestamp.version, expected: version });
  }
  await refuseNewerNumbers(reader, folder);
}

/** `7.targets.json`, its role percent-encoded. */
const NUMBERED = /^([1-9]\d{0,15})\.([A-Za-z0-9._~%-]{1,400})\.json$/;

/** A numbered file that this database never gave out was put there by a later state of it, or by a copy. */
async function refuseNewerNumbers(reader: Reader, folder: string): Promise<void> {
  const highest = new Map<string, number>();
  for (const name of await reader.io.files.list(`${folder}/metadata`)) {
    const [, number, role = ''] = NUMBERED.exec(name) ?? [];
    if (number !== undefined) highest.set(role, Math.max(highest.get(role) ?? 0, Number(number)));
  }
  for (const [encoded, found] of highest) {
    const role = findRole(reader, { repository: 'image', name: decoded(encoded) });
    if (role === undefined || found <= role.lastVersion) continue;
    throw newerTree({ folder, role: role.name, found, expected: role.lastVersion });
  }
}

function decoded(role: string): string {
  try {
    return decodeURIComponent(role);
  } catch {
    return role;
  }
}

/**
 * Refuses to replace a file that says something else under the same version, or that is newer; what is no metadata of this
 * role any more is damaged, and may be replaced.
 *
 * @throws PUBLISH_OTHER, PUBLISH_NEWER, PUBLISH_CONFLICT
 */
export function refuseConflict(path: string, there: Uint8Array, file: PublishedFile): void {
  const [found, own] = [decodedMetadata(there, file.role), decodedMetadata(file.bytes, file.role)];
  if (found === undefined || own === undefined) return;
  const [of, expected] = [found.signed.extension, own.signed.extension];
  if (of?.repository !== expected?.repository) throw otherTree(path);
  if (of?.kind !== expected?.kind)
    throw otherKind(path, of?.kind === 'director' ? 'the Director' : 'an Image repository');
  if (found.signed.version > file.version) {
    throw newerTree({ folder: path, role: file.role, found: found.signed.version, expected: file.version });
  }
  if (found.signed.version < file.version || equalBytes(found.canonical, own.canonical)) return;
  throw new SecureevError('PUBLISH_CONFLICT', {
    message: `${path} is another ${file.role} ${file.version} than the one here: that number was given out twice`,
    hint: 'restore the database with `secureev restore F DIR --published TREE`, which never gives out a number again',
    details: { path, role: file.role, version: file.version },
  });
}

function decodedMetadata(bytes: Uint8Array, role: string): Envelope | undefined {
  try {
    return decodeMetadata(bytes, role).unverified;
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    return undefined;
  }
}

function newerTree(at: { folder: string; role: string; found: number; expected: number }): SecureevError {
  return new SecureevError('PUBLISH_NEWER', {
    message: `${at.folder} holds ${at.role} ${at.found}, newer than ${at.expected} here: clients would refuse to go back`,
    hint: 'was the database restored from an old backup, or does another one publish there?',
    details: { role: at.role, found: at.found, expected: at.expected },
  });
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

/** Refuses the tree of an Image repository, which alone has a Timestamp for everyone. @throws PUBLISH_OTHER */
export async function refuseImageTree({ files }: Io, folder: string): Promise<void> {
  const path = `${folder}/${TIMESTAMP_PATH}`;
  if ((await files.status(path)) !== undefined) throw otherKind(path, 'an Image repository');
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

function otherKind(path: string, of: string): SecureevError {
  return new SecureevError('PUBLISH_OTHER', {
    message: `${path} is of ${of}`,
    hint: 'the Image repository and the Director have a folder each: publish to another one',
    details: { path },
  });
}
