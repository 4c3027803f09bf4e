/** The fleet of `director-fleet.ts` with an inventory: each vehicle a Primary and two more ECUs, with keys of their own. */
import { parseVin } from '../core/brands.ts';
import { vehicleOfVin } from '../store/fleet.ts';
import { replaceVehicleEcus } from '../store/inventory.ts';
import type { VehicleEcu } from '../store/inventory.ts';
import { directorFleet, FLEET_TARGETS, fleetVin } from './director-fleet.ts';
import type { TestRepository } from './signed-repository.ts';
import { testKey } from './signer-keys.ts';
import type { TestKey } from './signer-keys.ts';
import { vehicleManifest } from './vehicle-manifests.ts';
import type { ReportingCar, ReportingEcu } from './vehicle-manifests.ts';

/** The ECUs of a vehicle: its gateway, which is the Primary, and two batteries. */
export const FLEET_ECUS = ['ZG', 'BMS', 'BMS_2'] as const;

/** The serial of an ECU of vehicle number `index`. */
export function fleetSerial(index: number, ecu: string): string {
  return `SN-${ecu}-${index}`;
}

/** The key of an ECU: the Primary's and BMS's are ECDSA, that of BMS_2 is hybrid. */
export function ecuKey(index: number, ecu: string): TestKey {
  return testKey(fleetSerial(index, ecu), ecu === 'BMS_2' ? ['ecdsa-p256', 'ml-dsa-65'] : ['ecdsa-p256']);
}

/** A fleet of `count` vehicles that can report. */
export async function reportingFleet(count: number): Promise<TestRepository> {
  const fleet = await directorFleet(count);
  await fleet.open((open) =>
    open.transact({ command: 'test', summary: 'an inventory' }, (tx) => {
      for (let index = 0; index < count; index++) {
        const { id } = vehicleOfVin(tx, fleetVin(index));
        const ecus = FLEET_ECUS.map((ecu) => inventoryEcu(index, ecu));
        replaceVehicleEcus(tx, id, ecus);
      }
    }),
  );
  return fleet;
}

function inventoryEcu(index: number, ecu: string): VehicleEcu {
  const key = ecuKey(index, ecu);
  const kind = ecu === 'ZG' ? 'primary' : 'secondary';
  const keyId = key.keys[0]?.publicKey.keyId ?? null;
  const hardware = ecu === 'ZG' ? 'ZG' : 'H1';
  return { ecu, serial: fleetSerial(index, ecu), hardware, kind, key: key.publicFile, keyId };
}

/** What an ECU of the fleet runs, by the name of a target; other ECUs run the first. */
export interface FleetReport extends Partial<Omit<ReportingCar, 'ecus'>> {
  readonly images?: Readonly<Partial<Record<string, string>>>;
  readonly attacks?: Readonly<Partial<Record<string, string>>>;
  /** Changes the ECUs at last. */
  readonly ecus?: (ecus: readonly ReportingEcu[]) => readonly ReportingEcu[];
}

/** Vehicle number `index` as it would report; `content` gives an image's bytes. */
export function fleetCar(index: number, report: FleetReport, content: (image: string) => Uint8Array): ReportingCar {
  const { images = {}, attacks = {}, ecus = (all) => all, ...car } = report;
  const own = FLEET_ECUS.map((ecu): ReportingEcu => {
    const name = images[ecu] ?? FLEET_TARGETS[0];
    const { keys } = ecuKey(index, ecu);
    return { ecu: fleetSerial(index, ecu), keys, image: { name, content: content(name) }, attack: attacks[ecu] };
  });
  return { vin: parseVin(fleetVin(index)), time: 0, ...car, ecus: ecus(own) };
}

/** The manifest of {@link fleetCar}. */
export async function fleetManifest(
  index: number,
  report: FleetReport,
  content: (image: string) => Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  return await vehicleManifest(fleetCar(index, report, content));
}
