import { describe, expect, test } from 'vitest';
import { toHex } from '../../../core/bytes.ts';
import { isFailure } from '../../../core/errors.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { changedVehicles, directorFile, markAllSigned } from '../../../store/director.ts';
import type { VehicleRole } from '../../../store/director.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import type { Tx } from '../../../store/reader.ts';
import { findAudit, logHead } from '../../../store/audit.ts';
import { assignTo, directorFleet, FLEET_TARGETS, fleetVin } from '../../../testing/director-fleet.ts';
import type { TestRepository } from '../../../testing/signed-repository.ts';
import { hold } from '../../repository/hold.ts';
import { openDirectorKeys } from './keys.ts';
import { signVehicles } from './sign-vehicles.ts';
import type { SignedVehicles, SignVehiclesRequest } from './sign-vehicles.ts';
import { vehicleIds } from './vehicle-ids.ts';

const [OLD, NEW] = FLEET_TARGETS;

async function assign(fleet: TestRepository, indexes: readonly number[], target: string): Promise<void> {
  await fleet.open((open) =>
    open.transact({ command: 'test', summary: 'assigned' }, (tx) => {
      for (const index of indexes) {
        assignTo(tx, vehicleOfVin(tx, fleetVin(index)).id, { ecu: 'BMS', target });
      }
    }),
  );
}

async function signChanged(
  fleet: TestRepository,
  more: Partial<SignVehiclesRequest> & { names?: string } = {},
): Promise<SignedVehicles> {
  const named = await fleet.key(more.names ?? 'director');
  return await fleet.open(async (open) => {
    const vehicles = vehicleIds(changedVehicles(open));
    await using keys = await openDirectorKeys(open, named.keys, vehicles.count);
    const words = { command: 'sign director', summary: 'signs vehicles', resume: 'go on' };
    return await signVehicles(open, { keys, vehicles, ...words, ...more });
  });
}

