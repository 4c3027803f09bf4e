/**
 * Exact reads from a stream of blocks, one pass, with back-pressure: the next block is asked for only when it is needed.
 *
 * Invariant: what `take` returns is valid until the next call; nothing is copied but what crosses a block's border.
 */
import { failure } from '../../core/errors.ts';

/** A place in a byte stream. */
export interface ByteReader {
  /** Bytes taken so far. */
  offset(): number;
  /** The next `count` bytes; `what` names them in the error. @throws OTAP_TRUNCATED */
  take(count: number, what: string): Promise<Uint8Array>;
  /** Whether nothing is left. */
  atEnd(): Promise<boolean>;
}

/** The current block of a stream and what is left of it. */
interface Blocks {
  /** Up to `count` bytes of the current block, which is then that much shorter. */
  cut(count: number): Uint8Array;
  /** Bytes left of the current block. */
  left(): number;
  /** Goes to the next block; false at the end. */
  advance(): Promise<boolean>;
}

/** Reads from `source`; `onBlock` sees every block whole, before anything of it is taken. */
export function byteReader(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBlock: (block: Uint8Array) => void = () => undefined,
): ByteReader {
  const blocks = blocksOf(source, onBlock);
  let taken = 0;

  async function take(count: number, what: string): Promise<Uint8Array> {
    if (blocks.left() === 0) await blocks.advance();
    const bytes = blocks.left() >= count ? blocks.cut(count) : await gather(blocks, { count, what, offset: taken });
    taken += count;
    return bytes;
  }

  async function atEnd(): Promise<boolean> {
    while (blocks.left() === 0) if (!(await blocks.advance())) return true;
    return false;
  }

  return { take, atEnd, offset: () => taken };
}

/** Joins what is left of this block with the beginning of the next ones. */
async function gather(blocks: Blocks, wanted: { count: number; what: string; offset: number }): Promise<Uint8Array> {
  const joined = new Uint8Array(wanted.count);
  let filled = 0;
  while (filled < wanted.count) {
    if (blocks.left() === 0 && !(await blocks.advance())) throw truncated(wanted.offset + filled, wanted);
    const part = blocks.cut(wanted.count - filled);
    joined.set(part, filled);
    filled += part.length;
  }
  return joined;
}

function blocksOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onBlock: (block: Uint8Array) => void,
): Blocks {
  const iterator = iteratorOf(source);
  let rest: Uint8Array = new Uint8Array(0);
  return {
    left: () => rest.length,
    cut: (count) => {
      const part = rest.subarray(0, count);
      rest = rest.subarray(count);
      return part;
    },
    advance: async () => {
      const next = await iterator.next();
      if (next.done === true) return false;
      rest = next.value;
      onBlock(rest);
      return true;
    },
  };
}

function iteratorOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

function truncated(offset: number, wanted: { count: number; what: string }): Error {
  const message = `the bundle ends at byte ${offset}, inside the ${wanted.what} (${wanted.count} bytes)`;
  return failure('OTAP_TRUNCATED', message, { offset });
}
