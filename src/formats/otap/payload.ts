/**
 * One payload, read: stored chunks verified against the tree, then decoded within signed bounds, then checked as an image.
 *
 * Invariants: nothing is decoded before its chunk was verified; at most one chunk, the path of its tree and the decoder's
 * signed window are held; an image is good only when its size and its SHA-256 are the signed ones.
 */
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Codec, EngineName, Zstd } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import type { ByteReader } from './byte-reader.ts';
import type { BundleImage, CodecId } from './bundle.ts';
import { verifiedChunks } from './tree.ts';
import { requireZstdFrame } from './zstd-frame.ts';

/** Takes an image's bytes in order; `bytes` is valid until it returns. */
export type ImageSink = (bytes: Uint8Array) => void | Promise<void>;

/** What reading a payload takes. */
export interface PayloadContext {
  readonly engine: EngineName;
  readonly zstd: Zstd;
  /** Told of each stored chunk that was verified, by its size. */
  readonly onChunk?: (sizeBytes: number) => void;
}

const DECODERS: Readonly<Record<CodecId, (image: BundleImage, zstd: Zstd) => Codec>> = {
  raw: () => ({ push: (bytes) => [bytes], finish: () => [], [Symbol.dispose]: () => undefined }),
  zstd: zstdDecoder,
};

/** Checks the frame's header against the manifest before the decoder sees a byte. */
function zstdDecoder(image: BundleImage, zstd: Zstd): Codec {
  const decoder = zstd.decompress({ windowBytesMax: image.windowBytes, contentSizeBytes: image.sizeBytes });
  let begun = false;
  function push(bytes: Uint8Array): Iterable<Uint8Array> {
    if (!begun) requireZstdFrame(bytes, { contentBytes: image.sizeBytes, windowBytes: image.windowBytes });
    begun = true;
    return decoder.push(bytes);
  }
  return { push, finish: () => decoder.finish(), [Symbol.dispose]: () => decoder[Symbol.dispose]() };
}

/**
 * Reads the payload of `image` from `reader` and gives its image to `sink`, chunk by chunk.
 *
 * @throws OTAP_TRUNCATED, OTAP_TREE_MISMATCH, OTAP_CHUNK_MISMATCH, OTAP_IMAGE_SIZE, OTAP_IMAGE_HASH, ZSTD_*
 */
export async function readPayload(
  reader: ByteReader,
  image: BundleImage,
  context: PayloadContext & { readonly sink?: ImageSink | undefined },
): Promise<void> {
  using decoder = DECODERS[image.codec](image, context.zstd);
  const content = imageChecker(image, context);
  for await (const chunk of verifiedChunks(reader, { ...image, name: image.target }, context.engine)) {
    await content.take(decoder.push(chunk));
    context.onChunk?.(chunk.length);
  }
  await content.take(decoder.finish());
  content.finish();
}

function imageChecker(
  image: BundleImage,
  context: { readonly engine: EngineName; readonly sink?: ImageSink | undefined },
): { take(pieces: Iterable<Uint8Array>): Promise<void>; finish(): void } {
  const hash = startSha256(context.engine);
  let sizeBytes = 0;
  async function take(pieces: Iterable<Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      sizeBytes += piece.length;
      if (sizeBytes > image.sizeBytes) throw wrongSize(image, sizeBytes);
      hash.update(piece);
      const taken = context.sink?.(piece);
      if (taken !== undefined) await taken;
    }
  }
  function finish(): void {
    if (sizeBytes !== image.sizeBytes) throw wrongSize(image, sizeBytes);
    if (!equalBytes(hash.digest(), image.sha256)) {
      throw failure('OTAP_IMAGE_HASH', `the image of ${image.target} does not have the signed SHA-256`);
    }
  }
  return { take, finish };
}

function wrongSize(image: BundleImage, found: number): Error {
  const details = { target: image.target, expected: image.sizeBytes, found };
  const message = `the image of ${image.target} is not of the signed ${image.sizeBytes} bytes`;
  return failure('OTAP_IMAGE_SIZE', message, details);
}
