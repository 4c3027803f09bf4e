/**
 * The Merkle tree of Certificate Transparency over SHA-256: leaf hashes are prefixed with 0x00, parents with 0x01.
 *
 * Invariant: the shape follows from the number of leaves alone. A tree over n > 1 leaves has the largest power of two
 * below n on its left; over one leaf the root is the leaf's hash. There is no tree over nothing here.
 *
 * @see RFC 9162 section 2.1.1
 */
import { concatBytes } from '../core/bytes.ts';
import type { EngineName } from '../core/ports.ts';
import { sha256, startSha256, type StreamingHash } from './hash.ts';

/** A hash of the tree. */
export const TREE_HASH_BYTES = 32;
/** A parent: the hashes of its two children. */
export const PARENT_BYTES = 2 * TREE_HASH_BYTES;
const LEAF_PREFIX = Uint8Array.of(0);
const PARENT_PREFIX = Uint8Array.of(1);

/** A tree whose leaves are all known. */
export interface Tree {
  readonly root: Uint8Array;
  readonly leafCount: number;
  /** All parents in pre-order (a parent, its left subtree, its right subtree), 64 bytes each. */
  readonly parents: Uint8Array;
}

/** Starts the hash of a leaf, which takes the leaf's bytes in pieces. */
export function startLeafHash(engine: EngineName): StreamingHash {
  const hash = startSha256(engine);
  hash.update(LEAF_PREFIX);
  return hash;
}

/** The hash of a leaf's bytes. */
export function hashLeaf(engine: EngineName, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const hash = startLeafHash(engine);
  hash.update(bytes);
  return hash.digest();
}

/** The hash of a parent, 64 bytes: its left child's hash and its right child's. */
export function hashParent(engine: EngineName, pair: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(engine, concatBytes(PARENT_PREFIX, pair));
}

/** Leaves in the left subtree of a tree over `count` > 1 leaves. */
export function leftLeaves(count: number): number {
  let size = 1;
  while (size * 2 < count) size *= 2;
  return size;
}

/** Builds the tree over `leafHashes` (32 bytes each, at least one). Takes 64 bytes of memory a leaf. */
export function buildTree(engine: EngineName, leafHashes: Uint8Array): Tree {
  const leafCount = leafHashes.length / TREE_HASH_BYTES;
  const parents = new Uint8Array((leafCount - 1) * PARENT_BYTES);

  /** Fills in the parents of the `count` leaves from `first`, the topmost at index `at`; gives their root. */
  function fill(first: number, count: number, at: number): Uint8Array {
    if (count === 1) return leafHashes.slice(first * TREE_HASH_BYTES, (first + 1) * TREE_HASH_BYTES);
    const left = leftLeaves(count);
    const pair = parents.subarray(at * PARENT_BYTES, (at + 1) * PARENT_BYTES);
    pair.set(fill(first, left, at + 1), 0);
    pair.set(fill(first + left, count - left, at + left), TREE_HASH_BYTES);
    return hashParent(engine, pair);
  }

  return { root: fill(0, leafCount, 0), leafCount, parents };
}

/** For each leaf in order, how many parents come right before it in pre-order. */
export function* parentsBefore(leafCount: number): Generator<number> {
  const pending = [leafCount];
  for (let count = pending.pop(); count !== undefined; count = pending.pop()) {
    let parents = 0;
    while (count > 1) {
      const left = leftLeaves(count);
      pending.push(count - left);
      count = left;
      parents += 1;
    }
    yield parents;
  }
}
