/** Kits as text. */
import type { Check } from '../core/report.ts';
import { checkList } from './checks.ts';
import { fields, indented } from './table.ts';
import { count, printableLine, size } from './text.ts';

/** A kit that was made. */
export interface ShownKit {
  readonly folder: string;
  readonly release: string | null;
  readonly vehicles: number;
  readonly targets: readonly string[];
  readonly envelopes: number;
  readonly director: number | null;
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
  readonly sizeBytes: number;
  readonly dryRun: boolean;
}

const SHOWN = 20;

/** What is in the kit. */
export function kitText(kit: ShownKit): string {
  const { targets, written, removed, unchanged, release } = kit;
  const names = [...targets.slice(0, SHOWN), ...(targets.length > SHOWN ? [`and ${targets.length - SHOWN} more`] : [])];
  const rows = fields([
    ['release', release ?? 'all that is published'],
    ['targets', names.join(', ')],
    ['vehicles', `${kit.vehicles} (${count(kit.envelopes, 'envelope')})`],
    ['Director', kit.director === null ? '' : `metadata of ${count(kit.director, 'vehicle')}`],
    ['files', `${written.length} written, ${unchanged} unchanged, ${removed.length} removed; ${size(kit.sizeBytes)}`],
  ]);
  const head = kit.dryRun ? 'dry run, nothing was written: a kit in' : 'made a kit in';
  return `${head} ${printableLine(kit.folder)}\n${indented(rows)}`;
}

/** The checks of a kit, and the sentence that matters. */
export function kitVerdictText(kit: string, checks: readonly Check[], good: boolean): string {
  return `${checkList(checks)}\n${printableLine(kit)}: ${good ? 'VERIFIED' : 'REFUSED, use nothing of it'}`;
}
