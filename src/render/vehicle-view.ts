/** The verdict on a vehicle's view as text: the checks, what goes on which ECU, and the sentence that matters. */
import type { Check } from '../core/report.ts';
import { checkList } from './checks.ts';
import { table } from './table.ts';
import { printableLine } from './text.ts';

/** What a vehicle is to install, and whether that was believed. */
export interface VehicleVerdictFacts {
  readonly checks: readonly Check[];
  readonly refusal: unknown;
  readonly vin: string;
  readonly unchanged: boolean;
  readonly entries: readonly {
    readonly name: string;
    readonly ecus: ReadonlyMap<string, string>;
    readonly encrypted: { readonly name: string } | undefined;
  }[];
}

/** The text of a verdict. */
export function vehicleVerdictText({ checks, refusal, vin, unchanged, entries }: VehicleVerdictFacts): string {
  const isGood = refusal === undefined;
  const rows = entries.flatMap(({ name, ecus, encrypted }) =>
    [...ecus].map(([ecu, hardware]) => [ecu, hardware, name, encrypted === undefined ? 'clear' : 'sealed']),
  );
  const images = isGood && rows.length > 0 ? `\n${table({ head: ['ECU', 'hardware', 'image', 'as'], rows })}` : '';
  const nothing = isGood && unchanged ? ' (nothing new)' : '';
  const sentence = isGood ? `VERIFIED${nothing}` : 'REFUSED, install nothing of it';
  return `${checkList(checks)}${images}\n${printableLine(vin)}: ${sentence}`;
}
