/** Assignments of one vehicle as text. */
import { ageText } from './inventory.ts';
import { indented, table } from './table.ts';
import { count } from './text.ts';

/** What of an assignment is shown. */
export interface ShownAssignment {
  readonly ecu: string;
  readonly target: string | null;
  readonly before: string | null;
  readonly lastKnown: { readonly target: string; readonly version: string | null; readonly ageSeconds: number } | null;
  readonly downgrade: boolean;
}

/** What changed for a vehicle, with what each ECU was known to run and since when. */
export function assignedText(
  answer: {
    vin: string;
    changed: readonly ShownAssignment[];
    same: readonly string[];
    withoutEnvelope: readonly string[];
  },
  dryRun: boolean,
): string {
  const { vin, changed, same } = answer;
  const head = `${dryRun ? 'dry run, nothing was changed: ' : ''}vehicle ${vin}: ${headText(changed)}`;
  const sameText = same.length === 0 ? [] : [`nothing to do for ${same.join(', ')}: assigned or installed already`];
  if (changed.length === 0) return [head, ...sameText].join('\n');
  const rows = changed.map((one) => [
    one.ecu,
    one.target ?? 'nothing any more',
    one.before ?? 'nothing',
    `${lastKnownText(one)}${one.downgrade ? ' (DOWNGRADE)' : ''}`,
  ]);
  const body = indented(table({ head: ['ECU', 'is to install', 'was to install', 'last known'], rows }));
  const next = dryRun ? [] : ['next: sign it with `secureev sign director --key ...`'];
  const notes = answer.withoutEnvelope.map(
    (target) =>
      `note: the vehicle has no envelope of ${target}: \`secureev encrypt\` or \`secureev envelope add\` makes it`,
  );
  return [head, body, ...sameText, ...notes, ...next].join('\n');
}

function headText(changed: readonly ShownAssignment[]): string {
  const given = changed.filter(({ target }) => target !== null).length;
  const back = changed.length - given;
  if (changed.length === 0) return 'nothing changed';
  const parts = [
    ...(given === 0 ? [] : [`${count(given, 'target')} assigned`]),
    ...(back === 0 ? [] : [`${count(back, 'assignment')} taken back`]),
  ];
  return parts.join(', ');
}

function lastKnownText({ lastKnown }: ShownAssignment): string {
  if (lastKnown === null) return 'never reported';
  return `${lastKnown.version ?? lastKnown.target}, ${ageText(lastKnown.ageSeconds)} ago`;
}
