/** What a repository of dialect aktualizr refuses to stage or to sign, since its vehicles would misread it. */
import { cp } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseName, parseTargetName } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { failing } from '../../testing/faults.ts';
import { outcomeOf } from '../../testing/trusting-client.ts';
import { ONLINE, repositoryWithRoot, testRepository } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { updateFrom } from '../../trust/update.ts';
import { addBins, addDelegation } from './delegation-add.ts';
import { publishImage } from './publish-image.ts';
import { requireReadableSize } from './readable-size.ts';
import { removeTarget } from './targets.ts';
import { treeSource } from './tree-source.ts';

const SETUP = { dialect: 'aktualizr', algorithms: ['ed25519'] } as const;
const NAME = 'EV-1/BRAKE/1.0/brake.bin';

test('other content under a name that was signed; before that, and the same content, may be staged again', async () => {
  await using repository = await repositoryWithRoot(SETUP);
  const add = (counter: number, name = NAME) => outcomeOf(repository.addImage(name, counter));
  expect([await add(1), await add(2)]).toEqual(['done', 'done']);
  await repository.sign(ONLINE, ONLINE);
  expect(await add(3)).toBe('TARGET_NAME_TAKEN');
  expect(await add(3, 'EV-1/BRAKE/1.1/brake.bin')).toBe('done');
  await removeTarget({ repository: repository.choice, name: parseTargetName(NAME) }, repository.io);
  await repository.sign(ONLINE, ONLINE);
  expect([await add(3), await add(2)]).toEqual(['TARGET_NAME_TAKEN', 'done']);
});

test('dialect tuf lets a name stand for new content', async () => {
  await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
  await repository.addImage(NAME, 1);
  await repository.sign(ONLINE, ONLINE);
  expect(await outcomeOf(repository.addImage(NAME, 2))).toBe('done');
});

test('keys that it cannot list are refused before anything is staged', async () => {
  await using repository = await testRepository({ dialect: 'aktualizr', algorithms: ['ecdsa-p256', 'ml-dsa-65'] });
  expect(await outcomeOf(repository.setKeys('targets', ['a']))).toBe('KEY_UNSUITABLE');
});

/** What a client that pins the first root makes of a tree: the version of Targets, or the code of its refusal. */
async function clientOf({ io }: TestRepository, folder: string): Promise<number | string> {
  const pinnedRoot = await io.files.read(`${folder}/metadata/1.root.json`, 65_536);
  try {
    const source = treeSource(io, folder).metadata;
    const set = await updateFrom(source, { engine: 'native', pinnedRoot, now: io.clock.now() });
    return set.targets.get('targets')?.file.verified.signed.version ?? 0;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

test('killed between any two files, a publication leaves what clients take or refuse as mixed, and the next completes it', async () => {
  await using repository = await repositoryWithRoot(SETUP);
  const publish = (folder: string, io: Io = repository.io) =>
    publishImage({ repository: repository.choice, folder }, io);
  await repository.addImage(NAME, 1);
  await repository.sign(ONLINE, ONLINE);
  await publish('public');
  await repository.addImage('EV-1/BRAKE/1.1/brake.bin', 2);
  await repository.sign(ONLINE, ONLINE);
  const seen = new Set<number | string>();
  for (let failAt = 1; ; failAt++) {
    const folder = `public-${failAt}`;
    await cp(`${repository.folder}/public`, `${repository.folder}/${folder}`, { recursive: true });
    const faulty = failing(repository.io, failAt);
    const outcome = await outcomeOf(publish(folder, faulty.io));
    seen.add(await clientOf(repository, folder));
    if (outcome === 'done' && faulty.calls() < failAt) break;
    await publish(folder);
    expect(await clientOf(repository, folder)).toBe(2);
  }
  // A Snapshot that has grown is over the length that the old Timestamp lists.
  expect(seen).toEqual(new Set([1, 2, 'TRUST_MIX_AND_MATCH', 'TRUST_ENDLESS_DATA']));
});

test('delegations that such vehicles misread are refused when they are staged', async () => {
  await using repository = await repositoryWithRoot(SETUP);
  const { choice, io } = repository;
  await repository.key('fw');
  const plain = { repository: choice, under: 'targets', paths: ['EV-1/*'], hardwareIds: [], terminating: false };
  const keys = [{ role: undefined, file: 'fw.pub' }];
  const add = (name: string, hardwareIds: readonly string[] = []) => {
    const wanted = { ...plain, name, keys, hardwareIds: hardwareIds.map((id) => parseName(id)) };
    return outcomeOf(addDelegation({ ...wanted, multiRole: false, move: false }, io));
  };
  expect(await add('fw', ['H1'])).toBe('DIALECT_UNSUITABLE');
  expect(await add('Offline-Updates')).toBe('DIALECT_UNSUITABLE');
  const bins = {
    repository: choice,
    bins: 2,
    namePrefix: 'bin',
    under: 'targets',
    publicFiles: ['fw.pub'],
    move: false,
  };
  expect(await outcomeOf(addBins(bins, io))).toBe('DIALECT_UNSUITABLE');
  expect(await add('fw')).toBe('done');
});

test('Snapshot over 64 KiB is refused where the limit is (U30)', async () => {
  const identity = { dialect: 'aktualizr' };
  const sizes = [
    ['root', 'image', 65_536],
    ['snapshot', 'image', 65_536],
    ['timestamp', 'image', 65_536],
    ['targets', 'image', 8_388_608],
    ['supplier', 'image', 8_388_608],
    ['targets', 'director', 65_536],
  ] as const;
  for (const [name, repository, limit] of sizes) {
    const outcome = (bytes: number, dialect = identity) =>
      outcomeOf(() => requireReadableSize(dialect, { name, repository }, new Uint8Array(bytes)));
    expect([await outcome(limit), await outcome(limit + 1)]).toEqual(['done', 'METADATA_OVERSIZE']);
    expect(await outcome(limit + 1, { dialect: 'tuf' })).toBe('done');
  }
});

test('`sign` makes no Timestamp, Snapshot or root that is too large, and freezes nothing', async () => {
  await using repository = await testRepository(SETUP);
  const many = Array.from({ length: 400 }, (_, i) => `root-${i}`);
  await repository.setKeys('root', many, 1);
  for (const role of ['targets', 'snapshot', 'timestamp']) await repository.setKeys(role, [role]);
  expect(await outcomeOf(repository.sign('root', 'root-0'))).toBe('METADATA_OVERSIZE');
  const versions = await repository.open((open) => open.sql('SELECT count(*) AS n FROM versions').get());
  expect(versions).toEqual({ n: 0 });
});
