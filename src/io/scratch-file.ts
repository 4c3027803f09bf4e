/**
 * Scratch space without a name, in segments: what is read for the last time is given back as it is read, so that a copy of
 * it takes no more room, and no more fresh memory, than itself.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { ScratchFile } from '../core/ports.ts';
import { STREAM_CHUNK_BYTES, fill, readAhead, throwIfInterrupted } from './input-file.ts';
import { writeWhole } from './output-file.ts';
import type { Writing } from './output-file.ts';
import { onFile } from './system-errors.ts';

const SEGMENT_BYTES = 16 * 1024 * 1024;

/** Makes scratch space in `folder` of which not even a crash leaves anything behind. @throws FILE_ACCESS, DISK_FULL */
export async function createScratch(folder: string, writing: Writing): Promise<ScratchFile> {
  // The first one now, so that a folder that cannot be written to is told at once.
  const segments: Promise<FileHandle>[] = [begin(folder, writing)];
  await segments[0];
  let end = 0;

  function segmentAt(offset: number): Promise<FileHandle> {
    const index = Math.floor(offset / SEGMENT_BYTES);
    const known = segments[index] ?? begin(folder, writing);
    segments[index] = known;
    return known;
  }

  async function write(bytes: Uint8Array): Promise<void> {
    throwIfInterrupted(writing.signal);
    const from = end;
    end += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const within = (from + at) % SEGMENT_BYTES;
      const part = bytes.subarray(at, at + SEGMENT_BYTES - within);
      const handle = await segmentAt(from + at);
      await onFile('write', writing.shown, () => writeWhole(handle, within, part));
      at += part.length;
    }
  }

  async function* read(chunkBytes: number, keep: boolean): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (const [index, segment] of segments.entries()) {
      const handle = await segment;
      const sizeBytes = Math.min(SEGMENT_BYTES, end - index * SEGMENT_BYTES);
      yield* readAhead(readFrom(handle, writing), { from: 0, end: sizeBytes, chunkBytes, reuse: true });
      if (!keep) await handle.close();
    }
  }

  return {
    write,
    stream: (chunkBytes = STREAM_CHUNK_BYTES) => read(chunkBytes, true),
    consume: (chunkBytes = STREAM_CHUNK_BYTES) => read(chunkBytes, false),
    [Symbol.asyncDispose]: () => closeAll(segments),
  };
}

async function begin(folder: string, { shown, temporary }: Writing): Promise<FileHandle> {
  const name = temporary.nameBeside(`${folder}/scratch`);
  const handle = await onFile('create', shown, () => open(name, 'wx+', 0o600));
  await temporary.remove(name);
  return handle;
}

function readFrom(
  handle: FileHandle,
  { shown, signal }: Writing,
): (offset: number, target: Uint8Array) => Promise<number> {
  return async (offset, target) => {
    throwIfInterrupted(signal);
    return onFile('read', shown, () => fill(handle, offset, target));
  };
}

/** Closing what was consumed does nothing; what could not be opened is not there. */
async function closeAll(segments: readonly Promise<FileHandle>[]): Promise<void> {
  for (const segment of segments) await segment.then((handle) => handle.close()).catch(() => undefined);
}
