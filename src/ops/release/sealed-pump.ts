/**
 * One pass from a file to a file through a transformation, both sides hashed on the way.
 *
 * Invariants: memory is two rings of blocks, whatever the file's size; what was hashed is what was read and written, for
 * hash, cipher and disk see the same memory.
 */
import { failure } from '../../core/errors.ts';
import type { InputFile, Io, OutputFile, SharedHash } from '../../core/ports.ts';
import type { Task } from '../../core/report.ts';

/** Blocks in each ring: one being read or written, one in the cipher, the others waiting for a hash. */
const RING_BLOCKS = 8;

/** Starts what passing these files through will take, so that it is ready when the rest of the program is. */
export async function prepareToPump(io: Io, paths: readonly string[]): Promise<void> {
  const statuses = await Promise.all(paths.map((path) => io.files.status(path)));
  const largest = Math.max(0, ...statuses.map((status) => status?.sizeBytes ?? 0));
  io.hashing.prepare({ threads: 2, expectedBytes: largest });
}

/** What passes through. */
export interface PumpRequest {
  readonly input: InputFile;
  readonly output: OutputFile;
  /** Bytes of each block read, but the last. */
  readonly readBytes: number;
  /** Most bytes that the transformation makes of one block. */
  readonly writeBytes: number;
  /** What stands at the beginning and is not transformed: `read` bytes of the input, `write` before the output. */
  readonly head: { readonly read: Uint8Array; readonly write: Uint8Array };
  /** Transforms a block, gives the bytes written to `target`; called at least once. */
  readonly transform: (target: Uint8Array, source: Uint8Array) => number;
  readonly task: Task;
}

/** SHA-256 of both files, 32 bytes each. */
export interface PumpHashes {
  readonly read: Uint8Array;
  readonly written: Uint8Array;
}

/** Passes the whole of the input through. @throws FILE_CHANGED, INTERRUPTED, DISK_FULL, FILE_ACCESS, and what `transform` throws */
export async function pump(io: Io, request: PumpRequest): Promise<PumpHashes> {
  const { input, output, head, task } = request;
  const expectedBytes = input.sizeBytes;
  using read = io.hashing.sha256({ blockBytes: request.readBytes, blocks: RING_BLOCKS, expectedBytes });
  using written = io.hashing.sha256({ blockBytes: request.writeBytes, blocks: RING_BLOCKS, expectedBytes });
  const writes = writesBehind(output);
  await pushHead(read, head.read);
  writes.start(await pushHead(written, head.write));
  const blocks = blocksOf(request, read);
  try {
    do {
      const source = await blocks.next();
      const target = await written.block();
      await writes.mayReuse();
      const length = request.transform(target, source);
      written.push(length);
      writes.start(target.subarray(0, length));
      task.advance(source.length);
    } while (blocks.left());
    await writes.finish();
    return { read: await read.digest(), written: await written.digest() };
  } finally {
    await Promise.all([writes.settle(), blocks.settle()]);
  }
}

async function pushHead(hash: SharedHash, head: Uint8Array): Promise<Uint8Array> {
  const block = await hash.block();
  block.set(head);
  hash.push(head.length);
  return block.subarray(0, head.length);
}

/** The blocks of a file, each read while the one before is worked on, and handed to the hash when it is there. */
function blocksOf(
  { input, readBytes, head }: PumpRequest,
  hash: SharedHash,
): { next(): Promise<Uint8Array>; left(): boolean; settle(): Promise<void> } {
  let offset = head.read.length;
  const readOne = async (): Promise<Uint8Array> => {
    const wanted = Math.min(readBytes, input.sizeBytes - offset);
    const block = (await hash.block()).subarray(0, wanted);
    const found = await input.readInto(offset, block);
    if (found !== wanted) throw failure('FILE_CHANGED', `${input.path} became shorter while it was read`);
    offset += wanted;
    hash.push(wanted);
    return block;
  };
  const begin = (): Promise<Uint8Array> => {
    const block = readOne();
    // One that nobody waits for any more must not end the process.
    block.catch(() => undefined);
    return block;
  };
  let ahead: Promise<Uint8Array> | undefined = begin();
  return {
    async next() {
      const block = await (ahead ?? begin());
      ahead = offset < input.sizeBytes ? begin() : undefined;
      return block;
    },
    left: () => ahead !== undefined,
    async settle() {
      await ahead?.catch(() => undefined);
    },
  };
}

/** Writes that go on while the next block is worked on, at most as many as the ring has blocks to spare. */
function writesBehind(output: OutputFile): {
  start(bytes: Uint8Array): void;
  /** Waits until the block that comes next in the ring is on its way to the disk no more. */
  mayReuse(): Promise<void>;
  finish(): Promise<void>;
  settle(): Promise<void>;
} {
  const pending: Promise<void>[] = [];
  let last = Promise.resolve();
  const wait = async (left: number): Promise<void> => {
    while (pending.length > left) await pending.shift();
  };
  return {
    start(bytes) {
      // One at a time: two writes to one file would only spin on its lock.
      last = last.then(() => output.write(bytes));
      last.catch(() => undefined);
      pending.push(last);
    },
    mayReuse: () => wait(RING_BLOCKS - 1),
    finish: () => wait(0),
    async settle() {
      await Promise.allSettled(pending);
    },
  };
}
