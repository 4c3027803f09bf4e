/**
 * Writing past the page cache (`O_DIRECT`), for large files that come in whole blocks from shared memory.
 *
 * It saves the copy into the cache, and the cache is left to files that will be read soon. A file system that does not know
 * it, or wants another alignment, gets the same bytes the ordinary way.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { systemCode } from './system-errors.ts';

/** What offset, length and memory must be multiples of: a page, which is enough for every block device. */
const ALIGNMENT = 4096;
const REFUSALS: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP']);

/** A second way into a file that is open already. */
export interface DirectWriter {
  /** Writes `bytes` at `offset`, if it can; false where it wrote nothing. */
  write(offset: number, bytes: Uint8Array): Promise<boolean>;
  close(): Promise<void>;
}

/** The direct way into the file `path`, opened when it is first of use. */
export function directWriter(path: string): DirectWriter {
  let opened: Promise<FileHandle | undefined> | undefined;
  let isRefused = constants.O_DIRECT === undefined;
  const whenRefused =
    <T>(instead: T) =>
    (thrown: unknown): T => {
      if (!REFUSALS.has(systemCode(thrown))) throw thrown;
      isRefused = true;
      return instead;
    };
  return {
    async write(offset, bytes) {
      if (isRefused || !isAligned(offset, bytes)) return false;
      opened ??= open(path, constants.O_WRONLY | constants.O_DIRECT).catch(whenRefused(undefined));
      const handle = await opened;
      if (handle === undefined) return false;
      const wrote = await handle.write(bytes, 0, bytes.length, offset).catch(whenRefused(undefined));
      // A short write is done again the ordinary way, which meets the reason for it.
      return wrote?.bytesWritten === bytes.length;
    },
    async close() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

/** Only shared memory is known to begin at a page. */
function isAligned(offset: number, { buffer, byteOffset, length }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer && [offset, byteOffset, length].every((value) => value % ALIGNMENT === 0);
}
