/** Gathers pieces into blocks of 1 MiB and writes one block while the next is filled. */

/** The size of a block. */
export const BLOCK_BYTES = 1024 * 1024;

/** Takes pieces of any size. */
export interface BlockWriter {
  /** Copies `bytes`; gives a promise to await where a block was full. */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /** Writes what is left and waits for it. */
  finish(): Promise<void>;
}

/** Writes through `write`, which may use a block until it resolves; `onBlock` sees each block while it is written. */
export function blockWriter(
  write: (bytes: Uint8Array) => Promise<void>,
  onBlock: (bytes: Uint8Array) => void = () => undefined,
): BlockWriter {
  let [filling, spare] = [new Uint8Array(BLOCK_BYTES), new Uint8Array(BLOCK_BYTES)];
  let filled = 0;
  let pending: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    await pending;
    const block = filling.subarray(0, filled);
    pending = write(block);
    // A failure is reported by whoever awaits it next; until then it must not count as unhandled.
    pending.catch(() => undefined);
    onBlock(block);
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
