/**
 * Zstandard over `zstd-napi/binding`: streaming contexts with reused buffers, bounded in output and in window.
 *
 * Invariants: compression always uses workers and one fixed job size, so its output does not depend on how many; a decoder
 * takes one frame, never a window over the caller's, and never yields more than the content size it was given. The native
 * module is loaded at first use.
 */
import { createRequire } from 'node:module';
import type { CCtx, DCtx } from 'zstd-napi/binding.js';
import { failure, SecureevError } from '../core/errors.ts';
import type { Codec, CompressOptions, Zstd } from '../core/ports.ts';

type Binding = typeof import('zstd-napi/binding.js');

const require = createRequire(import.meta.url);
const OUTPUT_BYTES = 1024 * 1024;
/**
 * How the input is cut into jobs: part of the format's reproducibility, for other jobs give other frames. Up to level 6 small
 * ones that see nothing of each other: an eighth less work for 1 % more bytes. Above, large ones that see the window before.
 */
const SMALL_JOBS = { sizeBytes: 2 * 1024 * 1024, overlapLog: 1 } as const;
const LARGE_JOBS = { sizeBytes: 16 * 1024 * 1024, overlapLog: 9 } as const;
const SMALL_JOBS_LEVEL_MAX = 6;
const WINDOW_LOG_MIN = 10;
const WINDOW_LOG_MAX = 27;
const NOTHING = new Uint8Array(0);

/** The Zstandard of this machine. */
export function nodeZstd(): Zstd {
  return {
    get libraryVersion(): string {
      return binding().versionString();
    },
    compress,
    decompress,
  };
}

function binding(): Binding {
  const loaded: Binding = require('zstd-napi/binding.js');
  return loaded;
}

function compress(options: CompressOptions): Codec {
  const { CCtx, CParameter, EndDirective } = binding();
  const context = new CCtx();
  context.setParameter(CParameter.compressionLevel, options.level);
  context.setParameter(CParameter.nbWorkers, Math.max(1, options.workers));
  const jobs = options.level <= SMALL_JOBS_LEVEL_MAX ? SMALL_JOBS : LARGE_JOBS;
  context.setParameter(CParameter.jobSize, jobs.sizeBytes);
  context.setParameter(CParameter.overlapLog, jobs.overlapLog);
  context.setParameter(CParameter.contentSizeFlag, 1);
  context.setParameter(CParameter.checksumFlag, 0);
  context.setPledgedSrcSize(options.contentSizeBytes);
  const output = new Uint8Array(OUTPUT_BYTES);

  function* push(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length;) {
      const step = compressStep(context, { output, input: bytes.subarray(at), end: EndDirective.continue });
      at += step.consumed;
      if (step.produced > 0) yield output.subarray(0, step.produced);
    }
  }

  function* finish(): Generator<Uint8Array> {
    for (let left = 1; left > 0;) {
      const step = compressStep(context, { output, input: NOTHING, end: EndDirective.end });
      left = step.left;
      if (step.produced > 0) yield output.subarray(0, step.produced);
    }
  }

  return { push, finish, [Symbol.dispose]: () => undefined };
}

interface Step {
  readonly left: number;
  readonly produced: number;
  readonly consumed: number;
}

function compressStep(
  context: CCtx,
  step: { output: Uint8Array; input: Uint8Array; end: Parameters<CCtx['compressStream2']>[2] },
): Step {
  try {
    const [left, produced, consumed] = context.compressStream2(step.output, step.input, step.end);
    return { left, produced, consumed };
  } catch (cause) {
    const message = `zstd could not compress: ${reasonOf(cause)}`;
    throw new SecureevError('ZSTD_CONTENT_SIZE', { message, cause });
  }
}

function decompress(limits: { windowBytesMax: number; contentSizeBytes: number }): Codec {
  const { DCtx, DParameter } = binding();
  const context = new DCtx();
  context.setParameter(DParameter.windowLogMax, windowLog(limits.windowBytesMax));
  const output = new Uint8Array(Math.max(1, Math.min(OUTPUT_BYTES, limits.contentSizeBytes)));
  let left = limits.contentSizeBytes;
  let ended = false;

  function* push(bytes: Uint8Array): Generator<Uint8Array> {
    let at = 0;
    let full = false;
    while (at < bytes.length || (full && !ended)) {
      if (ended) throw failure('ZSTD_TRAILING_BYTES', 'bytes after the zstd frame');
      const step = decompressStep(context, output, bytes.subarray(at));
      at += step.consumed;
      ended = step.left === 0;
      full = step.produced === output.length;
      left -= step.produced;
      if (left < 0)
        throw failure('ZSTD_CONTENT_SIZE', `the zstd frame yields more than ${limits.contentSizeBytes} bytes`);
      if (step.produced > 0) yield output.subarray(0, step.produced);
    }
  }

  function finish(): Iterable<Uint8Array> {
    if (!ended) throw failure('ZSTD_MALFORMED', 'the zstd frame does not end');
    if (left > 0) throw failure('ZSTD_CONTENT_SIZE', `the zstd frame yields ${left} bytes less than it should`);
    return [];
  }

  return { push, finish, [Symbol.dispose]: () => undefined };
}

function decompressStep(context: DCtx, output: Uint8Array, input: Uint8Array): Step {
  try {
    const [left, produced, consumed] = context.decompressStream(output, input);
    if (produced === 0 && consumed === 0 && left !== 0 && input.length > 0) {
      throw failure('ZSTD_MALFORMED', 'the zstd frame stands still');
    }
    return { left, produced, consumed };
  } catch (cause) {
    if (cause instanceof SecureevError) throw cause;
    throw decodeFailure(cause);
  }
}

function decodeFailure(cause: unknown): SecureevError {
  const reason = reasonOf(cause);
  const code = /too much memory|memory limit|window/i.test(reason) ? 'ZSTD_WINDOW' : 'ZSTD_MALFORMED';
  return new SecureevError(code, { message: `the zstd frame does not decode: ${reason}`, cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The smallest power of two that holds `bytes`, as its exponent. */
function windowLog(bytes: number): number {
  return Math.min(WINDOW_LOG_MAX, Math.max(WINDOW_LOG_MIN, Math.ceil(Math.log2(Math.max(1, bytes)))));
}
