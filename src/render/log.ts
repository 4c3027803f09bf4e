/** The audit log as text. */
import { formatInstant } from '../core/brands.ts';
import type { AuditEntry } from '../formats/audit/entry.ts';
import { table } from './table.ts';

/** One line per entry: position, time, who, command, what changed. */
export function logText(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'no entries';
  const rows = entries.map((entry) => [
    String(entry.position),
    formatInstant(entry.time),
    entry.job === '' ? entry.actor : `${entry.actor} (${entry.job})`,
    entry.command,
    entry.summary,
  ]);
  return table({ head: ['#', 'time', 'who', 'command', 'what changed'], rows, right: [0] });
}
