/** What `backup` and `restore` did, as text. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { fields, indented } from './table.ts';
import { printableLine, size } from './text.ts';

/** A backup that was made. */
export interface ShownBackup {
  readonly file: string;
  readonly name: string;
  readonly created: Instant;
  readonly sizeBytes: number;
  readonly sha256: string | null;
  readonly databaseBytes: number;
  readonly objects: number;
  readonly dryRun: boolean;
}

/** What is in the file. */
export function backupText(made: ShownBackup): string {
  const rows = fields([
    ['made', formatInstant(made.created)],
    ['database', size(made.databaseBytes)],
    ['objects', String(made.objects)],
    ['sha256', made.sha256 ?? ''],
  ]);
  const what = `${printableLine(made.name)} in ${printableLine(made.file)}`;
  if (made.dryRun) return `dry run, nothing was written: ${what}\n${indented(rows)}`;
  return `backed up ${what} (${size(made.sizeBytes)})\n${indented(rows)}`;
}
