/** Deliveries of suppliers as text. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { shortId } from './fingerprint.ts';
import { fields, indented, table } from './table.ts';
import { count, size } from './text.ts';

const DRY = 'dry run, nothing was written: ';
const SHOWN = 50;

/** A delivery that was made. */
export interface ShownDelivery {
  readonly role: string;
  readonly version: number;
  readonly expires: Instant;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly targets: number;
  readonly signedBy: readonly string[];
  readonly sizeBytes: number;
}

/** What a supplier made and signed. */
export function createdDeliveryText(made: ShownDelivery, { out, dryRun }: { out: string; dryRun: boolean }): string {
  const { role, version, expires, added, removed, targets, signedBy, sizeBytes } = made;
  const head = `${dryRun ? DRY : ''}${role} ${version}: ${count(targets, 'target')}, ${added.length} new, ${removed.length} removed`;
  const facts = fields([
    ['expires', formatInstant(expires)],
    ['signed by', signedBy.join(', ')],
    ['file', dryRun ? '' : `${out} (${size(sizeBytes)})`],
  ]);
  const lines = [...added.map((name) => `+ ${name}`), ...removed.map((name) => `- ${name}`)];
  return [head, indented(facts), ...shortened(lines)].join('\n');
}

/** A delivery that was taken in. */
export interface ShownImportedDelivery {
  readonly role: string;
  readonly version: number;
  readonly before: number;
  readonly expires: Instant;
  readonly signedBy: readonly string[];
  readonly targets: readonly {
    readonly name: string;
    readonly length: number;
    readonly sha256: string;
    readonly version: string | null;
    readonly releaseCounter: number | null;
  }[];
  readonly removed: readonly string[];
}

/** What was taken in, and what is to be signed now. */
export function importedDeliveryText(taken: ShownImportedDelivery, dryRun: boolean): string {
  const { role, version, before, expires, signedBy, targets, removed } = taken;
  const head = `${dryRun ? 'dry run, nothing was changed: ' : ''}${role} ${version} taken in, after ${before === 0 ? 'none' : before}`;
  const facts = fields([
    ['expires', formatInstant(expires)],
    ['signed by', signedBy.map(shortId).join(', ')],
  ]);
  const rows = targets
    .slice(0, SHOWN)
    .map((one) => [
      one.name,
      one.version ?? '',
      String(one.releaseCounter ?? ''),
      size(one.length),
      shortId(one.sha256),
    ]);
  const listed = rows.length === 0 ? [] : [table({ head: ['target', 'version', 'counter', 'size', 'sha256'], rows })];
  const more = targets.length > SHOWN ? [`and ${targets.length - SHOWN} more`] : [];
  const gone = shortened(removed.map((name) => `- ${name}`));
  return [head, indented(facts), ...listed, ...more, ...gone, 'next: `secureev sign snapshot timestamp`'].join('\n');
}

function shortened(lines: readonly string[]): readonly string[] {
  return lines.length <= SHOWN ? lines : [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`];
}
