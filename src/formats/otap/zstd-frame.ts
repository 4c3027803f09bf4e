/**
 * The header of a Zstandard frame, parsed by us before any decoder sees the frame (RFC 8878 section 3.1.1.1).
 *
 * Attacker-controlled input. Invariant: a frame is accepted only as ours are written: a plain frame, no dictionary, the
 * content size and the window the signed ones.
 */
import { failure } from '../../core/errors.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MASK = 0xfffffff0;
const SKIPPABLE = 0x184d2a50;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/** What a frame header says. */
export interface ZstdFrame {
  /** Bytes that a decoder must keep. */
  readonly windowBytes: number;
  /** Size of the decompressed content. */
  readonly contentBytes: number;
}

/**
 * Parses the header of the frame that `bytes` begins with.
 *
 * @throws ZSTD_MALFORMED, ZSTD_SKIPPABLE_FRAME, ZSTD_DICTIONARY, ZSTD_CONTENT_SIZE when the size is not given
 */
export function parseZstdFrame(bytes: Uint8Array): ZstdFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const descriptor = parseDescriptor(view);
  if (DICTIONARY_BYTES[descriptor & 3] !== 0) {
    throw failure('ZSTD_DICTIONARY', 'the zstd frame names a dictionary');
  }
  const singleSegment = (descriptor & 0x20) !== 0;
  const at = singleSegment ? 5 : 6;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && singleSegment ? 1 : CONTENT_SIZE_BYTES[sizeFlag];
  if (sizeBytes === undefined || sizeBytes === 0) {
    throw failure('ZSTD_CONTENT_SIZE', 'the zstd frame does not give its content size');
  }
  if (view.byteLength < at + sizeBytes) throw failure('ZSTD_MALFORMED', 'the zstd frame ends inside its header');
  const contentBytes = readContentSize(view, at, sizeBytes);
  return { contentBytes, windowBytes: singleSegment ? contentBytes : windowOf(view.getUint8(5)) };
}

/** Bytes that can be read from anywhere. */
interface Bytes {
  read(offset: number, length: number): Promise<Uint8Array>;
}

const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
/** What a block may hold at most. @see RFC 8878 section 3.1.1.2.4 */
const BLOCK_BYTES_MAX = 128 * 1024;
/** How much is read at a time to walk over blocks. */
const WALK_BYTES = 64 * 1024;

/**
 * The length of the zstd frame that begins at `offset`, found by walking over its blocks' headers, without decoding any;
 * undefined where there is no whole frame, one with a dictionary, or one longer than a frame of so much content ever is.
 */
export async function frameBytes(
  file: Bytes,
  { offset, contentBytes }: { readonly offset: number; readonly contentBytes: number },
): Promise<number | undefined> {
  const head = await file.read(offset, HEADER_BYTES_MAX);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.byteLength < 6 || view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  if ((descriptor & 0x18) !== 0 || (descriptor & 3) !== 0) return undefined;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 && singleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeFlag] ?? 0);
  const blocks = await blocksEnd(file, {
    start: offset + (singleSegment ? 5 : 6) + sizeBytes,
    last: offset + contentBytes + Math.ceil(contentBytes / 128) + FRAME_OVERHEAD_BYTES,
  });
  if (blocks === undefined) return undefined;
  const end = blocks + ((descriptor & 0x04) === 0 ? 0 : CHECKSUM_BYTES);
  return (await file.read(end - 1, 1)).length === 1 ? end - offset : undefined;
}

const HEADER_BYTES_MAX = 18;
/** Above what a compressor adds to content that it cannot compress. */
const FRAME_OVERHEAD_BYTES = 1024;

/** Where the last block that follows from `start` ends; undefined beyond `last`. */
async function blocksEnd(
  file: Bytes,
  { start, last }: { readonly start: number; readonly last: number },
): Promise<number | undefined> {
  let at = start;
  let known = { from: at, bytes: await file.read(at, WALK_BYTES) };
  while (at <= last) {
    if (at - known.from + BLOCK_HEADER_BYTES > known.bytes.length)
      known = { from: at, bytes: await file.read(at, WALK_BYTES) };
    const [low, middle, high] = known.bytes.subarray(at - known.from);
    if (low === undefined || middle === undefined || high === undefined) return undefined;
    const type = (low >> 1) & 3;
    const size = (low >> 3) | (middle << 5) | (high << 13);
    if (type === RESERVED_BLOCK || size > BLOCK_BYTES_MAX) return undefined;
    at += BLOCK_HEADER_BYTES + (type === RLE_BLOCK ? 1 : size);
    if ((low & 1) === 1) return at;
  }
  return undefined;
}

function parseDescriptor(view: DataView): number {
  if (view.byteLength < 6) throw failure('ZSTD_MALFORMED', 'the zstd frame ends inside its header');
  const magic = view.getUint32(0, true);
  if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE) {
    throw failure('ZSTD_SKIPPABLE_FRAME', 'the payload begins with a skippable zstd frame');
  }
  if (magic !== MAGIC) throw failure('ZSTD_MALFORMED', 'the payload is not a zstd frame');
  const descriptor = view.getUint8(4);
  if ((descriptor & 0x18) !== 0) throw failure('ZSTD_MALFORMED', 'the zstd frame header has reserved bits set');
  return descriptor;
}

function readContentSize(view: DataView, at: number, sizeBytes: 1 | 2 | 4 | 8): number {
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  return sizeBytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/**
 * Requires the frame at the beginning of `bytes` to be as signed.
 *
 * @throws ZSTD_WINDOW, ZSTD_CONTENT_SIZE and those of {@link parseZstdFrame}
 */
export function requireZstdFrame(bytes: Uint8Array, signed: ZstdFrame): void {
  const frame = parseZstdFrame(bytes);
  if (frame.contentBytes !== signed.contentBytes) {
    const message = `the zstd frame promises ${frame.contentBytes} bytes, ${signed.contentBytes} are signed`;
    throw failure('ZSTD_CONTENT_SIZE', message, { found: frame.contentBytes, expected: signed.contentBytes });
  }
  if (frame.windowBytes !== signed.windowBytes) {
    const message = `the zstd frame wants a window of ${frame.windowBytes} bytes, ${signed.windowBytes} are signed`;
    throw failure('ZSTD_WINDOW', message, { found: frame.windowBytes, expected: signed.windowBytes });
  }
}
