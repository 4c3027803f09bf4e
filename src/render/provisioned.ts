/** What `publish provisioning` wrote, as text. */
import { fingerprint } from './fingerprint.ts';
import { fields, indented } from './table.ts';
import { count, printableLine } from './text.ts';

/** Provisioning sets that were made. */
export interface ShownProvisioning {
  readonly folder: string;
  readonly imageRoot: string;
  readonly directorRoot: string | null;
  readonly vehicles: number;
  readonly written: readonly string[];
  readonly unchanged: number;
  readonly notes: readonly string[];
  readonly dryRun: boolean;
}

/** The roots by their fingerprints, how many files, and what to know. */
export function provisioningText(made: ShownProvisioning): string {
  const { imageRoot, directorRoot, vehicles, written, unchanged, notes } = made;
  const rows = fields([
    ['sets', vehicles === 0 ? 'what all vehicles have in common' : `of ${count(vehicles, 'vehicle')}`],
    ['Image root', fingerprint(imageRoot)],
    ['Director root', directorRoot === null ? '' : fingerprint(directorRoot)],
    ['files', `${written.length} written, ${unchanged} unchanged`],
  ]);
  const head = made.dryRun ? 'dry run, nothing was written: provisioning in' : 'wrote provisioning to';
  return [`${head} ${printableLine(made.folder)}`, indented(rows), ...notes.map((note) => `note: ${note}`)].join('\n');
}
