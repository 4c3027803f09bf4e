/**
 * From an image to its stored form, in one pass over pieces: compressed, and hashed as an image, as chunks and as a tree.
 *
 * Invariant: the same image, codec, level and chunk size give the same stored bytes, however the image is cut into pieces.
 */
import { failure } from '../../core/errors.ts';
import type { Codec, EngineName, Zstd } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import type { BundleImage, CodecId } from './bundle.ts';
import { OTAP_LIMITS } from './bundle.ts';
import { buildTree, type Tree } from '../../crypto/tree.ts';
import { leafHasher } from './tree.ts';
import { parseZstdFrame } from './zstd-frame.ts';

/** How to store an image. */
export interface EncoderOptions {
  readonly engine: EngineName;
  readonly zstd: Zstd;
  readonly codec: CodecId;
  /** Zstandard level, 1 to 19. */
  readonly level: number;
  readonly workers: number;
  /** Exact size of the image, in bytes. */
  readonly sizeBytes: number;
  readonly chunkBytes: number;
}

/** What an image turned out to be. */
export interface EncodedImage extends Pick<
  BundleImage,
  'sizeBytes' | 'sha256' | 'codec' | 'storedBytes' | 'windowBytes' | 'chunkBytes'
> {
  readonly tree: Tree;
}

/** Takes an image piece by piece. What it yields is valid until the next call. */
export interface ImageEncoder extends Disposable {
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  finish(): Iterable<Uint8Array>;
  /** After `finish` has been read to its end. @throws IMAGE_EMPTY, IMAGE_CHANGED, OTAP_TOO_LARGE */
  result(): EncodedImage;
}

/** Enough for the longest zstd frame header. */
const FRAME_HEADER_BYTES = 18;

const ENCODERS: Readonly<Record<CodecId, (options: EncoderOptions) => Codec>> = {
  raw: () => ({ push: (bytes) => [bytes], finish: () => [], [Symbol.dispose]: () => undefined }),
  zstd: ({ zstd, level, workers, sizeBytes }) => zstd.compress({ level, workers, contentSizeBytes: sizeBytes }),
};

/** Starts to encode one image. */
export function imageEncoder(options: EncoderOptions): ImageEncoder {
  const codec = ENCODERS[options.codec](options);
  const stored = storedWatcher(options);
  const hash = startSha256(options.engine);
  let sizeBytes = 0;

  // The compressor's workers run while this thread hashes: so compress first.
  function* push(bytes: Uint8Array): Generator<Uint8Array> {
    yield* stored.watch(codec.push(bytes));
    hash.update(bytes);
    sizeBytes += bytes.length;
  }

  function result(): EncodedImage {
    requireSize(sizeBytes, options);
    const { chunkBytes } = options;
    return { sizeBytes, sha256: hash.digest(), codec: options.codec, chunkBytes, ...stored.result() };
  }

  return {
    push,
    result,
    finish: () => stored.watch(codec.finish()),
    [Symbol.dispose]: () => codec[Symbol.dispose](),
  };
}

function requireSize(sizeBytes: number, { sizeBytes: expected }: EncoderOptions): void {
  if (sizeBytes === 0) throw failure('IMAGE_EMPTY', 'the image is empty');
  if (sizeBytes === expected) return;
  const message = `the image has ${sizeBytes} bytes and had ${expected}: it was changed while it was read`;
  throw failure('IMAGE_CHANGED', message, { expected, found: sizeBytes });
}

interface StoredWatcher {
  watch(pieces: Iterable<Uint8Array>): Generator<Uint8Array>;
  result(): Pick<EncodedImage, 'storedBytes' | 'windowBytes' | 'tree'>;
}

/** Sees every stored piece pass. */
function storedWatcher(options: EncoderOptions): StoredWatcher {
  const leaves = leafHasher(options.engine, options.chunkBytes);
  const head: number[] = [];
  let storedBytes = 0;
  function* watch(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
    for (const piece of pieces) {
      storedBytes += piece.length;
      if (storedBytes > options.chunkBytes * OTAP_LIMITS.chunksPerPayload) throw tooManyChunks(options);
      if (head.length < FRAME_HEADER_BYTES) head.push(...piece.subarray(0, FRAME_HEADER_BYTES - head.length));
      leaves.push(piece);
      yield piece;
    }
  }
  function result(): Pick<EncodedImage, 'storedBytes' | 'windowBytes' | 'tree'> {
    const windowBytes = options.codec === 'zstd' ? parseZstdFrame(Uint8Array.from(head)).windowBytes : 0;
    return { storedBytes, windowBytes, tree: buildTree(options.engine, leaves.finish()) };
  }
  return { watch, result };
}

function tooManyChunks({ chunkBytes }: EncoderOptions): Error {
  const message = `the image takes more than 2^20 chunks of ${chunkBytes} bytes`;
  return failure('OTAP_TOO_LARGE', message, { chunkBytes });
}
