/**
 * Manifests as JSON lines: one manifest a line.
 *
 * Invariant: memory holds one line of at most {@link MANIFEST_LIMITS}.bytesMax; a longer one is passed over, and told.
 */
import { concatBytes } from '../../core/bytes.ts';
import { MANIFEST_LIMITS } from './manifest.ts';

/** A line that is not blank; `bytes` is undefined where it is too long. */
export interface ManifestLine {
  /** From 1. */
  readonly row: number;
  readonly bytes: Uint8Array | undefined;
}

const LINE_FEED = 0x0a;

/** The lines of a file, as many at a time as a chunk completes. */
export async function* manifestLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly ManifestLine[]> {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let row = 1;
  const keep = (piece: Uint8Array): void => {
    held += piece.length;
    if (held > MANIFEST_LIMITS.bytesMax) pieces = [];
    else pieces.push(piece.slice());
  };
  const close = (): readonly ManifestLine[] => {
    const bytes = held > MANIFEST_LIMITS.bytesMax ? undefined : concatBytes(...pieces);
    const line = { row, bytes };
    [pieces, held, row] = [[], 0, row + 1];
    return bytes?.every(isBlank) === true ? [] : [line];
  };
  for await (const chunk of chunks) {
    const lines: ManifestLine[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      keep(chunk.subarray(from, end));
      lines.push(...close());
      from = end + 1;
    }
    keep(chunk.subarray(from));
    yield lines;
  }
  yield close();
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}
