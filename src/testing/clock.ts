/** A clock that stands until it is moved, and randomness from a seed. */
import { createHash } from 'node:crypto';
import { instantOf, parseInstant } from '../core/brands.ts';
import type { Clock, Random } from '../core/ports.ts';

/** The time at which tests begin unless they say otherwise. */
export const TEST_NOW = '2026-11-21T10:00:00Z';

/** A clock for tests. */
export interface FixedClock extends Clock {
  /** Moves the clock to a time `YYYY-MM-DDTHH:MM:SSZ`. */
  set(time: string): void;
  /** Moves the clock forward (or back) by seconds. */
  advance(seconds: number): void;
}

/** A clock that stands at `time`. */
export function fixedClock(time: string = TEST_NOW): FixedClock {
  let now = parseInstant(time);
  return {
    now: () => now,
    set: (next) => {
      now = parseInstant(next);
    },
    advance: (seconds) => {
      now = instantOf(now + seconds);
    },
  };
}

/** The same bytes for the same seed: SHA-256 over seed and counter. Never for real keys. */
export function seededRandom(seed: number | string = 1): Random {
  let counter = 0;
  const block = (): Buffer => createHash('sha256').update(`${seed}:${counter++}`).digest();
  return {
    bytes(count) {
      const out = new Uint8Array(count);
      for (let offset = 0; offset < count; offset += 32) out.set(block().subarray(0, count - offset), offset);
      return out;
    },
  };
}
