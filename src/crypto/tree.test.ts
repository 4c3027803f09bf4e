import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concatBytes, toHex } from '../core/bytes.ts';
import { cryptoVectors, hex, type VectorFile } from '../testing/crypto-vectors.ts';
import { ENGINES } from './engine.ts';
import { buildTree, hashLeaf, hashParent, PARENT_BYTES, parentsBefore, startLeafHash } from './tree.ts';

interface TreeVectors extends VectorFile<{ readonly size: number; readonly root: string }> {
  readonly leaves: readonly string[];
}

const leafHashes = (count: number) =>
  concatBytes(...Array.from({ length: count }, (_, i) => hashLeaf('native', Uint8Array.of(i >> 8, i & 0xff))));

test.each(ENGINES)('%s gives the roots of Certificate Transparency over 1 to 8 leaves', (engine) => {
  const { leaves, cases }: TreeVectors = { leaves: [], ...cryptoVectors('rfc9162-tree') };
  for (const { size, root } of cases) {
    const hashes = leaves.slice(0, size).map((leaf) => hashLeaf(engine, hex(leaf)));
    expect(toHex(buildTree(engine, concatBytes(...hashes)).root)).toBe(root);
  }
});

test('a leaf hash does not depend on how the leaf is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (leaf, cut) => {
      const hash = startLeafHash('native');
      hash.update(leaf.subarray(0, cut));
      hash.update(leaf.subarray(cut));
      expect(hash.digest()).toEqual(hashLeaf('noble', leaf));
    }),
  );
});

test('parents in pre-order, taken as parentsBefore says, lead from the root to every leaf', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (count) => {
      const hashes = leafHashes(count);
      const { root, parents, leafCount } = buildTree('native', hashes);
      const expected = [root];
      let at = 0;
      let leaf = 0;
      for (const before of parentsBefore(leafCount)) {
        for (let i = 0; i < before; i++, at += PARENT_BYTES) {
          const pair = parents.subarray(at, at + PARENT_BYTES);
          expect(hashParent('native', pair)).toEqual(expected.pop());
          expected.push(pair.slice(32), pair.slice(0, 32));
        }
        expect(hashes.slice(32 * leaf, 32 * (leaf + 1))).toEqual(expected.pop());
        leaf += 1;
      }
      expect([leaf, at, expected]).toEqual([count, parents.length, []]);
    }),
    { numRuns: 50 },
  );
});
