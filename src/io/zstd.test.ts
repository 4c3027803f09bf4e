import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Codec } from '../core/ports.ts';
import { nodeZstd } from './zstd.ts';

const zstd = nodeZstd();

/** Text of a small language: compresses, but not to nothing. */
function text(sizeBytes: number): Uint8Array {
  let state = 7;
  return Uint8Array.from({ length: sizeBytes }, (_, i) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return i % 3 === 0 ? state >>> 28 : 0x41 + (i % 19);
  });
}

/** Everything that a codec yields, copied as it comes. */
function run(codec: Codec, input: Uint8Array, pieceBytes = input.length): Uint8Array {
  const out: Uint8Array[] = [];
  for (let at = 0; at < input.length; at += pieceBytes) {
    for (const piece of codec.push(input.subarray(at, at + pieceBytes))) out.push(piece.slice());
  }
  for (const piece of codec.finish()) out.push(piece.slice());
  codec[Symbol.dispose]();
  return concatBytes(...out);
}

function compress(
  bytes: Uint8Array,
  options: { level?: number; workers?: number; pieceBytes?: number } = {},
): Uint8Array {
  const { level = 3, workers = 2, pieceBytes } = options;
  return run(zstd.compress({ level, workers, contentSizeBytes: bytes.length }), bytes, pieceBytes);
}

function decompress(frame: Uint8Array, limits: { window?: number; size: number; pieceBytes?: number }): Uint8Array {
  const { window = 8 << 20, size, pieceBytes } = limits;
  return run(zstd.decompress({ windowBytesMax: window, contentSizeBytes: size }), frame, pieceBytes);
}

function codeOf(work: () => unknown): ErrorCode | 'none' {
  try {
    work();
    return 'none';
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    return thrown.code;
  }
}

describe('zstd', () => {
  it('names its library', () => {
    expect(zstd.libraryVersion).toMatch(/^1\.\d+\.\d+$/);
  });

  it('gives back what it took, at every level, in pieces of any size', () => {
    const bytes = text(300_000);
    for (const level of [1, 3, 9, 19]) {
      const frame = compress(bytes, { level });
      expect(frame.length).toBeLessThan(bytes.length / 2);
      expect(equalBytes(decompress(frame, { size: bytes.length, pieceBytes: 1000 }), bytes)).toBe(true);
    }
    expect(decompress(compress(bytes), { size: bytes.length, pieceBytes: 1 })).toEqual(bytes);
  });

  it('writes the same frame for any number of workers and any pieces', () => {
    const bytes = text(10_000_000);
    const frame = compress(bytes);
    for (const variant of [{ workers: 1 }, { workers: 3 }, { pieceBytes: 99_991 }, { workers: 0 }]) {
      expect(equalBytes(compress(bytes, variant), frame)).toBe(true);
    }
  });

  it('yields in pieces of at most 1 MiB, whatever a small input expands to', () => {
    const bytes = new Uint8Array(20_000_000);
    const frame = compress(bytes);
    expect(frame.length).toBeLessThan(10_000);
    const decoder = zstd.decompress({ windowBytesMax: 8 << 20, contentSizeBytes: bytes.length });
    let total = 0;
    for (const piece of decoder.push(frame)) {
      expect(piece.length).toBeLessThanOrEqual(1 << 20);
      total += piece.length;
    }
    expect(total).toBe(bytes.length);
  });

  it('stops a bomb at the size that it was given', () => {
    const frame = compress(new Uint8Array(50_000_000));
    const decoder = zstd.decompress({ windowBytesMax: 8 << 20, contentSizeBytes: 1000 });
    let total = 0;
    const code = codeOf(() => {
      for (const piece of decoder.push(frame)) total += piece.length;
    });
    expect([code, total]).toEqual(['ZSTD_CONTENT_SIZE', 1000]);
  });

  it('refuses a window over the limit, a second frame, trailing bytes, an early end, a size that is short, other bytes', () => {
    const bytes = text(3_000_000);
    const frame = compress(bytes);
    const size = bytes.length;
    expect(codeOf(() => decompress(frame, { size, window: 1 << 20 }))).toBe('ZSTD_WINDOW');
    expect(codeOf(() => decompress(concatBytes(frame, frame), { size }))).toBe('ZSTD_TRAILING_BYTES');
    expect(codeOf(() => decompress(concatBytes(frame, Uint8Array.of(1)), { size }))).toBe('ZSTD_TRAILING_BYTES');
    expect(codeOf(() => decompress(frame.slice(0, -1), { size }))).toBe('ZSTD_MALFORMED');
    expect(codeOf(() => decompress(frame, { size: size + 1 }))).toBe('ZSTD_CONTENT_SIZE');
    expect(codeOf(() => decompress(text(1000), { size: 1000 }))).toBe('ZSTD_MALFORMED');
  });

  it('refuses to compress another size than was announced', () => {
    const codec = zstd.compress({ level: 3, workers: 2, contentSizeBytes: 10 });
    expect(codeOf(() => run(codec, text(9)))).toBe('ZSTD_CONTENT_SIZE');
  });
});
