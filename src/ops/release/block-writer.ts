/** Gathers pieces into blocks of 1 MiB, which are written in order behind the caller's back. */

import type { Files } from '../../core/ports.ts';

/** The size of a block. */
export const BLOCK_BYTES = 1024 * 1024;
/** From here on special memory is worth its making. */
const LONG_BLOCKS = 8;
/** Blocks that wait to be written while the next one is filled. */
const BLOCKS_BEHIND = 3;

/** Takes pieces of any size. */
export interface BlockWriter {
  /** Copies `bytes`; gives a promise to await where a block was full. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /** Writes what is left and waits for it. */
  finish(): Promise<void>;
}

/** Where blocks go. */
export interface BlockSink {
  /** What will be written in all, about: memory for many blocks is made so that the disk takes it as it is. */
  readonly expectedBytes: number;
  /** May use the block until it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sees each block while it is written. */
  onBlock?(bytes: Uint8Array): void;
}

/** Starts with an empty block. */
export function blockWriter(files: Files, sink: BlockSink): BlockWriter {
  const isLong = sink.expectedBytes > LONG_BLOCKS * BLOCK_BYTES;
  const queue = writeQueue(sink, () => (isLong ? files.blockMemory(BLOCK_BYTES) : new Uint8Array(BLOCK_BYTES)));
  let filling = queue.firstBlock;
  let filled = 0;

  async function flush(): Promise<void> {
    filling = await queue.write(filling, filled);
    filled = 0;
  }

  async function pushAcross(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + BLOCK_BYTES - filled);
      filling.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === BLOCK_BYTES) await flush();
    }
  }

  function push(bytes: Uint8Array): Promise<void> | undefined {
    if (filled + bytes.length >= BLOCK_BYTES) return pushAcross(bytes);
    filling.set(bytes, filled);
    filled += bytes.length;
    return undefined;
  }

  async function finish(): Promise<void> {
    if (filled > 0) await flush();
    await queue.finish();
  }

  return { push, finish };
}

/** Blocks on their way, in order, one write at a time. */
interface WriteQueue {
  readonly firstBlock: Uint8Array;
  /** Begins to write the first `length` bytes; gives a block to fill meanwhile. */
  write(block: Uint8Array, length: number): Promise<Uint8Array>;
  finish(): Promise<void>;
}

function writeQueue(sink: BlockSink, memory: () => Uint8Array): WriteQueue {
  const pending: Promise<Uint8Array>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  return {
    firstBlock: memory(),
    async write(block, length) {
      const bytes = block.subarray(0, length);
      const written = last.then(() => sink.write(bytes)).then(() => block);
      // A failure is reported by whoever awaits it next; until then it must not count as unhandled.
      written.catch(() => undefined);
      last = written;
      pending.push(written);
      sink.onBlock?.(bytes);
      const oldest = pending.length > BLOCKS_BEHIND ? pending.shift() : undefined;
      return (await oldest) ?? memory();
    },
    async finish() {
      await Promise.all(pending);
    },
  };
}
