/** `secureev vehicle add`: one vehicle. */
import type { Command } from 'commander';
import { parseName, parseVin } from '../core/brands.ts';
import { parseVehicleEcu } from '../ops/fleet/vehicle-units.ts';
import { addOneVehicle } from '../ops/fleet/vehicles.ts';
import { addedVehicleText } from '../render/vehicles.ts';
import type { Call, Outcome } from './command.ts';
import {
  argument,
  dryRunFlag,
  example,
  flag,
  repeatable,
  repositoryChoice,
  requiredText,
  text,
  texts,
} from './flags.ts';

/** Declares the flags. */
export function configure(command: Command): void {
  command
    .description('add a vehicle of a known model')
    .argument('<vin>', 'its vehicle identification number')
    .requiredOption('--model <model>', 'its model, as the ECU registry names it')
    .option('--encryption-key <pub>', 'the public key that its envelopes go to: NAME.pub')
    .addOption(repeatable('--ecu <ecu>', 'an ECU it has: ID[,serial=S][,hardware=H][,kind=primary][,key=NAME.pub]'));
  example(
    dryRunFlag(command),
    'secureev vehicle add 5YJ3E1EA0KF000316 --model EV-1 --encryption-key keys/car-1.pub',
    'secureev vehicle add 5YJ3E1EA0KF000316 --model EV-1 --ecu ZG_BODY,serial=GW-1,kind=primary --ecu BCM,serial=BC-1',
  );
}

/** Adds the vehicle. */
export async function run(call: Call): Promise<Outcome> {
  const dryRun = flag(call, 'dryRun');
  const input = {
    repository: repositoryChoice(call),
    vin: parseVin(argument(call, 0, 'VIN')),
    model: parseName(requiredText(call, 'model'), 'model'),
    encryptionKey: text(call, 'encryptionKey'),
    ecus: texts(call, 'ecu').map(parseVehicleEcu),
    dryRun,
  };
  const vehicle = await addOneVehicle(input, call.io);
  return { result: { vehicle, dryRun }, text: addedVehicleText(vehicle, dryRun) };
}
