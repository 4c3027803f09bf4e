/** Columns and labelled lists in plain text. */
import { printableLine } from './text.ts';

/** A table. */
export interface Table {
  /** Headings, one per column; none are shown where this is left out. */
  readonly head?: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Indexes of columns that are aligned to the right: numbers. */
  readonly right?: readonly number[];
}

const GAP = '  ';

/** Writes a table, one line per row, columns as wide as their widest cell; control characters are escaped. */
export function table({ head, rows, right = [] }: Table): string {
  const cells = [...(head === undefined ? [] : [head]), ...rows].map((row) => row.map(printableLine));
  const widths = cells.reduce<number[]>(widest, []);
  return cells.map((row) => tableLine(row, widths, right)).join('\n');
}

/** Writes `label: value` lines with the values in one column; empty values are left out. */
export function fields(pairs: readonly (readonly [label: string, value: string])[]): string {
  const shown = pairs.filter(([, value]) => value !== '');
  return table({ rows: shown.map(([label, value]) => [`${label}:`, value]) });
}

/** Indents every line of `text` by two spaces. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function widest(widths: readonly number[], row: readonly string[]): number[] {
  const columns = Math.max(widths.length, row.length);
  return Array.from({ length: columns }, (_, i) => Math.max(widths[i] ?? 0, row[i]?.length ?? 0));
}

function tableLine(row: readonly string[], widths: readonly number[], right: readonly number[]): string {
  const padded = row.map((cell, i) =>
    right.includes(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
  );
  return padded.join(GAP).trimEnd();
}
