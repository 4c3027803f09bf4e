/** Interoperability: a TUF client that no one here wrote updates from our published trees over HTTP. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import { publishRelease, releaseSession, TEST_PLAN } from '../../testing/release-session.ts';
import { serveFolder } from '../../testing/static-server.ts';
import type { StaticServer } from '../../testing/static-server.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { TUF_JS_NOW, tufJsClient } from '../../testing/tuf-js-client.ts';
import type { TufJsClient } from '../../testing/tuf-js-client.ts';
import { publishImage } from './publish-image.ts';
import { changeRole } from './role-change.ts';
import { exportRoot } from './root-export.ts';

const BMS = 'EV-1/BMS/1.0/bms.bin';
const MCU = 'EV-1/MCU/1.0/mcu.bin';

/** A vehicle pinned to the root in force. */
async function client(repository: TestRepository, server: StaticServer, name = 'car'): Promise<TufJsClient> {
  const { choice, folder, io } = repository;
  await exportRoot({ repository: choice, role: 'root', out: 'pinned.json', overwrite: true }, io);
  return await tufJsClient(`${folder}/${name}`, await readFile(`${folder}/pinned.json`), server);
}

async function publish(repository: TestRepository): Promise<void> {
  await publishImage({ repository: repository.choice, folder: 'public' }, repository.io);
}

async function replaceKey(
  repository: TestRepository,
  role: string,
  names: { old: string; next: string },
): Promise<void> {
  await repository.key(names.next);
  const old = (await repository.key(names.old)).keys[0]?.publicKey.keyId ?? '';
  const replace = [{ old, file: `${names.next}.pub` }];
  await changeRole({ repository: repository.choice, role, add: [], remove: [], replace }, repository.io);
}

const SCHEMES: readonly (readonly SignatureId[])[] = [['ecdsa-p256', 'ml-dsa-65'], ['ecdsa-p256'], ['ed25519']];

describe.each(SCHEMES.map((algorithms) => [algorithms.join(' + '), algorithms] as const))(
  'tuf-js with %s',
  (_, algorithms) => {
    test('updates, downloads, follows a second release and rotations of root and of online keys', async () => {
      await using repository = await repositoryWithRoot({ algorithms, now: TUF_JS_NOW });
      const bms = await repository.addImage(BMS, 1);
      await repository.sign(ONLINE, ONLINE);
      await publish(repository);
      await using server = await serveFolder(`${repository.folder}/public`);
      const car = await client(repository, server);
      expect(await car.download(BMS)).toEqual(bms);
      expect(await car.download(MCU)).toBeUndefined();

      const mcu = await repository.addImage(MCU, 2);
      await repository.sign(ONLINE, ONLINE);
      await publish(repository);
      expect(await car.download(MCU)).toEqual(mcu);
      expect([await car.version('root'), await car.version('timestamp')]).toEqual([1, 2]);

      await replaceKey(repository, 'root', { old: 'root-a', next: 'root-d' });
      await repository.sign('root', 'root-b root-c root-d');
      await publish(repository);
      expect(await car.download(BMS)).toEqual(bms);
      await replaceKey(repository, 'root', { old: 'root-b', next: 'root-e' });
      await replaceKey(repository, 'timestamp', { old: 'timestamp', next: 'timestamp-2' });
      await replaceKey(repository, 'targets', { old: 'targets', next: 'targets-2' });
      await repository.sign('root', 'root-c root-d root-e');
      await repository.sign(ONLINE, 'targets-2 snapshot timestamp-2');
      await publish(repository);
      expect(await car.download(MCU)).toEqual(mcu);
      expect(await car.version('root')).toBe(3);
      expect(await (await client(repository, server, 'late-car')).download(BMS)).toEqual(bms);
    });
  },
);

test('tuf-js walks from root 1 over 2 to 3, all root keys replaced on the way', async () => {
  await using repository = await repositoryWithRoot({ now: TUF_JS_NOW });
  const bms = await repository.addImage(BMS, 1);
  await repository.sign(ONLINE, ONLINE);
  await publish(repository);
  await using server = await serveFolder(`${repository.folder}/public`);
  const early = await client(repository, server, 'early');
  const pairs = ['a', 'b', 'c'].map((letter) => [`root-${letter}`, `new-${letter}`] as const);
  for (const [, name] of pairs) await repository.key(name);
  const replace = await Promise.all(
    pairs.map(async ([old, name]) => ({
      old: (await repository.key(old)).keys[0]?.publicKey.keyId ?? '',
      file: `${name}.pub`,
    })),
  );
  await changeRole({ repository: repository.choice, role: 'root', add: [], remove: [], replace }, repository.io);
  await repository.sign('root', 'root-a root-c new-a new-b');
  const raise = { repository: repository.choice, role: 'root', add: [], remove: [], replace: [], threshold: 3 };
  await changeRole(raise, repository.io);
  await repository.sign('root', 'new-a new-b new-c');
  await publish(repository);
  expect(await early.download(BMS)).toEqual(bms);
  expect(await early.version('root')).toBe(3);
});

describe('tuf-js refuses', () => {
  test('T5 a tree that went back in time, and T9 a target that was exchanged', async () => {
    await using repository = await repositoryWithRoot({ now: TUF_JS_NOW });
    await repository.addImage(BMS, 1);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    await using server = await serveFolder(`${repository.folder}/public`);
    const car = await client(repository, server);
    const timestamp = `${repository.folder}/public/metadata/timestamp.json`;
    const old = await readFile(timestamp);
    await repository.addImage(MCU, 2);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    expect(await car.download(MCU)).toBeDefined();
    await writeFile(timestamp, old);
    await expect(car.download(MCU)).rejects.toThrow(/version/);
    await publish(repository);
    const target = server.requests.find((path) => path.endsWith('.mcu.bin')) ?? '';
    await writeFile(`${repository.folder}/public${target}`, 'something else of another length');
    await expect(car.download(MCU)).rejects.toThrow(/length|hash/i);
  });
});

test('tuf-js downloads images and bundles of releases that are not confidential, from a server and from a kit', async () => {
  await using session = await releaseSession({ now: TUF_JS_NOW });
  await session.write('release.yaml', `${TEST_PLAN}confidential: false\n`);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  await publishRelease(session);
  await using server = await serveFolder(session.path('public'));
  const car = await tufJsClient(session.path('car'), await session.read('trust/root.json'), server);
  expect(await car.download('EV-1/BCM/1.1.0/bcm.bin')).toEqual(await session.read('fw/bcm.bin'));
  expect(await car.download('bundles/r1/ZG_BODY.otap')).toEqual(await session.read('bundles/ZG_BODY.otap'));
  await session.ok('publish kit kit --release r1');
  await using stick = await serveFolder(session.path('kit/image'));
  const offline = await tufJsClient(session.path('offline-car'), await session.read('trust/root.json'), stick);
  expect(await offline.download('bundles/r1/ZG_BODY.otap')).toEqual(await session.read('bundles/ZG_BODY.otap'));

  const second =
    'release: r2\nmodel: EV-1\nconfidential: false\nimages:\n  - { ecu: MCU, version: 2.1.0, file: fw/mcu.bin }\n';
  await session.write('release.yaml', second);
  await session.ok('package release.yaml --key keys/targets.key --out bundles-2');
  await publishRelease(session);
  expect(await car.download('bundles/r2/ZG_DRIVE.otap')).toEqual(await session.read('bundles-2/ZG_DRIVE.otap'));
  expect(await car.version('targets')).toBe(2);
});
