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
