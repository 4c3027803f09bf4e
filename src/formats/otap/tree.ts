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
import { hashLeaf, hashParent, leftLeaves, PARENT_BYTES, startLeafHash, TREE_HASH_BYTES } from '../../crypto/tree.ts';
import type { ByteReader } from './byte-reader.ts';

/** Chunks of a payload of `storedBytes`. */
export function chunkCount(storedBytes: number, chunkBytes: number): number {
  return Math.ceil(storedBytes / chunkBytes);
}

/** Bytes that a payload takes in the bundle: its chunks and their parents. */
export function payloadBytes(storedBytes: number, chunkBytes: number): number {
  return storedBytes + (chunkCount(storedBytes, chunkBytes) - 1) * PARENT_BYTES;
}

/** Hashes stored bytes chunk by chunk as they come, in pieces of any size. */
export function leafHasher(engine: EngineName, chunkBytes: number): LeafHasher {
  let leaves = new Uint8Array(64 * TREE_HASH_BYTES);
  let count = 0;
  let filled = 0;
  let hash = startLeafHash(engine);

  function close(): void {
    if ((count + 1) * TREE_HASH_BYTES > leaves.length) leaves = concatBytes(leaves, new Uint8Array(leaves.length));
    leaves.set(hash.digest(), count * TREE_HASH_BYTES);
    count += 1;
    filled = 0;
  }

  function push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (filled === 0) hash = startLeafHash(engine);
      const part = bytes.subarray(at, at + chunkBytes - filled);
      hash.update(part);
      filled += part.length;
      at += part.length;
      if (filled === chunkBytes) close();
    }
  }

  function finish(): Uint8Array {
    if (filled > 0) close();
    return leaves.subarray(0, count * TREE_HASH_BYTES);
  }

  return { push, finish };
}

/** Collects the leaf hashes of a payload. */
export interface LeafHasher {
  push(bytes: Uint8Array): void;
  /** The hashes of all chunks, 32 bytes each. */
  finish(): Uint8Array;
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
      const leftSize = leftLeaves(count);
      pending.push({ count: count - leftSize, hash: pair.slice(TREE_HASH_BYTES) });
      hash = pair.slice(0, TREE_HASH_BYTES);
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
  if (!equalBytes(hashParent(expected.engine, pair), expected.hash)) {
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
  if (!equalBytes(hashLeaf(expected.engine, chunk), expected.hash)) {
    throw failure('OTAP_CHUNK_MISMATCH', `the chunk of ${expected.name} at byte ${offset} is not what was signed`, {
      offset,
    });
  }
  return chunk;
}
