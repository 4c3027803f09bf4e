/** Vehicle version manifests as text. */
import { formatInstant, instantOf } from '../core/brands.ts';
import { table } from './table.ts';
import { count } from './text.ts';

const SHOWN = 20;
const DRY = 'dry run, nothing was changed: ';

/** What became of manifests that were imported. */
export interface ShownImport {
  readonly manifests: number;
  readonly accepted: number;
  readonly dropped: number;
  readonly refused: number;
  readonly problems: readonly { file: string; row: number; code: string; message: string }[];
  readonly attacks: number;
  readonly attacksTold: readonly { vin: string; attack: string }[];
  readonly unknownImages: number;
  readonly campaigns: Readonly<Record<string, number>>;
}

/** How many were taken in, and what is wrong with the others. */
export function importedManifestsText(done: ShownImport, dryRun: boolean): string {
  const { accepted, dropped, refused, unknownImages } = done;
  const head = `${dryRun ? DRY : ''}${count(done.manifests, 'manifest')}: ${accepted} accepted, ${dropped} dropped, ${refused} refused`;
  const problems = done.problems
    .slice(0, SHOWN)
    .map(({ file, row, code, message }) => [`${file}:${row}`, code, message]);
  const attacks = done.attacksTold.slice(0, SHOWN).map(({ vin, attack }) => [vin, attack]);
  const more = dropped + refused - problems.length;
  return [
    head,
    ...(problems.length === 0 ? [] : [table({ rows: problems })]),
    ...(more > 0 ? [`and ${more} more; --json lists up to 1000`] : []),
    ...(done.attacks === 0
      ? []
      : [`${count(done.attacks, 'vehicle')} with an attack reported:`, table({ rows: attacks })]),
    ...(unknownImages === 0 ? [] : [`${count(unknownImages, 'vehicle')} with an image that no target is`]),
    ...Object.entries(done.campaigns).map(([name, n]) => `campaign ${name}: installed on ${count(n, 'more vehicle')}`),
  ].join('\n');
}

/** A manifest in a list. */
export interface ShownManifest {
  readonly vin: string;
  readonly time: number;
  readonly receivedAt: number;
  readonly nonce: string;
  readonly attack: string | null;
}

/** Manifests on record. */
export function manifestsText(manifests: readonly ShownManifest[]): string {
  if (manifests.length === 0) return 'no manifests';
  const rows = manifests.map(({ vin, receivedAt, time, attack }) => [vin, at(receivedAt), at(time), attack ?? '']);
  return table({ head: ['vin', 'received', "the Primary's time", 'attack'], rows });
}

/** The same as JSON, times written out. */
export function manifestJson({ time, receivedAt, ...manifest }: ShownManifest): Readonly<Record<string, unknown>> {
  return { ...manifest, time: at(time), receivedAt: at(receivedAt) };
}

function at(seconds: number): string {
  return formatInstant(instantOf(seconds));
}
