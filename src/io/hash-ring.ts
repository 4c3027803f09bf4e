/**
 * Memory that two threads see: a ring of blocks, how many were handed over, how many are done, and the digest at the end.
 *
 * Invariants: one thread fills and pushes, the other hashes and releases, each in order; a block is filled again only when
 * it was released.
 */

import { sharedMemory } from './shared-memory.ts';

const PUSHED = 0;
const RELEASED = 1;
const FINISHED = 2;
const LENGTHS = 3;
const DIGEST_BYTES = 32;
const END = -1;

/** What is passed to the other thread. */
export interface RingMemory {
  readonly control: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
  readonly blocks: number;
  readonly blockBytes: number;
}

/** One thread's view of a ring; block `index` counts from 0 and wraps around. */
export interface Ring {
  /** The memory of block `index`. */
  block(index: number): Uint8Array;
  /** Whether block `index` may be filled, or a promise of that. */
  mayFill(index: number): true | Promise<unknown>;
  push(index: number, length: number): void;
  /** After the last block. */
  pushEnd(index: number): void;
  /** Blocks the thread until block `index` was pushed. */
  waitForPush(index: number): void;
  /** What was pushed as block `index`; undefined for the end. */
  pushed(index: number): Uint8Array | undefined;
  release(index: number): void;
  finish(digest: Uint8Array): void;
  /** The digest, or a promise of a change. */
  digest(): Uint8Array<ArrayBuffer> | Promise<unknown>;
}

/** Makes the memory of a ring. */
export function ringMemory(blocks: number, blockBytes: number): RingMemory {
  const control = new SharedArrayBuffer(4 * (LENGTHS + blocks) + DIGEST_BYTES);
  return { control, data: sharedMemory(blocks * blockBytes), blocks, blockBytes };
}

/** A view of a ring's memory. */
export function ringOf({ control, data, blocks, blockBytes }: RingMemory): Ring {
  const state = new Int32Array(control, 0, LENGTHS + blocks);
  const digest = new Uint8Array(control, 4 * (LENGTHS + blocks), DIGEST_BYTES);
  const block = (index: number): Uint8Array => new Uint8Array(data, (index % blocks) * blockBytes, blockBytes);
  const announce = (counter: number, value: number): void => {
    Atomics.store(state, counter, value);
    Atomics.notify(state, counter);
  };
  const push = (index: number, length: number): void => {
    Atomics.store(state, LENGTHS + (index % blocks), length);
    announce(PUSHED, index + 1);
  };
  return {
    block,
    mayFill(index) {
      const released = Atomics.load(state, RELEASED);
      return index - released < blocks ? true : changeOf(state, RELEASED, released);
    },
    push,
    pushEnd: (index) => push(index, END),
    waitForPush(index) {
      while (Atomics.load(state, PUSHED) <= index) Atomics.wait(state, PUSHED, index);
    },
    pushed(index) {
      const length = Atomics.load(state, LENGTHS + (index % blocks));
      return length === END ? undefined : block(index).subarray(0, length);
    },
    release: (index) => announce(RELEASED, index + 1),
    finish(bytes) {
      digest.set(bytes);
      announce(FINISHED, 1);
    },
    digest: () => (Atomics.load(state, FINISHED) === 1 ? digest.slice() : changeOf(state, FINISHED, 0)),
  };
}

/** Resolves when the counter is no longer `seen`. */
async function changeOf(state: Int32Array, counter: number, seen: number): Promise<void> {
  const wait = Atomics.waitAsync(state, counter, seen);
  if (wait.async) await wait.value;
}
