/**
 * Scratch space without a name, in segments: what is read for the last time is given back as it is read, so that a copy of
 * it takes no more room than itself. Whole blocks pass the page cache by, which is left to files that stay.
 */
import { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { ScratchFile } from '../core/ports.ts';
import { directFile } from './direct-file.ts';
import type { DirectFile } from './direct-file.ts';
import { STREAM_CHUNK_BYTES, fill, memoryRing, readAhead, throwIfInterrupted } from './input-file.ts';
import { writeWhole } from './output-file.ts';
import type { Writing } from './output-file.ts';
import { sharedMemory } from './shared-memory.ts';
import { onFile } from './system-errors.ts';

const SEGMENT_BYTES = 16 * 1024 * 1024;

/** One file of the space, with both ways into it. */
interface Segment {
  readonly handle: FileHandle;
  readonly direct: DirectFile;
}

/** Makes scratch space in `folder` of which not even a crash leaves anything behind. @throws FILE_ACCESS, DISK_FULL */
export async function createScratch(folder: string, writing: Writing): Promise<ScratchFile> {
  // The first one now, so that a folder that cannot be written to is told at once.
  const segments: Promise<Segment>[] = [begin(folder, writing)];
  await segments[0];
  let end = 0;

  function segmentAt(offset: number): Promise<Segment> {
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
      const segment = await segmentAt(from + at);
      await onFile('write', writing.shown, () => writeInto(segment, within, part));
      at += part.length;
    }
  }

  async function* read(keep: boolean): AsyncGenerator<Uint8Array> {
    const chunkBytes = STREAM_CHUNK_BYTES;
    const memory = memoryRing(() => new Uint8Array(sharedMemory(Math.min(chunkBytes, end))));
    for (const [index, opened] of segments.entries()) {
      const segment = await opened;
      const sizeBytes = Math.min(SEGMENT_BYTES, end - index * SEGMENT_BYTES);
      yield* readAhead(readFrom(segment, writing), { from: 0, end: sizeBytes, chunkBytes, memory });
      if (!keep) await close(segment);
    }
  }

  return {
    write,
    stream: () => read(true),
    consume: () => read(false),
    [Symbol.asyncDispose]: () => closeAll(segments),
  };
}

async function begin(folder: string, { shown, temporary }: Writing): Promise<Segment> {
  const name = temporary.nameBeside(`${folder}/scratch`);
  await onFile('create', shown, async () => temporary.makeFolder(folder));
  const handle = await onFile('create', shown, () => promises.open(name, 'wx+', 0o600));
  await temporary.remove(name);
  return { handle, direct: directFile(handle, 'read and write') };
}

async function writeInto({ handle, direct }: Segment, offset: number, bytes: Uint8Array): Promise<void> {
  if (!(await direct.write(offset, bytes))) await writeWhole(handle, offset, bytes);
}

function readFrom(
  { handle, direct }: Segment,
  { shown, signal }: Writing,
): (offset: number, target: Uint8Array) => Promise<number> {
  return async (offset, target) => {
    throwIfInterrupted(signal);
    return onFile('read', shown, async () =>
      (await direct.read(offset, target)) ? target.length : fill(handle, offset, target),
    );
  };
}

async function close({ handle, direct }: Segment): Promise<void> {
  await direct.close();
  await handle.close();
}

/** Closing what was consumed does nothing; what could not be opened is not there. */
async function closeAll(segments: readonly Promise<Segment>[]): Promise<void> {
  for (const segment of segments) await segment.then(close).catch(() => undefined);
}
