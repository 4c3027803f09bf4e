import { describe, expect, test } from 'vitest';
import { parseTargetName, parseVin } from '../core/brands.ts';
import { isFailure } from '../core/errors.ts';
import { folderIo } from '../testing/folder-io.ts';
import type { FolderIo } from '../testing/folder-io.ts';
import {
  addVehicle,
  addVehicleKey,
  encryptionKeyOf,
  ecusOf,
  findEcu,
  putEcu,
  putGateway,
  revokeVehicleKey,
} from './fleet.ts';
import { claimKey } from './keys.ts';
import type { Tx } from './reader.ts';
import {
  addRelease,
  addReleaseImage,
  bundlesOf,
  findBundleBySha256,
  lastReleaseCounter,
  putBundle,
  releaseImages,
  releases,
  takeReleaseCounter,
} from './releases.ts';
import { createRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import { addEnvelope, addSealedPayload, countEnvelopes, envelopesOf, sealedPayloadOfTarget } from './sealed.ts';

const HASH = new Uint8Array(32).fill(7);
const OTHER_HASH = new Uint8Array(32).fill(8);
const FIRMWARE = parseTargetName('EV-1/BMS/2.0.0/bms.bin');
const VIN = parseVin('5YJ3E1EA0KF000316');

async function repositoryIn(machine: FolderIo): Promise<Repository> {
  return createRepository(machine.io, 'oem', { name: 'Example Motors', dialect: 'tuf' });
}

function change<T>(repository: Repository, work: (tx: Tx) => T): T {
  return repository.transact({ command: 'test', summary: 'test' }, work);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

describe('fleet, releases and sealed payloads', () => {
  test('an import that changes nothing says so', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      const gateway = { model: 'EV-1', id: 'ZG_BODY', name: 'Body' };
      const ecu = {
        model: 'EV-1',
        id: 'BMS',
        gateway: 'ZG_BODY',
        name: 'Battery',
        type: 'BMS',
        hardware: 'H1',
        currentVersion: '1.0',
      };
      expect([putGateway(tx, gateway), putGateway(tx, gateway)]).toEqual([true, false]);
      expect([putEcu(tx, ecu), putEcu(tx, ecu), putEcu(tx, { ...ecu, hardware: 'H2' })]).toEqual([true, false, true]);
      expect(ecusOf(tx, 'EV-1')).toEqual([{ ...ecu, hardware: 'H2' }]);
      expect(findEcu(tx, 'EV-1', 'BMS')).toEqual({ ...ecu, hardware: 'H2' });
    });
  });

  test('a vehicle is added once; its newest key that was not revoked counts', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      const vehicle = addVehicle(tx, { vin: VIN, model: 'EV-1' });
      expect(vehicle.id).toMatch(/^[0-9a-f]{32}$/);
      expect(codeOf(() => addVehicle(tx, { vin: VIN, model: 'EV-1' }))).toBe('VEHICLE_EXISTS');
      const key = { vehicle: vehicle.id, purpose: 'encryption', algorithm: 'MLKEM768-X25519', public: 'PEM' } as const;
      addVehicleKey(tx, { ...key, keyId: 'k1' });
      addVehicleKey(tx, { ...key, keyId: 'k2' });
      expect(encryptionKeyOf(tx, vehicle.id)?.keyId).toBe('k2');
      expect(revokeVehicleKey(tx, { vehicle: vehicle.id, keyId: 'k2', reason: 'stolen' })).toBe(true);
      expect(encryptionKeyOf(tx, vehicle.id)?.keyId).toBe('k1');
      expect(codeOf(() => addVehicleKey(tx, { ...key, keyId: 'k2' }))).toBe('VEHICLE_KEY_EXISTS');
    });
  });

  test('one raw key serves one kind, and no vehicle beside it', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      const key = { keyId: 'k1', algorithm: 'ecdsa-p256', kind: 'image', holder: 'Ada' } as const;
      claimKey(tx, key);
      claimKey(tx, key);
      expect(codeOf(() => claimKey(tx, { ...key, kind: 'director' }))).toBe('KEY_SERVES_ANOTHER');
      expect(codeOf(() => claimKey(tx, { ...key, kind: 'escrow' }))).toBe('KEY_SERVES_ANOTHER');
      const vehicle = addVehicle(tx, { vin: VIN, model: 'EV-1' }).id;
      addVehicleKey(tx, { vehicle, keyId: 'k2', purpose: 'encryption', algorithm: 'DHKEM-P256', public: 'PEM' });
      expect(codeOf(() => claimKey(tx, { ...key, keyId: 'k2', kind: 'escrow' }))).toBe('KEY_SERVES_ANOTHER');
    });
  });

  test('release counters only rise', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      takeReleaseCounter(tx, 'EV-1/BMS', 3);
      expect(codeOf(() => takeReleaseCounter(tx, 'EV-1/BMS', 3))).toBe('COUNTER_TAKEN');
      takeReleaseCounter(tx, 'EV-1/BMS', 4);
      expect(lastReleaseCounter(tx, 'EV-1/BMS')).toBe(4);
      const release = { name: 'R1', model: 'EV-1', confidential: true, plan: { release: 'R1' } };
      addRelease(tx, release);
      expect(codeOf(() => addRelease(tx, release))).toBe('RELEASE_EXISTS');
      addReleaseImage(tx, { release: 'R1', ecu: 'BMS', target: FIRMWARE });
      expect(releaseImages(tx, 'R1')).toEqual([{ ecu: 'BMS', target: FIRMWARE }]);
      expect(releases(tx)).toMatchObject([release]);
      const bundle = {
        target: parseTargetName('bundles/R1/ZG_BODY.otap'),
        release: 'R1',
        gateway: 'ZG_BODY',
        fileName: 'ZG_BODY.otap',
        length: 9,
        sha256: HASH,
        manifestSha256: OTHER_HASH,
        releaseCounter: 1,
      };
      putBundle(tx, bundle);
      expect(findBundleBySha256(tx, HASH)).toEqual(bundle);
      expect(bundlesOf(tx, 'R1')).toEqual([bundle]);
    });
  });

  test('an envelope taken away stays on record', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      const payload = {
        sha256: HASH,
        target: parseTargetName('bundles/R1/ZG.otap.sev'),
        clearTarget: parseTargetName('bundles/R1/ZG.otap'),
        length: 10,
        clearLength: 9,
        headerSha256: OTHER_HASH,
        suite: 'hybrid',
        fileName: 'ZG.otap.sev',
      };
      addSealedPayload(tx, payload);
      expect(sealedPayloadOfTarget(tx, payload.target)).toMatchObject(payload);
      const envelope = { payload: HASH, keyId: 'k1', vehicle: null, envelope: new Uint8Array([1]), expires: null };
      addEnvelope(tx, envelope);
      addEnvelope(tx, { ...envelope, envelope: new Uint8Array([2]) });
      addEnvelope(tx, { ...envelope, keyId: 'k2' });
      expect([...envelopesOf(tx, HASH)].map((e) => [...e.envelope])).toEqual([[2], [1]]);
      expect(countEnvelopes(tx, HASH)).toEqual({ now: 2, ever: 2 });
      expect([...envelopesOf(tx, HASH, true)]).toHaveLength(3);
    });
  });
});
