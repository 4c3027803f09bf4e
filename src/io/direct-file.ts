/**
 * Past the page cache (`O_DIRECT`), for large files that pass in whole blocks of shared memory.
 *
 * It saves the copy into the cache, and the cache is left to files that will be read soon. A file system that does not know
 * it, or wants another alignment, gets the same bytes the ordinary way.
 */
import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { systemCode } from './system-errors.ts';

/** What offset, length and memory must be multiples of: a page, which is enough for every block device. */
const ALIGNMENT = 4096;
const REFUSALS: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOENT', 'EACCES']);

/** A second way into a file that is open already. */
export interface DirectFile {
  /** Writes `bytes` at `offset`, if it can; false where it wrote nothing of use. */
  write(offset: number, bytes: Uint8Array): Promise<boolean>;
  /** Reads all of `target` from `offset` on, if it can; false where it read nothing of use. */
  read(offset: number, target: Uint8Array): Promise<boolean>;
  close(): Promise<void>;
}

/** The direct way into the file that `handle` is open on, opened itself at its first use; `access` is for one of both or both. */
export function directFile(handle: FileHandle, access: 'write' | 'read and write'): DirectFile {
  const flags = (access === 'write' ? constants.O_WRONLY : constants.O_RDWR) | (constants.O_DIRECT ?? 0);
  let opened: Promise<FileHandle | undefined> | undefined;
  let isRefused = constants.O_DIRECT === undefined;
  const whenRefused = (thrown: unknown): undefined => {
    if (!REFUSALS.has(systemCode(thrown))) throw thrown;
    isRefused = true;
  };
  /** The count of bytes that `pass` reports; a short pass is done again the ordinary way, which meets the reason for it. */
  const attempt = async (at: Place, pass: (direct: FileHandle) => Promise<number>): Promise<boolean> => {
    if (isRefused || !isAligned(at)) return false;
    // By its number: it may have no name any more, or another file may have it by now.
    opened ??= promises.open(`/proc/self/fd/${handle.fd}`, flags).catch(whenRefused);
    const direct = await opened;
    if (direct === undefined) return false;
    return (await pass(direct).catch(whenRefused)) === at.bytes.length;
  };
  return {
    write: (offset, bytes) =>
      attempt({ offset, bytes }, async (direct) => {
        const { bytesWritten } = await direct.write(bytes, 0, bytes.length, offset);
        return bytesWritten;
      }),
    read: (offset, target) =>
      attempt({ offset, bytes: target }, async (direct) => {
        const { bytesRead } = await direct.read(target, 0, target.length, offset);
        return bytesRead;
      }),
    async close() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

interface Place {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Only shared memory is known to begin at a page. */
function isAligned({ offset, bytes: { buffer, byteOffset, length } }: Place): boolean {
  return buffer instanceof SharedArrayBuffer && [offset, byteOffset, length].every((value) => value % ALIGNMENT === 0);
}
