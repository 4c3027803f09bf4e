import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../crypto/hash.ts';
import { byteReader } from './byte-reader.ts';
import { buildTree, parentsBefore } from '../../crypto/tree.ts';
import { leafHasher, payloadBytes, verifiedChunks } from './tree.ts';

/** RFC 9162 section 2.1.1, as it is written there. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return sha256('noble', concatBytes(Uint8Array.of(0), only));
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256('noble', concatBytes(Uint8Array.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k))));
}

function treeOf(chunks: readonly Uint8Array[], chunkBytes: number): ReturnType<typeof buildTree> {
  const hasher = leafHasher('native', chunkBytes);
  for (const chunk of chunks) hasher.push(chunk);
  return buildTree('native', hasher.finish());
}

// Leaves and roots of the Certificate Transparency reference tests (google/certificate-transparency,
// merkletree/merkle_tree_test.cc, "known-good roots"); the first leaf there is empty, so only hashes of leaves are used.
const CT_LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const CT_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('payload tree', () => {
  it('has the roots of the Certificate Transparency reference tests (RFC 9162 section 2.1.1)', () => {
    const hashes = CT_LEAVES.map((leaf) => sha256('native', concatBytes(Uint8Array.of(0), fromHex(leaf))));
    for (const [i, root] of CT_ROOTS.entries()) {
      for (const engine of ['native', 'noble'] as const) {
        expect(toHex(buildTree(engine, concatBytes(...hashes.slice(0, i + 1))).root)).toBe(root);
      }
    }
  });

  it('is the tree of RFC 9162 for any number of chunks, and reads back chunk by chunk', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 16 }), async (count, last) => {
        const chunks = Array.from({ length: count }, (_, i) =>
          utf8(`chunk ${i}`.padEnd(16)).subarray(0, i === count - 1 ? last : 16),
        );
        const tree = treeOf(chunks, 16);
        expect(toHex(tree.root)).toBe(toHex(rootOf(chunks)));
        const stream = interleaved(chunks, tree);
        const storedBytes = 16 * (count - 1) + last;
        expect(stream.length).toBe(payloadBytes(storedBytes, 16));
        const claim = { storedBytes, chunkBytes: 16, treeRoot: tree.root, name: 'test' };
        const read: string[] = [];
        for await (const chunk of verifiedChunks(byteReader([stream]), claim, 'native')) read.push(toHex(chunk));
        expect(read).toEqual(chunks.map(toHex));
      }),
      { numRuns: 60 },
    );
  });

  it('puts every parent once, before its first chunk', () => {
    for (const count of [1, 2, 3, 7, 8, 9, 1000]) {
      const before = [...parentsBefore(count)];
      expect(before).toHaveLength(count);
      expect(before.reduce((sum, parents) => sum + parents, 0)).toBe(count - 1);
    }
    expect([...parentsBefore(5)]).toEqual([3, 0, 1, 0, 0]);
  });

  it('does not depend on the pieces that chunks come in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 80 }), (bytes, piece) => {
        const hasher = leafHasher('native', 32);
        for (let at = 0; at < bytes.length; at += piece) hasher.push(bytes.subarray(at, at + piece));
        const whole = leafHasher('native', 32);
        whole.push(bytes);
        expect(toHex(hasher.finish())).toBe(toHex(whole.finish()));
      }),
    );
  });
});

function interleaved(chunks: readonly Uint8Array[], tree: ReturnType<typeof buildTree>): Uint8Array {
  const parts: Uint8Array[] = [];
  let parent = 0;
  for (const [i, parents] of [...parentsBefore(chunks.length)].entries()) {
    parts.push(tree.parents.subarray(64 * parent, 64 * (parent + parents)), chunks[i] ?? new Uint8Array(0));
    parent += parents;
  }
  return concatBytes(...parts);
}
