/**
 * Writing a version 2 bundle: first each payload's stored form with its tree, then the bundle in one pass over them.
 *
 * Invariant: the same manifest, signatures and stored bytes give the same file, whatever the pieces they come in.
 */
import { encodeCoseSign } from '../cose/cose-sign.ts';
import type { CoseSignature } from '../cose/cose-sign.ts';
import { encodeHeader } from './header.ts';
import type { SignedParts } from './v2.ts';
import { byteReader } from './byte-reader.ts';
import { PARENT_BYTES, parentsBefore, type Tree } from '../../crypto/tree.ts';
import type { Name } from '../../core/brands.ts';
import type { Manifest } from './bundle.ts';
import { encodeManifest } from './manifest.ts';

/** A payload as stored. */
export interface StoredPayload {
  readonly tree: Tree;
  readonly storedBytes: number;
  readonly chunkBytes: number;
  /** The stored bytes, from the start, in pieces of any size. */
  stream(): AsyncIterable<Uint8Array>;
}

/** What is to be signed for a bundle to `gateway`. */
export function signedParts(gateway: Name, manifest: Manifest): SignedParts {
  const encoded = encodeManifest(manifest);
  const ecuCount = manifest.images.reduce((sum, image) => sum + image.ecus.length, 0);
  return { header: { gateway, ecuCount, manifestBytes: encoded.length }, manifest: encoded };
}

/** The bundle up to its payloads: header, manifest, signatures; no signatures section where nobody has signed yet. */
export function encodeHead(parts: SignedParts, signatures: readonly CoseSignature[]): readonly Uint8Array[] {
  const encoded = signatures.length === 0 ? new Uint8Array() : encodeCoseSign(signatures);
  return [encodeHeader({ ...parts.header, signaturesBytes: encoded.length }), parts.manifest, encoded];
}

/** The payload as it stands in the bundle: parents before their children. Each piece is valid until the next. */
export async function* interleave(payload: StoredPayload): AsyncGenerator<Uint8Array, void, void> {
  const reader = byteReader(payload.stream());
  let parentAt = 0;
  let left = payload.storedBytes;
  for (const parents of parentsBefore(payload.tree.leafCount)) {
    if (parents > 0) {
      yield payload.tree.parents.subarray(parentAt * PARENT_BYTES, (parentAt + parents) * PARENT_BYTES);
      parentAt += parents;
    }
    const chunk = await reader.take(Math.min(left, payload.chunkBytes), 'stored payload');
    left -= chunk.length;
    yield chunk;
  }
}
