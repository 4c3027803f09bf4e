/** One image into its stored form on scratch space: read once, hashed and compressed on the way. */
import type { Io, ScratchFile } from '../../core/ports.ts';
import type { CodecId } from '../../formats/otap/bundle.ts';
import { imageEncoder } from '../../formats/otap/image-encoder.ts';
import type { EncodedImage } from '../../formats/otap/image-encoder.ts';
import type { StoredPayload } from '../../formats/otap/writer.ts';
import { blockWriter } from './block-writer.ts';

/** How images are stored. */
export interface StorageOptions {
  readonly codec: CodecId;
  /** Zstandard level, 1 to 19. */
  readonly level: number;
  readonly chunkBytes: number;
  /** Ends the work at its next block. */
  readonly signal: AbortSignal;
  /** Where scratch space is made. */
  readonly scratchFolder: string;
}

/** Compressor threads; the output does not depend on their number. */
const WORKERS = 2;

/** An image ready to be written into bundles; disposing it frees the scratch space. */
export interface StoredImage extends AsyncDisposable {
  readonly encoded: EncodedImage;
  /** The stored bytes; after the `last` use nothing is left of them. */
  payload(use: { last: boolean }): StoredPayload;
}

/**
 * Encodes the file at `path`; one that does not become smaller is stored raw.
 *
 * @throws FILE_NOT_FOUND, FILE_ACCESS, DISK_FULL, IMAGE_EMPTY, IMAGE_CHANGED, OTAP_TOO_LARGE, INTERRUPTED
 */
export async function storeImage(io: Io, path: string, options: StorageOptions): Promise<StoredImage> {
  const stored = await encode(io, path, options);
  if (stored.encoded.codec === 'raw' || stored.encoded.storedBytes < stored.encoded.sizeBytes) return stored;
  await stored[Symbol.asyncDispose]();
  return encode(io, path, { ...options, codec: 'raw' });
}

async function encode(io: Io, path: string, options: StorageOptions): Promise<StoredImage> {
  const scratch = await io.files.scratch(options.scratchFolder);
  try {
    const encoded = await encodeInto(io, scratch, { ...options, path });
    const { tree, storedBytes, chunkBytes } = encoded;
    return {
      encoded,
      payload: ({ last }) => ({
        tree,
        storedBytes,
        chunkBytes,
        stream: () => (last ? scratch.consume() : scratch.stream()),
      }),
      [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
    };
  } catch (thrown) {
    await scratch[Symbol.asyncDispose]();
    throw thrown;
  }
}

async function encodeInto(
  io: Io,
  scratch: ScratchFile,
  { path, codec, level, chunkBytes, signal }: StorageOptions & { path: string },
): Promise<EncodedImage> {
  await using input = await io.files.open(path);
  const { engine, zstd } = io;
  const { sizeBytes } = input;
  using encoder = imageEncoder({ engine, zstd, codec, level, workers: WORKERS, sizeBytes, chunkBytes });
  const task = io.progress.start(`compressing ${path}`, sizeBytes, 'bytes');
  const writer = blockWriter(io.files, { expectedBytes: sizeBytes, write: (bytes) => scratch.write(bytes) });
  for await (const block of input.stream({ reuse: true })) {
    signal.throwIfAborted();
    for (const piece of encoder.push(block)) await writer.push(piece);
    task.advance(block.length);
  }
  for (const piece of encoder.finish()) await writer.push(piece);
  await writer.finish();
  task.done();
  return encoder.result();
}
