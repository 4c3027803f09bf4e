/** `--vehicle-id`: the random id that a vehicle's folder in the Director's tree is named by. */
import { failure } from '../core/errors.ts';
import type { Call } from './command.ts';
import { text } from './flags.ts';

/** The id of the flag. @throws USAGE unless it is 32 hex digits */
export function vehicleIdOf(call: Call): string | undefined {
  const id = text(call, 'vehicleId');
  if (id === undefined || /^[0-9a-f]{32}$/.test(id)) return id;
  throw failure('USAGE', '--vehicle-id is not 32 hex digits in lower case');
}
