/** Threads for bulk work; what they run is loaded only when there is some. */
import { setTimeout } from 'node:timers/promises';
import type { EngineName, Workers } from '../core/ports.ts';

/** Below this many signatures, starting threads takes longer than it saves. */
const WORTH_THREADS = 400;

/** Signs on all cores; on this thread where little is to be signed. */
export function nodeWorkers(engine: EngineName): Workers {
  return {
    async signing(keys, expected) {
      const { inlinePool, threadPool } = await import('./signing-pool.ts');
      return expected < WORTH_THREADS ? inlinePool(engine, keys) : threadPool(engine, keys);
    },
    rest: (milliseconds) => setTimeout(milliseconds),
  };
}

/** Signs on this thread only. */
export function inlineWorkers(engine: EngineName): Workers {
  return {
    async signing(keys) {
      const { inlinePool } = await import('./signing-pool.ts');
      return inlinePool(engine, keys);
    },
    rest: async () => undefined,
  };
}
