/**
 * SHA-256 beside the main thread: sealing a file takes two hashes of it and a cipher, more than one core does in time.
 *
 * Invariant: the digest is that of the blocks as they were handed over, whichever thread hashed them.
 */
import type { Worker } from 'node:worker_threads';
import type { EngineName, Hashing, SharedHash } from '../core/ports.ts';
import { startSha256 } from '../crypto/hash.ts';
import { ringMemory, ringOf } from './hash-ring.ts';
import type { RingMemory } from './hash-ring.ts';
import { threadScript } from './program.ts';

/** Below this, starting a thread takes longer than it saves. */
const WORTH_A_THREAD_BYTES = 16 * 1024 * 1024;

/** Hashing on threads of its own with engine `native`; noble stays on this one. */
export function nodeHashing(engine: EngineName): Hashing {
  const idle: Worker[] = [];
  const isFew = (expectedBytes: number): boolean => engine === 'noble' || expectedBytes < WORTH_A_THREAD_BYTES;
  return {
    prepare({ threads, expectedBytes }) {
      if (isFew(expectedBytes)) return;
      while (idle.length < threads) idle.push(startThread());
    },
    sha256({ blockBytes, blocks, expectedBytes }) {
      if (isFew(expectedBytes)) return inlineHash(engine, blockBytes, blocks);
      const worker = idle.shift() ?? startThread();
      return threadHash(worker, ringMemory(blocks, blockBytes), () => idle.push(worker));
    },
  };
}

/** Hashing on this thread only. */
export function inlineHashing(engine: EngineName): Hashing {
  return {
    prepare: () => undefined,
    sha256: ({ blockBytes, blocks }) => inlineHash(engine, blockBytes, blocks),
  };
}

function inlineHash(engine: EngineName, blockBytes: number, blocks: number): SharedHash {
  const ring = ringOf(ringMemory(blocks, blockBytes));
  const hash = startSha256(engine);
  let index = 0;
  return {
    block: async () => ring.block(index),
    push(length) {
      hash.update(ring.block(index).subarray(0, length));
      index += 1;
    },
    digest: async () => hash.digest(),
    [Symbol.dispose]: () => undefined,
  };
}

/** A thread without work does not keep the process alive. */
function startThread(): Worker {
  const threads = process.getBuiltinModule('node:worker_threads');
  const worker = new threads.Worker(threadScript('hash-worker'), { env: {}, execArgv: [], stdin: false });
  worker.unref();
  return worker;
}

/** Gives a ring to a thread; `onIdle` is called when the thread is free again. */
function threadHash(worker: Worker, memory: RingMemory, onIdle: () => void): SharedHash {
  const ring = ringOf(memory);
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  worker.once('error', died.reject);
  // Waiting for the ring alone would not keep the process alive.
  worker.ref();
  worker.postMessage(memory, []);
  let index = 0;
  let isDone = false;
  const settled = async <T>(look: () => T | Promise<unknown>): Promise<T> => {
    for (;;) {
      const found = look();
      if (!(found instanceof Promise)) return found;
      await Promise.race([found, died.promise]);
    }
  };
  return {
    async block() {
      await settled(() => ring.mayFill(index));
      return ring.block(index);
    },
    push(length) {
      ring.push(index, length);
      index += 1;
    },
    async digest() {
      await settled(() => ring.mayFill(index));
      ring.pushEnd(index);
      const digest = await settled(() => ring.digest());
      isDone = true;
      return digest;
    },
    [Symbol.dispose]() {
      worker.off('error', died.reject);
      worker.unref();
      if (isDone) onIdle();
      else void worker.terminate();
    },
  };
}
