/** A test repository with a signed release, a Director with one online key, and vehicles. */
import { parseVin } from '../core/brands.ts';
import type { Vin } from '../core/brands.ts';
import { markChanged } from '../store/director.ts';
import { addVehicle, putEcu, putGateway } from '../store/fleet.ts';
import type { Tx } from '../store/reader.ts';
import { ONLINE, repositoryWithRoot } from './signed-repository.ts';
import type { TestRepository, TestRepositorySetup } from './signed-repository.ts';

/** The images that the Image repository lists, complete. */
export const FLEET_TARGETS = ['EV-1/BMS/1.0/bms.bin', 'EV-1/BMS/2.0/bms.bin'] as const;

/** The VIN of the fleet's vehicle number `index`. */
export function fleetVin(index: number): Vin {
  return parseVin(`5YJ3E1EA0KF${String(index).padStart(6, '0')}`);
}

/** The roles of the Director that each vehicle has, all signed by the key `director`; its root by `d-root`. */
export async function setDirectorKeys(repository: TestRepository): Promise<void> {
  await repository.setKeys('director/root', ['d-root']);
  for (const role of ONLINE.split(' ')) await repository.setKeys(`director/${role}`, ['director']);
}

/** A repository with complete targets, a Director's root, model EV-1 and `count` vehicles on it. */
export async function directorFleet(count: number, setup: TestRepositorySetup = {}): Promise<TestRepository> {
  const repository = await repositoryWithRoot(setup);
  await setDirectorKeys(repository);
  await repository.sign('director/root', 'd-root');
  for (const [index, name] of FLEET_TARGETS.entries()) await repository.addImage(name, index + 1);
  await repository.sign(ONLINE, ONLINE);
  await repository.open((open) =>
    open.transact({ command: 'test', summary: 'a fleet' }, (tx) => {
      putGateway(tx, { model: 'EV-1', id: 'ZG', name: 'Gateway' });
      const ecu = { model: 'EV-1', gateway: 'ZG', name: 'Battery', type: 'BMS', currentVersion: '0.9' };
      for (const id of ['BMS', 'BMS_2']) putEcu(tx, { ...ecu, id, hardware: 'H1' });
      for (let index = 0; index < count; index++) addVehicle(tx, { vin: fleetVin(index), model: 'EV-1' });
    }),
  );
  return repository;
}

/** Assigns a target to an ECU, as the operation that checks it would. */
export function assignTo(tx: Tx, vehicle: string, { ecu, target }: { ecu: string; target: string }): void {
  tx.sql(
    `INSERT INTO assignments (vehicle, ecu, target, assigned_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (vehicle, ecu) DO UPDATE SET target = excluded.target`,
  ).run(vehicle, ecu, target, tx.now);
  markChanged(tx, vehicle);
}
