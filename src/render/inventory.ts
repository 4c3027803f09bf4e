/** Inventories of vehicles as text. */
import { shortId } from './fingerprint.ts';
import { table } from './table.ts';
import { count } from './text.ts';

/** An ECU of a vehicle as it is shown. */
export interface ShownVehicleEcu {
  readonly id: string;
  readonly serial: string | null;
  readonly hardware: string;
  /** Null where the vehicle's own inventory does not list it. */
  readonly kind: 'primary' | 'secondary' | null;
  readonly keyId: string | null;
  readonly installed: { readonly version: string | null; readonly target: string; readonly reportedAt: string } | null;
  /** The age of the last report, in seconds. */
  readonly ageSeconds: number | null;
  readonly assigned: string | null;
}

/** What an import did. */
export function importedText(
  done: { file: string; added: number; changed: number; same: number },
  dryRun: boolean,
): string {
  const { file, added, changed, same } = done;
  const head = dryRun ? 'dry run, nothing was changed: ' : '';
  return `${head}${count(added + changed + same, 'vehicle')} in ${file}: ${added} added, ${changed} changed, ${same} same`;
}

/** The ECUs of a vehicle. */
export function vehicleEcusText(ecus: readonly ShownVehicleEcu[]): string {
  if (ecus.length === 0) return 'no ECUs';
  const rows = ecus.map((ecu) => [
    ecu.id,
    ecu.serial ?? '',
    ecu.hardware,
    ecu.kind ?? '',
    ecu.keyId === null ? '' : shortId(ecu.keyId),
    installedText(ecu),
    ecu.assigned ?? '',
  ]);
  return table({ head: ['ECU', 'serial', 'hardware', 'kind', 'key', 'last known', 'assigned'], rows });
}

function installedText({ installed, ageSeconds }: ShownVehicleEcu): string {
  if (installed === null) return 'never reported';
  return `${installed.version ?? installed.target}, ${ageText(ageSeconds ?? 0)} ago`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

/** An age in its largest unit, e.g. `3 d`. */
export function ageText(seconds: number): string {
  const [unit, size] = UNITS.find(([, one]) => seconds >= one) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}
