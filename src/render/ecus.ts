/** The ECU registry as text. */
import { table } from './table.ts';
import { count } from './text.ts';

/** What of a gateway is shown. */
export interface ShownGateway {
  readonly model: string;
  readonly id: string;
  readonly name: string;
  readonly ecus: readonly ShownEcu[];
}

/** What of an ECU is shown. */
export interface ShownEcu {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly hardware: string;
  readonly currentVersion: string;
}

/** A table of ECUs, by model and gateway. */
export function ecusText(gateways: readonly ShownGateway[]): string {
  if (gateways.length === 0) return 'no ECUs';
  const rows = gateways.flatMap(({ model, id, ecus }) =>
    ecus.map((ecu) => [model, id, ecu.id, ecu.name, ecu.type, ecu.hardware, ecu.currentVersion]),
  );
  return table({ head: ['model', 'gateway', 'ECU', 'name', 'type', 'hardware', 'version'], rows });
}

/** What an import did. */
export function ecuImportText(done: {
  readonly model: string;
  readonly gateways: number;
  readonly ecus: number;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly same: number;
}): string {
  const { added, changed, removed, same } = done;
  const counts = Object.entries({ added, changed, removed, same }).filter(([, n]) => n > 0);
  const what = `${count(done.gateways, 'gateway')} and ${count(done.ecus, 'ECU')}`;
  return `model ${done.model}: ${what}: ${counts.map(([name, n]) => `${n} ${name}`).join(', ')}`;
}
