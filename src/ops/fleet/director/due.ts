/** When a vehicle's files are due to be signed again. */
import { instantOf } from '../../../core/brands.ts';
import type { Instant } from '../../../core/brands.ts';
import type { RoleDefinition } from '../../../plan/role-definition.ts';
import type { DueTimes, VehicleRole } from '../../../store/director.ts';

/** What expires by these times is due: within `withinSeconds` of now, or else with under half of its life left. */
export function dueTimes(
  definitions: Readonly<Record<VehicleRole, RoleDefinition>>,
  now: Instant,
  withinSeconds: number | undefined,
): DueTimes {
  const at = (role: VehicleRole): Instant =>
    instantOf(now + (withinSeconds ?? Math.floor(definitions[role].lifetimeSeconds / 2)));
  return { targets: at('targets'), snapshot: at('snapshot'), timestamp: at('timestamp') };
}
