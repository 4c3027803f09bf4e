/** What `publish image` finds in the folder: damage, links, other trees, the rest of a killed run. */
import { cp, mkdir, readFile, readdir, rename, rm, symlink, writeFile, lstat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { killedAt } from '../../testing/faults.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { serveFolder } from '../../testing/static-server.ts';
import { TUF_JS_NOW, tufJsClient } from '../../testing/tuf-js-client.ts';
import { publishDirector } from '../fleet/director/publish-director.ts';
import { publishImage } from './publish-image.ts';
import type { PublishAnswer } from './publish-image.ts';
import { exportRoot } from './root-export.ts';

const BMS = 'EV-1/BMS/1.0/bms.bin';
const MCU = 'EV-1/MCU/1.0/mcu.bin';

function publish(repository: TestRepository, folder = 'public', io: Io = repository.io): Promise<PublishAnswer> {
  return publishImage({ repository: repository.choice, folder, uploadList: 'uploads.txt' }, io);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return `${thrown.code} ${thrown.exitStatus}`;
    throw thrown;
  }
  return 'nothing thrown';
}

async function released(now?: string): Promise<TestRepository> {
  const repository = await repositoryWithRoot(now === undefined ? {} : { now });
  await repository.addImage(BMS, 1);
  await repository.sign(ONLINE, ONLINE);
  return repository;
}

describe('what is there already', () => {
  test('U17 a target of the right length and other bytes is written again, and so is a damaged metadata file', async () => {
    await using repository = await released();
    const { written } = await publish(repository);
    const [target = ''] = written;
    const path = `${repository.folder}/public/${target}`;
    const content = await readFile(path);
    await writeFile(path, Buffer.from(content).fill(7));
    await writeFile(`${repository.folder}/public/metadata/1.targets.json`, 'not JSON any more');
    expect((await publish(repository)).written).toEqual([target, 'metadata/1.targets.json']);
    expect(await readFile(path)).toEqual(content);
  });

  test('a number that was given out twice is refused: a copy of the database went its own way', async () => {
    await using repository = await released();
    await cp(`${repository.folder}/oem`, `${repository.folder}/copy`, { recursive: true });
    await repository.addImage(MCU, 1);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    await rm(`${repository.folder}/oem`, { recursive: true });
    await rename(`${repository.folder}/copy`, `${repository.folder}/oem`);
    expect(await codeOf(publish(repository))).toBe('PUBLISH_NEWER 6');
    await repository.addImage('EV-1/MCU/2.0/mcu.bin', 2);
    await repository.sign(ONLINE, ONLINE);
    expect(await codeOf(publish(repository))).toBe('PUBLISH_CONFLICT 6');
  });

  test('a numbered file above what this database ever gave out is refused, whatever Timestamp says', async () => {
    await using repository = await released();
    await publish(repository);
    for (const name of ['2.root.json', '9.snapshot.json', '2.targets.json']) {
      await writeFile(`${repository.folder}/public/metadata/${name}`, '{}');
      expect(await codeOf(publish(repository))).toBe('PUBLISH_NEWER 6');
      await rm(`${repository.folder}/public/metadata/${name}`);
    }
    await writeFile(`${repository.folder}/public/metadata/9.of-someone-else.json`, '{}');
    expect((await publish(repository)).written).toEqual([]);
  });
});

test('a folder that is uploaded whole is no place for a repository or for keys', async () => {
  await using repository = await released();
  const { folder, io } = repository;
  await mkdir(`${folder}/keys`);
  await writeFile(`${folder}/keys/targets.key`, 'secret');
  await symlink(`${folder}/oem`, `${folder}/link`);
  const before = await readdir(folder, { recursive: true });
  for (const place of [
    '.',
    folder,
    'oem',
    './oem/',
    'oem/objects',
    'oem/objects/b/',
    `${folder}/oem/objects/x`,
    'link/objects/y',
    'keys',
  ]) {
    const input = { repository: repository.choice, folder: place, uploadList: 'uploads.txt' };
    for (const dryRun of [true, false]) {
      const codes = [publishImage, publishDirector].map((publishing) => codeOf(publishing({ ...input, dryRun }, io)));
      expect([place, ...(await Promise.all(codes))]).toEqual([place, 'PUBLISH_PLACE 6', 'PUBLISH_PLACE 6']);
    }
  }
  expect(await readdir(folder, { recursive: true })).toEqual(before);
  for (const place of ['oem-public', 'a/b/', 'oem/public', `${folder}/keys/public`]) {
    expect((await publish(repository, place)).written).toHaveLength(5);
  }
});

