/** A thread that hashes the blocks of a ring as they are filled; started by `hashing.ts`, whose counters it shares. */
import { workerData } from 'node:worker_threads';
import { startSha256 } from '../crypto/hash.ts';
import { ringOf } from './hash-ring.ts';
import type { RingMemory } from './hash-ring.ts';

const ring = ringOf((workerData as { readonly memory: RingMemory }).memory);
const hash = startSha256('native');
for (let index = 0; ; index++) {
  ring.waitForPush(index);
  const bytes = ring.pushed(index);
  if (bytes === undefined) break;
  hash.update(bytes);
  ring.release(index);
}
ring.finish(hash.digest());
