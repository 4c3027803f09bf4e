/**
 * Which VINs a file had before, so that none comes twice.
 *
 * Invariants: exact, and flat in memory. A file in the order of its VINs needs no list of them; where one comes out of
 * order, the file is read again up to there and from then on a list is kept in temporary space.
 */
import type { Vin } from '../../core/brands.ts';
import { inventoryFailure } from '../../formats/inventory/vehicle.ts';
import type { InventoryVehicle } from '../../formats/inventory/vehicle.ts';
import { nothingSeen } from '../../store/seen.ts';
import type { Seen } from '../../store/seen.ts';

/** VINs of one file. */
export interface VinLedger extends Disposable {
  /** Notes the next vehicles. @throws INVENTORY_VIN_TWICE */
  add(vehicles: readonly InventoryVehicle[]): Promise<void>;
}

/** An empty ledger; `again` reads the file from its start. */
export function vinLedger(again: () => AsyncIterable<readonly InventoryVehicle[]>): VinLedger {
  let last: Vin | undefined;
  let seen: Seen | undefined;
  const note = (vehicle: InventoryVehicle): void => {
    const row = seen?.add(vehicle.vin, vehicle.row);
    if (row === undefined) return;
    const text = `vehicle ${vehicle.vin} is in row ${row} already`;
    throw inventoryFailure('INVENTORY_VIN_TWICE', { row: vehicle.row, column: 'vin' }, text);
  };
  const catchUp = async (row: number): Promise<void> => {
    seen = nothingSeen();
    for await (const vehicles of again()) {
      for (const vehicle of vehicles) {
        if (vehicle.row >= row) return;
        note(vehicle);
      }
    }
  };
  return {
    add: async (vehicles) => {
      for (const vehicle of vehicles) {
        if (seen === undefined && last !== undefined && vehicle.vin <= last) await catchUp(vehicle.row);
        note(vehicle);
        last = vehicle.vin;
      }
    },
    [Symbol.dispose]: () => seen?.[Symbol.dispose](),
  };
}
