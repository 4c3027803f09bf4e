/**
 * The tree of a payload and how it is laid out in a stream: RFC 9162 hashes over the chunks, each parent (64 bytes: left
 * hash, right hash) before its children, each chunk in its place.
 *
 * Invariant: the shape follows from the number of chunks alone. A tree over n > 1 chunks has the largest power of two
 * below n on its left; over one chunk the root is the leaf hash.
 *
 * @see RFC 9162 section 2.1.1; FORMAT.md section 5
 */
import { concatBytes, equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha256, startSha256 } from '../../crypto/hash.ts';
import type { ByteReader } from './byte-reader.ts';

const HASH_BYTES = 32;
/** A parent: two hashes. */
export const PARENT_BYTES = 2 * HASH_BYTES;
const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** Chunks of a payload of `storedBytes`. */
export function chunkCount(storedBytes: number, chunkBytes: number): number {
  return Math.ceil(storedBytes / chunkBytes);
}

/** Bytes that a payload takes in the bundle: its chunks and their parents. */
export function payloadBytes(storedBytes: number, chunkBytes: number): number {
  return storedBytes + (chunkCount(storedBytes, chunkBytes) - 1) * PARENT_BYTES;
}

/** Chunks in the left subtree of a tree over `count` > 1 chunks. */
function leftCount(count: number): number {
  let size = 1;
  while (size * 2 < count) size *= 2;
  return size;
}

/** Hashes stored bytes chunk by chunk as they come, in pieces of any size. */
export function leafHasher(engine: EngineName, chunkBytes: number): LeafHasher {
  let leaves = new Uint8Array(64 * HASH_BYTES);
  let count = 0;
  let filled = 0;
  let hash = startSha256(engine);

  function close(): void {
    if ((count + 1) * HASH_BYTES > leaves.length) leaves = concatBytes(leaves, new Uint8Array(leaves.length));
    leaves.set(hash.digest(), count * HASH_BYTES);
    count += 1;
    filled = 0;
  }

  function push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (filled === 0) {
        hash = startSha256(engine);
        hash.update(LEAF_PREFIX);
      }
      const part = bytes.subarray(at, at + chunkBytes - filled);
      hash.update(part);
      filled += part.length;
      at += part.length;
      if (filled === chunkBytes) close();
    }
  }

  function finish(): Uint8Array {
    if (filled > 0) close();
    return leaves.subarray(0, count * HASH_BYTES);
  }

  return { push, finish };
}

/** Collects the leaf hashes of a payload. */
export interface LeafHasher {
  push(bytes: Uint8Array): void;
  /** The hashes of all chunks, 32 bytes each. */
  finish(): Uint8Array;
}

/** A tree whose leaves are all known. */
export interface Tree {
  readonly root: Uint8Array;
  readonly chunks: number;
  /** All parents in the order of the stream, 64 bytes each. */
  readonly parents: Uint8Array;
}

/** Builds the tree over `leaves` (32 bytes each, at least one). */
export function buildTree(engine: EngineName, leaves: Uint8Array): Tree {
  const chunks = leaves.length / HASH_BYTES;
  const parents = new Uint8Array((chunks - 1) * PARENT_BYTES);

  /** Fills in the parents of the `count` leaves from `first`, the topmost at index `at`; gives their root. */
  function fill(first: number, count: number, at: number): Uint8Array {
    if (count === 1) return leaves.subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES);
    const left = leftCount(count);
    const pair = parents.subarray(at * PARENT_BYTES, (at + 1) * PARENT_BYTES);
    pair.set(fill(first, left, at + 1), 0);
    pair.set(fill(first + left, count - left, at + left), HASH_BYTES);
    return sha256(engine, concatBytes(NODE_PREFIX, pair));
  }

  return { root: fill(0, chunks, 0), chunks, parents };
}

/** For each chunk in order, how many parents stand right before it. */
export function* parentsBefore(chunks: number): Generator<number> {
  const pending = [chunks];
  for (let count = pending.pop(); count !== undefined; count = pending.pop()) {
    let parents = 0;
    while (count > 1) {
      const left = leftCount(count);
      pending.push(count - left);
      count = left;
      parents += 1;
    }
    yield parents;
  }
}

/** What a payload's tree is verified against; all of it signed. */
export interface TreeClaim {
  readonly storedBytes: number;
  readonly chunkBytes: number;
  readonly treeRoot: Uint8Array;
  /** Names the payload in errors. */
  readonly name: string;
}

/**
 * Yields the chunks of a payload, each verified before it is yielded; holds one chunk and at most 20 hashes.
 *
 * @throws OTAP_TRUNCATED, OTAP_TREE_MISMATCH, OTAP_CHUNK_MISMATCH
 */
export async function* verifiedChunks(
  reader: ByteReader,
  claim: TreeClaim,
  engine: EngineName,
): AsyncGenerator<Uint8Array, void, void> {
  const pending = [{ count: chunkCount(claim.storedBytes, claim.chunkBytes), hash: claim.treeRoot }];
  let left = claim.storedBytes;
  for (let top = pending.pop(); top !== undefined; top = pending.pop()) {
    let { count, hash } = top;
    while (count > 1) {
      const pair = await takeParent(reader, { hash, name: claim.name, engine });
      const leftSize = leftCount(count);
      pending.push({ count: count - leftSize, hash: pair.slice(HASH_BYTES) });
      hash = pair.slice(0, HASH_BYTES);
      count = leftSize;
    }
    const chunk = await takeChunk(reader, { ...claim, engine, hash, sizeBytes: Math.min(left, claim.chunkBytes) });
    left -= chunk.length;
    yield chunk;
  }
}

async function takeParent(
  reader: ByteReader,
  expected: { hash: Uint8Array; name: string; engine: EngineName },
): Promise<Uint8Array> {
  const offset = reader.offset();
  const pair = await reader.take(PARENT_BYTES, `tree of ${expected.name}`);
  if (!equalBytes(sha256(expected.engine, concatBytes(NODE_PREFIX, pair)), expected.hash)) {
    throw failure('OTAP_TREE_MISMATCH', `a tree node of ${expected.name} at byte ${offset} is not what was signed`, {
      offset,
    });
  }
  return pair;
}

async function takeChunk(
  reader: ByteReader,
  expected: { hash: Uint8Array; name: string; sizeBytes: number; engine: EngineName },
): Promise<Uint8Array> {
  const offset = reader.offset();
  const chunk = await reader.take(expected.sizeBytes, `chunks of ${expected.name}`);
  const hash = startSha256(expected.engine);
  hash.update(LEAF_PREFIX);
  hash.update(chunk);
  if (!equalBytes(hash.digest(), expected.hash)) {
    throw failure('OTAP_CHUNK_MISMATCH', `the chunk of ${expected.name} at byte ${offset} is not what was signed`, {
      offset,
    });
  }
  return chunk;
}
