/** What the Director signed, as text. */
import { warningLines } from './role-outcomes.ts';
import { count } from './text.ts';

/** What was signed, or would be. */
export interface ShownSigning {
  readonly vehicles: number;
  readonly files?: number | undefined;
  readonly signatures?: number | undefined;
  readonly threads?: number | undefined;
  readonly crossChecked?: number | undefined;
  readonly crossCheckEvery?: number | undefined;
  readonly warnings?: readonly string[] | undefined;
}

/** `director: 2000 vehicles signed: ...`. */
export function directorSignedText(signed: ShownSigning, did: { verb: string; dryRun: boolean }): string {
  return [signedLine(signed, did), ...warningLines(signed.warnings ?? [])].join('\n');
}

function signedLine(signed: ShownSigning, did: { verb: string; dryRun: boolean }): string {
  const vehicles = count(signed.vehicles, 'vehicle');
  if (did.dryRun) return `director: ${vehicles} would be ${did.verb}`;
  if (signed.vehicles === 0) return `director: nothing to be ${did.verb}`;
  const { files = 0, signatures = 0, threads = 1, crossChecked = 0, crossCheckEvery = 0 } = signed;
  const made = `${count(files, 'file')}, ${count(signatures, 'signature')} on ${count(threads, 'thread')}`;
  const checked = `each verified, ${crossChecked} by both engines (one in ${crossCheckEvery} of each key and thread)`;
  return `director: ${vehicles} ${did.verb}: ${made}, ${checked}`;
}

/** What was published, in numbers. */
export interface ShownDirectorTree {
  readonly root: number;
  readonly vehicles: number;
  readonly changed: number;
  readonly files: number;
  readonly notes: readonly string[];
}

/** The root, how many vehicles, and what to know. */
export function directorPublishedText(tree: ShownDirectorTree): string {
  const { root, vehicles, changed, files, notes } = tree;
  const counts = `${changed} of ${count(vehicles, 'vehicle')} changed, ${count(files, 'file')} written`;
  return [`published director/root ${root}: ${counts}`, ...notes.map((note) => `note: ${note}`)].join('\n');
}
