/** What `backup` and `restore` did, as text. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { fields, indented } from './table.ts';
import { fingerprint } from './fingerprint.ts';
import { count, printableLine, size } from './text.ts';

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

/** A repository that came back. */
export interface ShownRestore {
  readonly folder: string;
  readonly name: string;
  readonly created: Instant;
  readonly root: string | null;
  /** Whether the root was pinned by the user. */
  readonly pinned: boolean;
  readonly objects: number;
  readonly taken: readonly { readonly role: string; readonly before: number; readonly version: number }[];
  readonly downloaded: number;
  readonly withoutBytes: readonly string[];
  readonly lostEntries: number;
  readonly directorVehicles: number | null;
  readonly timestampExpires: Instant | null;
  readonly dryRun: boolean;
}

const SHOWN = 20;

/** What came back, what was taken over, and what to know. */
export function restoreText(restored: ShownRestore, now: Instant): string {
  const { name, folder, created, taken, objects, root } = restored;
  const over = taken.slice(0, SHOWN).map(({ role, before, version }) => `${role} ${version} (${had(before)})`);
  const more = taken.length > SHOWN ? [`and ${taken.length - SHOWN} more`] : [];
  const rows = fields([
    ['made', formatInstant(created)],
    ['objects', String(objects)],
    ['root', root === null ? '' : `SHA-256 ${fingerprint(root)}`],
    ['Director', directorText(restored.directorVehicles)],
    ['taken over', taken.length === 0 ? 'nothing newer was published' : [...over, ...more].join(', ')],
  ]);
  const did = restored.dryRun ? 'dry run, nothing was kept: would restore' : 'restored';
  const head = `${did} ${printableLine(name)} to ${printableLine(folder)}\n${indented(rows)}`;
  return [head, ...notesOf(restored, now).map((note) => `note: ${note}`)].join('\n');
}

function directorText(vehicles: number | null): string {
  return vehicles === null ? '' : `files of ${count(vehicles, 'vehicle')} taken over`;
}

function had(version: number): string {
  return version === 0 ? 'not in the backup' : `${version} in the backup`;
}

function notesOf(restored: ShownRestore, now: Instant): readonly string[] {
  const { withoutBytes, lostEntries, timestampExpires, pinned, root, downloaded } = restored;
  const shown = withoutBytes.slice(0, SHOWN).join(', ');
  const more = withoutBytes.length > SHOWN ? ` and ${withoutBytes.length - SHOWN} more` : '';
  return [
    ...(pinned || root === null ? [] : ['the root is the one that the backup names; compare its fingerprint']),
    ...(downloaded === 0 ? [] : [`${count(downloaded, 'target')} came from the published tree`]),
    ...(shown === '' ? [] : [`listed, but not in this repository, and published no more from it: ${shown}${more}`]),
    ...(lostEntries === 0
      ? []
      : [`${count(lostEntries, 'entry', 'entries')} of the log are lost; \`verify log --anchor\` tells of them`]),
    ...(timestampExpires === null || timestampExpires > now
      ? []
      : ['the published Timestamp has expired: make sure that this tree is the newest that was published']),
  ];
}
