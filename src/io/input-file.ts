/** Reading regular files by position and as streams that read ahead. */
import { constants, promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { quote } from '../core/brands.ts';
import { SecureevError } from '../core/errors.ts';
import type { InputFile } from '../core/ports.ts';
import { onFile } from './system-errors.ts';

/** Bytes per chunk of a stream where the caller does not say. */
export const STREAM_CHUNK_BYTES = 1 << 20;

/** What reading needs beside the path. */
export interface Reading {
  /** The path as the user wrote it, for messages. */
  readonly shown: string;
  readonly signal: AbortSignal;
}

/** Opens a regular file; never blocks on a FIFO. @throws FILE_NOT_FOUND, FILE_ACCESS */
export async function openInput(path: string, { shown, signal }: Reading): Promise<InputFile> {
  const handle = await openRegular(path, shown);
  const { size } = await handle.stat();
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    throwIfInterrupted(signal);
    return onFile('read', shown, () => readAt(handle, offset, Math.max(0, Math.min(length, size - offset))));
  };
  const readInto = async (offset: number, target: Uint8Array): Promise<number> => {
    throwIfInterrupted(signal);
    return onFile('read', shown, () => fill(handle, offset, target.subarray(0, Math.max(0, size - offset))));
  };
  return {
    path: shown,
    sizeBytes: size,
    read,
    readInto,
    stream({ from = 0, length = size - from, chunkBytes = STREAM_CHUNK_BYTES, reuse = false } = {}) {
      const end = Math.min(size, from + length);
      const fresh = (): Uint8Array<ArrayBuffer> => uninitialised(Math.max(0, Math.min(chunkBytes, end - from)));
      return readAhead(readInto, { from, end, chunkBytes, memory: reuse ? memoryRing(fresh) : fresh });
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** Throws what the signal was raised with. @throws INTERRUPTED */
export function throwIfInterrupted(signal: AbortSignal): void {
  signal.throwIfAborted();
}

/** Reads up to `length` bytes at `offset`; fewer only at the end of the file. */
export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  // Not zeroed, and never pooled: a chunk is handed out for good.
  const bytes = uninitialised(length);
  const filled = await fill(handle, offset, bytes);
  return filled === length ? bytes : bytes.slice(0, filled);
}

function uninitialised(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** Reads into all of `target`; gives the count of bytes, fewer only at the end of the file. */
export async function fill(handle: FileHandle, offset: number, target: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** Reads into `target` from `offset` on; gives the count of bytes, fewer only at the end of the file. */
type ReadInto = (offset: number, target: Uint8Array) => Promise<number>;

/** Chunks being read while the caller works on one. */
const CHUNKS_AHEAD = 3;

/** What {@link readAhead} reads, and in which chunks. */
export interface AheadRange<B extends ArrayBufferLike> {
  readonly from: number;
  readonly end: number;
  readonly chunkBytes: number;
  /** Where the next chunk is read to: at least `chunkBytes`. */
  readonly memory: () => Uint8Array<B>;
}

/** Yields the range in chunks, the next ones being read while the caller works on the last. */
export async function* readAhead<B extends ArrayBufferLike>(
  readInto: ReadInto,
  { from, end, chunkBytes, memory }: AheadRange<B>,
): AsyncGenerator<Uint8Array<B>> {
  const pending: Promise<Uint8Array<B>>[] = [];
  let offset = from;
  const start = (): void => {
    while (pending.length < CHUNKS_AHEAD && offset < end) {
      const target = memory().subarray(0, Math.min(chunkBytes, end - offset));
      const chunk = readInto(offset, target).then((count) => target.subarray(0, count));
      // A caller that stops early never awaits this one.
      chunk.catch(() => undefined);
      pending.push(chunk);
      offset += chunkBytes;
    }
  };
  try {
    for (start(); pending.length > 0; start()) {
      const chunk = await pending.shift();
      if (chunk === undefined || chunk.length === 0) return;
      yield chunk;
    }
  } finally {
    // The file may be closed as soon as this returns.
    await Promise.allSettled(pending);
  }
}

/** Memory that comes round again: for the chunks being read, the one in the caller's hand and one to spare. */
export function memoryRing<B extends ArrayBufferLike>(make: () => Uint8Array<B>): () => Uint8Array<B> {
  const ring: Uint8Array<B>[] = [];
  let at = 0;
  return () => {
    const index = at++ % (CHUNKS_AHEAD + 2);
    const known = ring[index] ?? make();
    ring[index] = known;
    return known;
  };
}

async function openRegular(path: string, shown: string): Promise<FileHandle> {
  const handle = await onFile('open', shown, () => promises.open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  const status = await handle.stat();
  if (status.isFile()) return handle;
  await handle.close();
  throw new SecureevError('FILE_ACCESS', {
    message: `not a regular file: ${quote(shown)}`,
    hint: 'pipes and devices cannot be read twice or at a position; save it to a file first',
    details: { path: shown },
  });
}
