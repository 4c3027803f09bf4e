/**
 * A thread that hashes the blocks of one ring after the other as they are filled; started by `hashing.ts`.
 *
 * It imports next to nothing, for it is started to save time.
 */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { ringOf } from './hash-ring.ts';
import type { RingMemory } from './hash-ring.ts';

parentPort?.on('message', (memory: RingMemory) => {
  const ring = ringOf(memory);
  const hash = createHash('sha256');
  for (let index = 0; ; index++) {
    ring.waitForPush(index);
    const bytes = ring.pushed(index);
    if (bytes === undefined) break;
    hash.update(bytes);
    ring.release(index);
  }
  ring.finish(hash.digest());
});
