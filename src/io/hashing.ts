/**
 * SHA-256 beside the main thread: sealing a file takes two hashes of it and a cipher, more than one core does in time.
 *
 * Invariant: the digest is that of the blocks as they were handed over, whichever thread hashed them.
 */
import { Worker } from 'node:worker_threads';
import type { EngineName, Hashing, SharedHash } from '../core/ports.ts';
import { startSha256 } from '../crypto/hash.ts';
import { ringMemory, ringOf } from './hash-ring.ts';

/** Below this, starting a thread takes longer than it saves. */
const WORTH_A_THREAD_BYTES = 16 * 1024 * 1024;

/** Hashing on threads of its own with engine `native`; noble stays on this one. */
export function nodeHashing(engine: EngineName): Hashing {
  return {
    sha256({ blockBytes, blocks, expectedBytes }) {
      const inline = engine === 'noble' || expectedBytes < WORTH_A_THREAD_BYTES;
      return inline ? inlineHash(engine, blockBytes, blocks) : threadHash(blockBytes, blocks);
    },
  };
}

/** Hashing on this thread only. */
export function inlineHashing(engine: EngineName): Hashing {
  return { sha256: ({ blockBytes, blocks }) => inlineHash(engine, blockBytes, blocks) };
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

function threadHash(blockBytes: number, blocks: number): SharedHash {
  const memory = ringMemory(blocks, blockBytes);
  const ring = ringOf(memory);
  // The compiled file beside the compiled file, the source beside the source.
  const script = new URL(`./hash-worker${import.meta.url.slice(-3)}`, import.meta.url);
  const worker = new Worker(script, { workerData: { memory }, env: {}, execArgv: [], stdin: false });
  const failed = new Promise<never>((_, reject) => worker.once('error', reject));
  failed.catch(() => undefined);
  let index = 0;
  const settled = async <T>(look: () => T | Promise<unknown>): Promise<T> => {
    for (;;) {
      const found = look();
      if (!(found instanceof Promise)) return found;
      await Promise.race([found, failed]);
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
      return settled(() => ring.digest());
    },
    [Symbol.dispose]: () => void worker.terminate(),
  };
}