test('a run that is overtaken by another does not take Timestamp back', async () => {
  await using repository = await released();
  await publish(repository);
  await repository.addImage(MCU, 1);
  await repository.sign(ONLINE, ONLINE);
  const { io } = repository;
  let overtaken = false;
  const write: Io['files']['write'] = async (path, bytes, options) => {
    if (path.endsWith('2.snapshot.json') && !overtaken) {
      overtaken = true;
      io.clock.advance(43_260);
      await repository.renew('timestamp');
      await publish(repository);
    }
    await io.files.write(path, bytes, options);
  };
  expect(await codeOf(publish(repository, 'public', { ...io, files: { ...io.files, write } }))).toBe('PUBLISH_NEWER 6');
  const file = JSON.parse(await readFile(`${repository.folder}/public/metadata/timestamp.json`, 'utf8')) as {
    signed: { version: number };
  };
  expect(file.signed.version).toBe(3);
});

describe('links in the folder', () => {
  test('are not followed out of it, and nothing is written', async () => {
    await using repository = await released();
    for (const inside of ['metadata', 'targets', 'targets/EV-1']) {
      const outside = `${repository.folder}/outside-${inside.replace('/', '-')}`;
      const folder = `tree-of-${inside.replace('/', '-')}`;
      await mkdir(outside);
      await mkdir(`${repository.folder}/${folder}/targets`, { recursive: true });
      if (inside === 'targets') await rm(`${repository.folder}/${folder}/targets`, { recursive: true });
      await symlink(outside, `${repository.folder}/${folder}/${inside}`);
      expect(await codeOf(publish(repository, folder))).toBe('PUBLISH_LINK 6');
      expect(await readdir(outside)).toEqual([]);
    }
  });

  test('in the place of a file become the file; the folder itself may be reached through one', async () => {
    await using repository = await released();
    const { written } = await publish(repository);
    const [target = ''] = written;
    const at = (path: string): string => `${repository.folder}/${path}`;
    await rename(at(`public/${target}`), at('elsewhere.bin'));
    await symlink(at('elsewhere.bin'), at(`public/${target}`));
    await rename(at('public/metadata/1.snapshot.json'), at('elsewhere.json'));
    await symlink(at('elsewhere.json'), at('public/metadata/1.snapshot.json'));
    await symlink(at('public'), at('www'));
    expect((await publish(repository, 'www')).written).toEqual([target, 'metadata/1.snapshot.json']);
    expect((await lstat(at(`public/${target}`))).isFile()).toBe(true);
    expect((await publish(repository, 'www')).written).toEqual([]);
  });
});

describe('killed at any call', () => {
  test('the tree is one that a client of others accepts, and the next upload list holds what the killed run wrote', async () => {
    await using repository = await released(TUF_JS_NOW);
    await publish(repository);
    const { choice, folder, io } = repository;
    await exportRoot({ repository: choice, role: 'root', out: 'pinned.json', overwrite: true }, io);
    await repository.addImage(MCU, 1);
    await repository.sign(ONLINE, ONLINE);
    await using server = await serveFolder(folder);
    const versions = new Set<number>();
    let whole: readonly string[] = [];
    for (let at = 1; ; at++) {
      const tree = `public-${at}`;
      await cp(`${folder}/public`, `${folder}/${tree}`, { recursive: true });
      const killed = killedAt(io, at);
      const code = await codeOf(publish(repository, tree, killed.io));
      versions.add(await updated(`${folder}/car-${at}`, `${server.url}/${tree}`, `${folder}/pinned.json`));
      if (code === 'nothing thrown') break;
      await publish(repository, tree);
      const listed = (await readFile(`${folder}/uploads.txt`, 'utf8')).split('\n').slice(0, -1);
      if (at === 1) whole = listed;
      expect(listed.at(-1)).toBe('metadata/timestamp.json');
      expect([...listed].sort()).toEqual([...whole].sort());
    }
    expect([...versions].sort((a, b) => a - b)).toEqual([1, 2]);
  });
});

/** Updates with tuf-js from a fresh folder, and downloads every target that is there; gives the version of Targets. */
async function updated(folder: string, url: string, root: string): Promise<number> {
  const client = await tufJsClient(folder, await readFile(root), { url });
  for (const name of [BMS, MCU]) await client.download(name);
  return await client.version('targets');
}
