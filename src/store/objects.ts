/** Content-addressed files of the repository: `objects/ab/abcdef...`, named by the SHA-256 of their bytes. */
import { toHex } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { Reader } from './reader.ts';

/** Objects are for the repository's owner: what may be read by others is published. */
export const OBJECT_MODE = 0o600;

/** The path of the object with this SHA-256 (32 bytes). */
export function objectPath(reader: Reader, sha256: Uint8Array): string {
  const hash = toHex(sha256);
  return `${reader.folder}/objects/${hash.slice(0, 2)}/${hash}`;
}

/** Gives the finished file `path`, whose SHA-256 is `sha256`, its place among the objects; one that is there already stays. */
export async function addObject(reader: Reader, path: string, sha256: Uint8Array): Promise<void> {
  const { files } = reader.io;
  const object = objectPath(reader, sha256);
  if ((await files.status(object)) !== undefined) return;
  await files.makeFolder(object.slice(0, object.lastIndexOf('/')));
  try {
    await files.link(path, object);
  } catch (thrown) {
    if (!isFailure(thrown, 'FILE_EXISTS')) throw thrown;
  }
}

/** Whether the object is there. */
export async function hasObject(reader: Reader, sha256: Uint8Array): Promise<boolean> {
  return (await reader.io.files.status(objectPath(reader, sha256)))?.kind === 'file';
}
