/** Unpacked images as text. */
import { table } from './table.ts';
import { size } from './text.ts';

/** What of an image is shown. */
export interface ShownImage {
  readonly path: string;
  readonly ecus: readonly string[];
  readonly sizeBytes: number;
}

/** The files that were written, and what stands behind them. */
export function unpackedText(images: readonly ShownImage[], verified: boolean): string {
  const rows = images.map(({ path, ecus, sizeBytes }) => [path, ecus.join(', '), size(sizeBytes)]);
  const trust = verified
    ? 'verified under the pinned root'
    : 'NOT VERIFIED: anyone could have made this bundle and these files';
  return `${table({ head: ['file', 'ECUs', 'size'], rows, right: [2] })}\n${trust}`;
}
