/** What the Director says goes on which ECU. Invariant: each change marks its vehicle as to be signed anew. */
import { parseTargetName } from '../core/brands.ts';
import type { TargetName } from '../core/brands.ts';
import { markChanged } from './director.ts';
import type { Reader, Tx } from './reader.ts';

/** A target on an ECU or gateway of a vehicle. */
export interface Assignment {
  /** The model's id of the ECU. */
  readonly ecu: string;
  readonly target: TargetName;
  /** The campaign it came from; null where it was assigned by hand. */
  readonly campaign: string | null;
  readonly assignedAt: number;
}

/** What is assigned to a vehicle, by ECU. */
export function assignmentsOf(reader: Reader, vehicle: string): readonly Assignment[] {
  return reader
    .sql<Assignment & { target: string }>(
      'SELECT ecu, target, campaign, assigned_at AS assignedAt FROM assignments WHERE vehicle = ? ORDER BY ecu',
    )
    .all(vehicle)
    .map((row) => ({ ...row, target: parseTargetName(row.target) }));
}

/** The vehicles that a target is assigned to. */
export interface AssignedTo {
  readonly vehicles: number;
  /** The first few by VIN, each with an ECU that it is assigned to. */
  readonly first: readonly { readonly vin: string; readonly ecu: string }[];
}

/** How many vehicles are told by VIN. */
const FIRST_MAX = 3;

/** To which vehicles a target is assigned. */
export function assignedTo(reader: Reader, target: TargetName): AssignedTo {
  const all = reader
    .sql<{ n: number }>('SELECT count(DISTINCT vehicle) AS n FROM assignments WHERE target = ?')
    .get(target);
  const first = reader
    .sql<{ vin: string; ecu: string }>(
      `SELECT vin, min(ecu) AS ecu FROM assignments JOIN vehicles ON vehicles.id = vehicle WHERE target = ?
       GROUP BY vehicle ORDER BY vin LIMIT ?`,
    )
    .all(target, FIRST_MAX);
  return { vehicles: all?.n ?? 0, first };
}

/** Every target that is assigned to some vehicle, by name. */
export function assignedTargets(reader: Reader): readonly TargetName[] {
  return reader
    .sql<{ target: string }>('SELECT DISTINCT target FROM assignments ORDER BY target')
    .all()
    .map(({ target }) => parseTargetName(target));
}

/** Assigns targets to ECUs of a vehicle, in place of what they had. */
export function assign(
  tx: Tx,
  vehicle: string,
  { targets, campaign }: { targets: readonly { ecu: string; target: string }[]; campaign: string | null },
): void {
  for (const { ecu, target } of targets) {
    tx.sql(
      `INSERT INTO assignments (vehicle, ecu, target, campaign, assigned_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (vehicle, ecu) DO UPDATE SET
         target = excluded.target, campaign = excluded.campaign, assigned_at = excluded.assigned_at`,
    ).run(vehicle, ecu, target, campaign, tx.now);
  }
  if (targets.length > 0) markChanged(tx, vehicle);
}

/** Takes back what is assigned to an ECU of a vehicle; whether there was something. */
export function unassign(tx: Tx, vehicle: string, ecu: string): boolean {
  const { changes } = tx.sql('DELETE FROM assignments WHERE vehicle = ? AND ecu = ?').run(vehicle, ecu);
  if (changes > 0) markChanged(tx, vehicle);
  return changes > 0;
}
