/**
 * One vehicle of a Director in memory: the simulator of a repository with the Director's keys, and what it assigns.
 *
 * Two vehicles of one label have the same roots and keys, as they do with a real Director.
 */
import { parseTargetName } from '../core/brands.ts';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { jsonMap } from '../formats/json/json.ts';
import type { Json } from '../formats/json/json.ts';
import type { TargetFile, Targets } from '../formats/metadata/types.ts';
import { simulateRepository } from './simulator.ts';
import type { Simulator, SimulatorSetup } from './simulator.ts';

/** The vehicle of tests, and another one. */
export const CAR = { vin: '5YJ3E1EA0KF000316', id: '00112233445566778899aabbccddeeff' } as const;
export const OTHER_CAR = { vin: '5YJ3E1EA0KF000317', id: 'ffeeddccbbaa99887766554433221100' } as const;

/** How a vehicle begins. */
export interface VehicleSetup extends Omit<SimulatorSetup, 'kind'> {
  readonly vehicle?: { readonly vin: string; readonly id: string };
}

/** A Director as one vehicle sees it. */
export interface VehicleSimulator extends Simulator {
  readonly vehicle: { readonly vin: string; readonly id: string };
  /** Lists an image of the Image repository for ECUs (identifier -> hardware id); `custom` adds or replaces members. */
  assign(name: string, ecus: Readonly<Record<string, string>>, custom?: Readonly<Record<string, Json>>): void;
  /** Changes what is listed under a name. */
  editTarget(name: string, change: (target: TargetFile) => Partial<TargetFile>): void;
}

/** What lists the images that a Director may assign. */
export interface ListsTargets {
  readonly bodies: { readonly targets: Pick<Targets, 'targets'> };
}

/** Makes a Director that has published Targets of version 1 for a vehicle, without images. */
export function simulateDirector(image: ListsTargets, setup: VehicleSetup = {}): VehicleSimulator {
  const { vehicle = CAR, ...more } = setup;
  const simulator = simulateRepository({ label: 'director', ...more, kind: 'director' });
  for (const name of simulator.files.keys()) if (!name.endsWith('.root.json')) simulator.files.delete(name);
  const custom = jsonMap({ vin: vehicle.vin, vehicleId: vehicle.id });
  simulator.edit('targets', () => ({ targets: new Map(), custom }));
  const put = (name: string, target: TargetFile): void =>
    simulator.edit('targets', ({ targets }) => ({ targets: new Map(targets).set(parseTargetName(name), target) }));
  simulator.publish();
  return {
    ...simulator,
    vehicle,
    assign(name, ecus, changed = {}) {
      const listed = image.bodies.targets.targets.get(name);
      const entries = Object.entries(ecus).map(([id, hardwareId]) => [id, jsonMap({ hardwareId })] as const);
      const own = jsonMap({ ecuIdentifiers: new Map(entries), ...changed });
      const length = listed?.length ?? 1;
      const hashes = listed?.hashes ?? new Map([['sha256', toHex(sha256('native', utf8(name)))]]);
      put(name, { length, hashes, custom: new Map([...(listed?.custom ?? []), ...own]) });
    },
    editTarget(name, change) {
      const target = simulator.bodies.targets.targets.get(name);
      if (target === undefined) throw new Error(`${name} is not assigned`);
      put(name, { ...target, ...change(target) });
    },
  };
}
