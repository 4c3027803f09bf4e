/** The forms of inventory files; a new one is one file and one line here. */
import { csvVehicles } from './csv.ts';
import { jsonLineVehicles } from './json-lines.ts';
import type { InventoryVehicle } from './vehicle.ts';

/** A form of inventory file. */
export interface InventoryFormat {
  readonly id: string;
  /** The endings of file names that have this form. */
  readonly endings: readonly string[];
  /** @throws INVENTORY_MALFORMED, INVENTORY_TOO_LARGE, INVENTORY_TWO_PRIMARIES, INVENTORY_VIN_TWICE */
  vehicles(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly InventoryVehicle[]>;
}

const csv: InventoryFormat = { id: 'csv', endings: ['.csv'], vehicles: csvVehicles };
const jsonl: InventoryFormat = { id: 'jsonl', endings: ['.jsonl', '.ndjson'], vehicles: jsonLineVehicles };

/** All of them. */
export const INVENTORY_FORMATS: readonly InventoryFormat[] = [csv, jsonl];
