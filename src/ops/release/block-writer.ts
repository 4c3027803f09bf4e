/** Gathers pieces into blocks of 1 MiB and writes one block while the next is filled. */

import type { Files } from '../../core/ports.ts';

/** The size of a block. */
export const BLOCK_BYTES = 1024 * 1024;
/** From here on special memory is worth its making. */
const LONG_BLOCKS = 8;

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
  const memory = (): Uint8Array => (isLong ? files.blockMemory(BLOCK_BYTES) : new Uint8Array(BLOCK_BYTES));
  let [filling, spare] = [memory(), memory()];
  let filled = 0;
  let pending: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    await pending;
    const block = filling.subarray(0, filled);
    pending = sink.write(block);
    // A failure is reported by whoever awaits it next; until then it must not count as unhandled.
    pending.catch(() => undefined);
    sink.onBlock?.(block);
    [filling, spare] = [spare, filling];
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
    await pending;
  }

  return { push, finish };
}
