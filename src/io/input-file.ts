/** Reading regular files by position and as streams that read ahead. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
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
  return {
    path: shown,
    sizeBytes: size,
    read,
    async readInto(offset, target) {
      throwIfInterrupted(signal);
      return onFile('read', shown, () => fill(handle, offset, target.subarray(0, Math.max(0, size - offset))));
    },
    stream: ({ from = 0, length = size - from, chunkBytes = STREAM_CHUNK_BYTES } = {}) =>
      readAhead(read, { from, end: Math.min(size, from + length), chunkBytes }),
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
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  const filled = await fill(handle, offset, bytes);
  return filled === length ? bytes : bytes.slice(0, filled);
}

async function fill(handle: FileHandle, offset: number, target: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

type ReadAt = (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;

/** Yields the range in chunks, the next one being read while the caller works on the last. */
export async function* readAhead(
  read: ReadAt,
  range: { from: number; end: number; chunkBytes: number },
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { end, chunkBytes } = range;
  let offset = range.from;
  const start = (): Promise<Uint8Array<ArrayBuffer>> | undefined => {
    if (offset >= end) return undefined;
    const chunk = read(offset, Math.min(chunkBytes, end - offset));
    // A caller that stops early never awaits this one.
    chunk.catch(() => undefined);
    offset += chunkBytes;
    return chunk;
  };
  let next = start();
  try {
    while (next !== undefined) {
      const chunk = await next;
      next = chunk.length === 0 ? undefined : start();
      if (chunk.length > 0) yield chunk;
    }
  } finally {
    // The file may be closed as soon as this returns.
    await next?.catch(() => undefined);
  }
}

async function openRegular(path: string, shown: string): Promise<FileHandle> {
  const handle = await onFile('open', shown, () => open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  const status = await handle.stat();
  if (status.isFile()) return handle;
  await handle.close();
  throw new SecureevError('FILE_ACCESS', {
    message: `not a regular file: ${quote(shown)}`,
    hint: 'pipes and devices cannot be read twice or at a position; save it to a file first',
    details: { path: shown },
  });
}
