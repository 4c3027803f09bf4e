/**
 * A vehicle as an inventory file has it, whatever the file's form.
 *
 * Invariants: values are parsed; a problem is told with its row (from 1, the header included) and column.
 *
 * @see FORMAT.md
 */
import { parseName } from '../../core/brands.ts';
import type { Name, Vin } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import type { ErrorCode, SecureevError } from '../../core/errors.ts';

/** The most ECUs of one vehicle. */
export const VEHICLE_ECUS_MAX = 1024;

/** Longest text that stands for a key, in characters: a path, or SPKI in base64. */
export const KEY_TEXT_MAX = 8192;

/** What an ECU is in its vehicle. */
export type EcuKind = 'primary' | 'secondary';

/** An ECU or gateway of a vehicle. */
export interface InventoryEcu {
  /** The model's id of it. */
  readonly id: Name;
  readonly serial: Name | undefined;
  /** The registry's where it is left out. */
  readonly hardware: Name | undefined;
  readonly kind: EcuKind;
  /** Its public key: a path below the file's folder, or SPKI in base64. */
  readonly key: string | undefined;
  readonly row: number;
  /** How the file says where, e.g. `ecus[2].` before a column. */
  readonly within: string;
}

/** A vehicle of the file. */
export interface InventoryVehicle {
  readonly row: number;
  readonly vin: Vin;
  readonly model: Name;
  /** As {@link InventoryEcu.key}. */
  readonly encryptionKey: string | undefined;
  /** All its ECUs; undefined where the file says nothing of them. */
  readonly ecus: readonly InventoryEcu[] | undefined;
}

/** Where in the file. */
export interface InventoryPlace {
  readonly row: number;
  readonly column: string;
}

/** The error `code` at a row and column; row 0 is that of a flag, which `column` names. */
export function inventoryFailure(code: ErrorCode, { row, column }: InventoryPlace, text: string): SecureevError {
  const where = row === 0 ? column : `row ${row}, column ${column}`;
  return failure(code, `${where}: ${text}`, { row, column });
}

/** Runs a parse function; its refusal becomes one with a place. @throws INVENTORY_MALFORMED */
export function parsedAt<T>(place: InventoryPlace, text: string, parse: (text: string) => T): T {
  try {
    return parse(text);
  } catch (cause) {
    throw inventoryFailure('INVENTORY_MALFORMED', place, cause instanceof Error ? cause.message : 'malformed');
  }
}

/** An ECU as text. */
export interface EcuText {
  readonly ecu: string;
  readonly serial: string;
  readonly hardware: string;
  readonly kind: string;
  readonly key: string;
}

/** Parses an ECU; an empty text stands for nothing. @throws INVENTORY_MALFORMED */
export function inventoryEcu(text: EcuText, { row, within }: { row: number; within: string }): InventoryEcu {
  const name = (column: 'ecu' | 'serial' | 'hardware'): Name =>
    parsedAt({ row, column: within + column }, text[column], (value) => parseName(value));
  return {
    id: name('ecu'),
    serial: text.serial === '' ? undefined : name('serial'),
    hardware: text.hardware === '' ? undefined : name('hardware'),
    kind: kindOf(text.kind, { row, column: `${within}kind` }),
    key: keyText(text.key, { row, column: `${within}key` }),
    row,
    within,
  };
}

/** The text of a key, where there is one. @throws INVENTORY_MALFORMED */
export function keyText(text: string, place: InventoryPlace): string | undefined {
  if (text.length > KEY_TEXT_MAX) {
    throw inventoryFailure('INVENTORY_MALFORMED', place, `longer than ${KEY_TEXT_MAX} characters`);
  }
  return text === '' ? undefined : text;
}

function kindOf(text: string, place: InventoryPlace): EcuKind {
  if (text === '' || text === 'secondary') return 'secondary';
  if (text === 'primary') return 'primary';
  throw inventoryFailure('INVENTORY_MALFORMED', place, 'neither primary nor secondary');
}

/** Demands that an ECU is there once and that at most one is the Primary. @throws INVENTORY_MALFORMED, INVENTORY_TWO_PRIMARIES */
export function requireFitting(ecus: readonly InventoryEcu[]): void {
  const seen = new Set<string>();
  let primary: InventoryEcu | undefined;
  for (const ecu of ecus) {
    const place = { row: ecu.row, column: `${ecu.within}ecu` };
    if (seen.has(ecu.id))
      throw inventoryFailure('INVENTORY_MALFORMED', place, `ECU ${ecu.id} of this vehicle is there twice`);
    if (seen.size === VEHICLE_ECUS_MAX) {
      throw inventoryFailure('INVENTORY_MALFORMED', place, `more than ${VEHICLE_ECUS_MAX} ECUs of one vehicle`);
    }
    seen.add(ecu.id);
    if (ecu.kind === 'secondary') continue;
    if (primary !== undefined) {
      const at = { row: ecu.row, column: `${ecu.within}kind` };
      throw inventoryFailure('INVENTORY_TWO_PRIMARIES', at, `${primary.id} is the Primary of this vehicle already`);
    }
    primary = ecu;
  }
  requireDistinctNames(ecus);
}

/** The Director names an ECU by its serial, or by its id where it has none: no serial may be another's id then. */
function requireDistinctNames(ecus: readonly InventoryEcu[]): void {
  const ids = new Set<string>(ecus.filter(({ serial }) => serial === undefined).map(({ id }) => id));
  const shared = ecus.find(({ serial }) => serial !== undefined && ids.has(serial));
  if (shared === undefined) return;
  const place = { row: shared.row, column: `${shared.within}serial` };
  throw inventoryFailure('INVENTORY_MALFORMED', place, `${shared.serial} is the id of another ECU of this vehicle`);
}