async function versionOf(fleet: TestRepository, index: number, role: VehicleRole): Promise<number | undefined> {
  return await fleet.open((open) => directorFile(open, vehicleOfVin(open, fleetVin(index)).id, role)?.version);
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

describe("a vehicle's metadata", () => {
  test('U7 U8 U9 U15 U16 Targets say vehicle, ECU, hardware and counter; Snapshot its version, Timestamp its hash', async () => {
    await using fleet = await directorFleet(2);
    await assign(fleet, [0], NEW);
    expect(await signChanged(fleet)).toMatchObject({ vehicles: 1, files: 3, signatures: 6, crossChecked: 2 });
    await fleet.open((open) => {
      const { id, vin } = vehicleOfVin(open, fleetVin(0));
      const file = (role: VehicleRole): Uint8Array => directorFile(open, id, role)?.file ?? new Uint8Array();
      const targets = decodeRole(file('targets'), 'targets').unverified;
      expect(targets.signed.custom).toEqual(new Map(Object.entries({ vin, vehicleId: id })));
      expect(targets.signed.extension).toMatchObject({ repository: open.identity.uuid, kind: 'director' });
      expect(targets.signed.delegations).toBeUndefined();
      const [[name, target] = []] = targets.signed.targets;
      expect(name).toBe(NEW);
      expect(target?.custom?.get('hardwareIds')).toEqual(['H1']);
      expect(target?.custom?.get('releaseCounter')).toBe(2);
      expect(target?.custom?.get('ecuIdentifiers')).toEqual(new Map([['BMS', new Map([['hardwareId', 'H1']])]]));
      const snapshot = decodeRole(file('snapshot'), 'snapshot').unverified.signed;
      expect(snapshot.meta.get('targets.json')?.version).toBe(1);
      expect(snapshot.extension?.log).toBeDefined();
      const { snapshot: listed } = decodeRole(file('timestamp'), 'timestamp').unverified.signed;
      const facts = directorFile(open, id, 'snapshot');
      expect(listed).toMatchObject({ version: 1, length: facts?.length });
      expect(listed.hashes?.get('sha256')).toBe(toHex(facts?.sha256 ?? new Uint8Array()));
      expect(directorFile(open, id, 'timestamp')?.expires).toBe(fleet.io.clock.now() + 86_400);
    });
  });

  test('a second run signs only what changed', async () => {
    await using fleet = await directorFleet(40);
    await assign(fleet, range(40), OLD);
    expect((await signChanged(fleet)).vehicles).toBe(40);
    expect((await signChanged(fleet)).vehicles).toBe(0);
    await assign(fleet, [7], NEW);
    expect((await signChanged(fleet)).vehicles).toBe(1);
    expect([await versionOf(fleet, 7, 'targets'), await versionOf(fleet, 8, 'targets')]).toEqual([2, 1]);
  });

  test('new keys of the Director mark every signed vehicle', async () => {
    await using fleet = await directorFleet(3);
    await assign(fleet, [0, 1], OLD);
    await signChanged(fleet);
    const marked = await fleet.open((open) =>
      open.transact({ command: 'test', summary: 'keys' }, (tx: Tx) => markAllSigned(tx)),
    );
    expect(marked).toBe(2);
    expect((await signChanged(fleet)).vehicles).toBe(2);
  });
});

describe('signing many', () => {
  test('a stop between batches leaves each vehicle whole, and the next run does the rest', async () => {
    await using fleet = await directorFleet(1030);
    await assign(fleet, range(1030), OLD);
    const controller = new AbortController();
    const stopping = fleet.open(async (opened) => {
      const open = { ...opened, io: { ...opened.io, signal: controller.signal } };
      const vehicles = vehicleIds(changedVehicles(open));
      await using keys = await openDirectorKeys(open, (await fleet.key('director')).keys, vehicles.count);
      const words = { command: 'sign director', summary: 'signs vehicles', resume: 'go on' };
      const prepare = (): boolean => {
        controller.abort();
        return true;
      };
      return await signVehicles(open, { keys, vehicles, ...words, prepare });
    });
    expect(await codeOf(stopping)).toBe('INTERRUPTED');
    const signed = await fleet.open(
      (open) => open.sql<{ n: number }>('SELECT count(*) AS n FROM director_files').get()?.n,
    );
    expect(signed).toBe(3 * 1024);
    expect((await signChanged(fleet)).vehicles).toBe(6);
    const entries = await fleet.open((open) =>
      findAudit(open, {}, 10).filter(({ command }) => command === 'sign director'),
    );
    expect(entries).toHaveLength(2);
    expect((await fleet.open((open) => logHead(open))).length).toBeGreaterThan(2);
  });

  test('U40 what fails in a batch leaves the old files of all its vehicles', async () => {
    await using fleet = await directorFleet(3);
    await assign(fleet, range(3), OLD);
    await signChanged(fleet);
    await assign(fleet, [0, 1], NEW);
    await assign(fleet, [2], 'EV-1/BMS/3.0/not-there.bin');
    expect(await codeOf(signChanged(fleet))).toBe('DIRECTOR_TARGET_NOT_COMPLETE');
    expect(await Promise.all(range(3).map((index) => versionOf(fleet, index, 'targets')))).toEqual([1, 1, 1]);
  });

  test('a hold stops it before anything is signed', async () => {
    await using fleet = await directorFleet(1);
    await assign(fleet, [0], OLD);
    await hold({ repository: fleet.choice, reason: 'stolen laptop' }, fleet.io);
    expect(await codeOf(signChanged(fleet))).toBe('REPOSITORY_HELD');
    expect(await versionOf(fleet, 0, 'targets')).toBeUndefined();
  });
});

describe('the keys', () => {
  test('U26 others than those of the root are refused, and so is a threshold that cannot be met', async () => {
    await using fleet = await directorFleet(1);
    await assign(fleet, [0], OLD);
    expect(await codeOf(signChanged(fleet, { names: 'targets' }))).toBe('DIRECTOR_KEYS_MISSING');
    const both = [...(await fleet.key('director')).keys, ...(await fleet.key('targets')).keys];
    expect(await codeOf(fleet.open((open) => openDirectorKeys(open, both, 1)))).toBe('KEY_NOT_OF_ROLE');
  });

  test('keys that stay on a token sign on the main thread, each signature verified', async () => {
    await using fleet = await directorFleet(40);
    await assign(fleet, range(40), OLD);
    const keys = (await fleet.key('director')).keys.map(({ publicKey, sign }) => ({ publicKey, sign }));
    const signed = await fleet.open(async (open) => {
      const vehicles = vehicleIds(changedVehicles(open));
      await using opened = await openDirectorKeys(open, keys, vehicles.count);
      return await signVehicles(open, { keys: opened, vehicles, command: 'sign director', summary: '', resume: '' });
    });
    expect(signed).toMatchObject({ vehicles: 40, files: 120, signatures: 240, threads: 1, crossChecked: 0 });
    const bad = keys.map(({ publicKey }) => ({ publicKey, sign: async () => new Uint8Array(64) }));
    await assign(fleet, [1], NEW);
    const attempt = fleet.open(async (open) => {
      await using opened = await openDirectorKeys(open, bad, 1);
      const vehicles = vehicleIds(changedVehicles(open));
      return await signVehicles(open, { keys: opened, vehicles, command: 'sign director', summary: '', resume: '' });
    });
    expect(await codeOf(attempt)).toBe('SIGNATURE_INVALID');
  });
});
