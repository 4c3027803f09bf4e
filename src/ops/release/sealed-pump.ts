/**
 * One pass from a file to a file through a transformation, both sides hashed on the way.
 *
 * Invariants: memory is two rings of blocks, whatever the file's size; what was hashed is what was read and written, for
 * hash, cipher and disk see the same memory; the output is written in whole blocks, one after the other.
 */
import { failure } from '../../core/errors.ts';
import type { InputFile, Io, OutputFile, SharedHash } from '../../core/ports.ts';
import type { Task } from '../../core/report.ts';

/** Blocks in each ring: one being read or written, one in the cipher, the others waiting for a hash. */
const RING_BLOCKS = 6;
/** Bytes of each block written, but the last. */
const WRITE_BYTES = 2 * 1024 * 1024;

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
  /** What stands at the beginning and is not transformed: `read` bytes of the input, `write` before the output. */
  readonly head: { readonly read: Uint8Array; readonly write: Uint8Array };
  readonly transformation: Transformation;
  readonly task: Task;
  /** The hash of the input where someone else makes it: {@link hashAside}. */
  readonly readSha256?: Promise<Uint8Array> | undefined;
  /** Gives up when it is raised. */
  readonly signal?: AbortSignal | undefined;
}

/** Turns pieces into pieces, in order. */
export interface Transformation {
  /** Bytes of each piece read, but the last. */
  readonly readBytes: number;
  /** Most bytes that one becomes, at most `WRITE_BYTES`. */
  readonly writeBytes: number;
  /** Transforms a piece, gives the bytes written to `target`; called at least once, if only with nothing. */
  transform(target: Uint8Array, source: Uint8Array): number;
}

/** SHA-256 of both files, 32 bytes each. */
export interface PumpHashes {
  readonly read: Uint8Array;
  readonly written: Uint8Array;
}

/** Passes the whole of the input through. @throws FILE_CHANGED, INTERRUPTED, DISK_FULL, FILE_ACCESS, and what `transform` throws */
export async function pump(io: Io, request: PumpRequest): Promise<PumpHashes> {
  const { input, head, transformation, task } = request;
  const expectedBytes = input.sizeBytes;
  const { readBytes } = transformation;
  const blockBytes = readBytes * Math.max(1, Math.floor(WRITE_BYTES / readBytes));
  const { readSha256 } = request;
  using read =
    readSha256 === undefined
      ? io.hashing.sha256({ blockBytes, blocks: RING_BLOCKS, expectedBytes })
      : unhashed(blockBytes, readSha256);
  using written = io.hashing.sha256({ blockBytes: WRITE_BYTES, blocks: RING_BLOCKS, expectedBytes });
  const sink = await blockSink(request.output, written, transformation);
  await pushHead(read, head.read);
  const blocks = blocksOf({ input, from: head.read.length, blockBytes }, read);
  try {
    await sink.add(head.write);
    do {
      request.signal?.throwIfAborted();
      const source = await blocks.next();
      let at = 0;
      do {
        await sink.transform(source.subarray(at, at + readBytes));
        at += readBytes;
      } while (at < source.length);
      task.advance(source.length);
    } while (blocks.left());
    await sink.finish();
    return { read: await read.digest(), written: await written.digest() };
  } finally {
    await Promise.all([sink.settle(), blocks.settle()]);
  }
}

/** The SHA-256 of a file, read on its own while something else is done with it. Settles before the file may be closed. */
export async function hashAside(io: Io, input: InputFile, signal: AbortSignal): Promise<Uint8Array> {
  const ring = { blockBytes: WRITE_BYTES, blocks: 2, expectedBytes: input.sizeBytes };
  using hash = io.hashing.sha256(ring);
  const blocks = blocksOf({ input, from: 0, blockBytes: WRITE_BYTES }, hash);
  try {
    do {
      signal.throwIfAborted();
      await blocks.next();
    } while (blocks.left());
    return await hash.digest();
  } finally {
    await blocks.settle();
  }
}

/** Blocks for reading that nobody hashes. */
function unhashed(blockBytes: number, digest: Promise<Uint8Array>): SharedHash {
  const blocks = [new Uint8Array(blockBytes), new Uint8Array(blockBytes), new Uint8Array(blockBytes)] as const;
  let index = 0;
  return {
    block: async () => blocks[index % 3] ?? blocks[0],
    push() {
      index += 1;
    },
    digest: () => digest,
    [Symbol.dispose]: () => undefined,
  };
}

async function pushHead(hash: SharedHash, head: Uint8Array): Promise<void> {
  if (head.length === 0) return;
  (await hash.block()).set(head);
  hash.push(head.length);
}

/** The blocks of a file, each read while the one before is worked on, and handed to the hash when it is there. */
function blocksOf(
  source: { readonly input: InputFile; readonly from: number; readonly blockBytes: number },
  hash: SharedHash,
): { next(): Promise<Uint8Array>; left(): boolean; settle(): Promise<void> } {
  const { input, blockBytes } = source;
  let offset = source.from;
  const readOne = async (): Promise<Uint8Array> => {
    const wanted = Math.min(blockBytes, input.sizeBytes - offset);
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

/** Where the output is gathered into blocks, which are hashed and written behind the caller's back. */
interface BlockSink {
  add(bytes: Uint8Array): Promise<void>;
  transform(source: Uint8Array): Promise<void>;
  /** Hands over the last block and waits until all is written. */
  finish(): Promise<void>;
  /** Waits until nothing is under way, whatever came of it. */
  settle(): Promise<void>;
}

async function blockSink(output: OutputFile, hash: SharedHash, transformation: Transformation): Promise<BlockSink> {
  const writes = writesBehind(output);
  // For what does not fit into the rest of a block.
  const spill = new Uint8Array(transformation.writeBytes);
  let block = await hash.block();
  let used = 0;
  const handOver = (): void => {
    hash.push(used);
    writes.start(block.subarray(0, used));
  };
  const next = async (): Promise<void> => {
    handOver();
    block = await hash.block();
    await writes.mayReuse();
    used = 0;
  };
  const add = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) {
      if (used === WRITE_BYTES) await next();
      const part = bytes.subarray(at, at + WRITE_BYTES - used);
      block.set(part, used);
      used += part.length;
      at += part.length;
    }
  };
  return {
    add,
    async transform(source) {
      if (used === WRITE_BYTES) await next();
      if (WRITE_BYTES - used >= spill.length) used += transformation.transform(block.subarray(used), source);
      else await add(spill.subarray(0, transformation.transform(spill, source)));
    },
    finish() {
      handOver();
      return writes.finish();
    },
    settle: writes.settle,
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
