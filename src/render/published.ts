/** What `publish` wrote, as text. */
import { indented } from './table.ts';
import { count } from './text.ts';

/** What was published. */
export interface ShownPublication {
  /** Role -> version of the tree now. */
  readonly versions: Readonly<Record<string, number>>;
  /** Paths within the tree in the order in which they were written. */
  readonly written: readonly string[];
  readonly unchanged: number;
  readonly notes: readonly string[];
}

const SHOWN = 20;

/** The versions, what was written, and what to know. */
export function publishedText(published: ShownPublication): string {
  const { versions, written, unchanged, notes } = published;
  const roles = Object.entries(versions)
    .map(([role, version]) => `${role} ${version}`)
    .join(', ');
  const more = written.length > SHOWN ? [`... and ${written.length - SHOWN} more`] : [];
  const files = [...written.slice(0, SHOWN), ...more];
  const counts = `${count(written.length, 'file')} written, ${unchanged} unchanged`;
  const lines = [`published ${roles}: ${counts}`, ...(files.length === 0 ? [] : [indented(files.join('\n'))])];
  return [...lines, ...notes.map((note) => `note: ${note}`)].join('\n');
}
