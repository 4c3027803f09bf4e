import { describe, expect, test } from 'vitest';
import { toHex } from '../../../core/bytes.ts';
import { isFailure } from '../../../core/errors.ts';
import { bulkSigner } from '../../../crypto/bulk-sign.ts';
import { signatureAlgorithm } from '../../../crypto/signatures/index.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import type { SignerKey } from '../../../signers/signer.ts';
import { changedVehicles, directorFile, markAllSigned } from '../../../store/director.ts';
import type { VehicleRole } from '../../../store/director.ts';
import { vehicleOfVin } from '../../../store/fleet.ts';
import type { Tx } from '../../../store/reader.ts';
import { findAudit, logHead } from '../../../store/audit.ts';
import { inlineWorkers } from '../../../io/workers.ts';
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

/** The same keys without a way to hand them out, as tokens have them. */
function onToken(keys: readonly SignerKey[]): readonly SignerKey[] {
  return keys.map(({ publicKey, lend }) => {
    const { algorithm: id, secret = new Uint8Array() } = lend?.() ?? { algorithm: '' };
    const algorithm = signatureAlgorithm(id);
    const random = (count: number): Uint8Array => new Uint8Array(count);
    const signer = bulkSigner({ algorithm, engine: 'native', secret, publicKey: publicKey.bytes, random });
    return { publicKey, sign: async (message) => signer.sign(message) };
  });
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
    await using fleet = await directorFleet(40);
    await assign(fleet, range(40), OLD);
    const controller = new AbortController();
    const stopping = fleet.open(async (opened) => {
      const open = { ...opened, io: { ...opened.io, signal: controller.signal } };
      const vehicles = vehicleIds(changedVehicles(open));
      await using keys = await openDirectorKeys(open, onToken((await fleet.key('director')).keys), vehicles.count);
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
    expect(signed).toBe(3 * 32);
    expect((await signChanged(fleet)).vehicles).toBe(8);
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
    await expect(signChanged(fleet)).rejects.toMatchObject({
      message: expect.stringContaining(`not-there.bin is assigned to 1 vehicle (${fleetVin(2)}), but`),
      hint: `it is not listed any more: assign something else, or take it back with \`secureev assign ${fleetVin(2)} --remove BMS\``,
      details: { vehicles: 1, vins: [fleetVin(2)], staged: false },
    });
    expect(await Promise.all(range(3).map((index) => versionOf(fleet, index, 'targets')))).toEqual([1, 1, 1]);
  });

  test('of a target that is only staged, the vehicles are named, and what is to be signed', async () => {
    await using fleet = await directorFleet(5);
    await fleet.addImage('EV-1/BMS/4.0/bms.bin', 4);
    await assign(fleet, range(5), 'EV-1/BMS/4.0/bms.bin');
    const vins = range(3).map(fleetVin);
    await expect(signChanged(fleet)).rejects.toMatchObject({
      message: expect.stringContaining(`is assigned to 5 vehicles (${vins.join(', ')}, ...), but`),
      hint: 'it is only staged: `secureev sign targets snapshot timestamp`',
      details: { vehicles: 5, vins, staged: true },
    });
  });

  test('a hold that comes meanwhile stops it at the next batch', async () => {
    await using fleet = await directorFleet(40);
    await assign(fleet, range(40), OLD);
    const named = await fleet.key('director');
    const rest = async (): Promise<void> => {
      await hold({ repository: fleet.choice, reason: 'stolen laptop' }, fleet.io);
    };
    const attempt = fleet.open(async (opened) => {
      const open = { ...opened, io: { ...opened.io, workers: { ...opened.io.workers, rest } } };
      const vehicles = vehicleIds(changedVehicles(open));
      await using keys = await openDirectorKeys(open, onToken(named.keys), vehicles.count);
      return await signVehicles(open, { keys, vehicles, command: 'sign director', summary: '', resume: '' });
    });
    expect(await codeOf(attempt)).toBe('REPOSITORY_HELD');
    expect(await fleet.open((open) => [...changedVehicles(open)].length)).toBe(8);
  });

  test('a disk that fills up half-way leaves each vehicle whole', async () => {
    await using fleet = await directorFleet(100);
    await assign(fleet, range(100), OLD);
    const named = await fleet.key('director');
    const keys = onToken(named.keys);
    const attempt = fleet.open(async (open) => {
      const pages = open.sql<{ page_count: number }>('PRAGMA page_count').get()?.page_count ?? 0;
      open.sql(`PRAGMA max_page_count = ${pages + 320}`).get();
      const vehicles = vehicleIds(changedVehicles(open));
      await using slow = await openDirectorKeys(open, keys, vehicles.count);
      return await signVehicles(open, { keys: slow, vehicles, command: 'sign director', summary: '', resume: '' });
    });
    expect(await codeOf(attempt)).toBe('DISK_FULL');
    const whole = await fleet.open((open) =>
      open
        .sql<{ files: number; n: number }>(
          'SELECT files, count(*) AS n FROM (SELECT count(*) AS files FROM director_files GROUP BY vehicle) GROUP BY files',
        )
        .all(),
    );
    expect(whole).toEqual([{ files: 3, n: 64 }]);
    expect((await signChanged(fleet)).vehicles).toBe(36);
  });

  test('engine noble signs the same', async () => {
    await using fleet = await directorFleet(2);
    await assign(fleet, [0, 1], OLD);
    const named = await fleet.key('director');
    const signed = await fleet.open(async (opened) => {
      const workers = inlineWorkers('noble');
      const open = { ...opened, io: { ...opened.io, engine: 'noble' as const, workers } };
      const vehicles = vehicleIds(changedVehicles(open));
      await using keys = await openDirectorKeys(open, named.keys, vehicles.count);
      return await signVehicles(open, { keys, vehicles, command: 'sign director', summary: '', resume: '' });
    });
    expect(signed).toMatchObject({ vehicles: 2, signatures: 12, crossChecked: 2 });
    expect(await versionOf(fleet, 0, 'timestamp')).toBe(1);
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
    const keys = onToken((await fleet.key('director')).keys);
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
