import { describe, expect, test } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import type { Hashing } from '../core/ports.ts';
import { inlineHashing, nodeHashing } from './hashing.ts';

const LARGE = 64 * 1024 * 1024;

async function hashOf(
  hashing: Hashing,
  lengths: readonly number[],
  expectedBytes: number,
): Promise<[Uint8Array, Uint8Array]> {
  using hash = hashing.sha256({ blockBytes: 4096, blocks: 3, expectedBytes });
  const all: number[] = [];
  for (const [i, length] of lengths.entries()) {
    const block = await hash.block();
    block.fill(i + 1);
    hash.push(length);
    all.push(...Array.from({ length }, () => i + 1));
  }
  return [await hash.digest(), sha256('native', Uint8Array.from(all))];
}

describe.each([
  ['on this thread', inlineHashing('native'), 0],
  ['by noble', nodeHashing('noble'), LARGE],
  ['of few bytes', nodeHashing('native'), 10],
  ['on a thread', nodeHashing('native'), LARGE],
])('a hash %s', (_, hashing, expectedBytes) => {
  test.each([[[]], [[0]], [[1]], [[4096, 4096, 1]], [Array.from({ length: 50 }, (__, i) => 80 * i)]])(
    'is that of the blocks handed over: %j',
    async (lengths: readonly number[]) => {
      const [found, expected] = await hashOf(hashing, lengths, expectedBytes);
      expect(found).toEqual(expected);
    },
  );
});

test('a thread that is given up ends, one that is done is used again', async () => {
  const hashing = nodeHashing('native');
  hashing.prepare({ threads: 1, expectedBytes: 10 });
  hashing.prepare({ threads: 1, expectedBytes: LARGE });
  for (let round = 0; round < 3; round++) {
    using given = hashing.sha256({ blockBytes: 4096, blocks: 3, expectedBytes: LARGE });
    using hash = hashing.sha256({ blockBytes: 4096, blocks: 3, expectedBytes: LARGE });
    for (const one of [given, hash]) {
      const block = await one.block();
      block.fill(9);
      one.push(4096);
    }
    expect(await hash.digest()).toEqual(sha256('native', new Uint8Array(4096).fill(9)));
  }
});
