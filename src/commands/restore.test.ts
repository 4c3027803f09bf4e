/** Recorded sessions of `backup` and `restore` with a Director, and of kits with one. */
import { chmod, cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInstant } from '../core/brands.ts';
import { concatBytes } from '../core/bytes.ts';
import { encodeManifest } from '../formats/backup/manifest.ts';
import { encodeTarHeader } from '../formats/backup/tar.ts';
import { encodeKitIndex, kitMap } from '../formats/kit/kit-index.ts';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { releaseSession } from '../testing/release-session.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const CAR = '5YJ3E1EA0KF000316';
const KEYS = '--key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key';
const ROOTS = '--root trust/root.json --director-root trust/director.json';

/** A release that is encrypted, a Director, and a backup before the vehicle is assigned anything. */
async function begin(): Promise<CliSession> {
  const session = await releaseSession();
  for (const name of ['escrow', 'car-1']) {
    const { publicFile, keyFile } = encryptionKey(name);
    await session.write(`keys/${name}.pub`, publicFile);
    await session.write(`keys/${name}.key`, keyFile);
    await chmod(session.path(`keys/${name}.key`), 0o600);
  }
  await session.ok('role set escrow --key keys/escrow.pub');
  for (const name of ['director', 'online']) await session.ok(`keygen ${name} --out keys`);
  await session.ok('role set director/root --key keys/director.pub');
  await session.ok('role set director/targets --key keys/online.pub --expires 30d');
  for (const role of ['snapshot', 'timestamp']) await session.ok(`role set director/${role} --key keys/online.pub`);
  await session.ok('sign director/root --key keys/director.key');
  await session.ok('root export --director -o trust/director.json');
  await session.ok(`vehicle add ${CAR} --model EV-1 --encryption-key keys/car-1.pub`);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  await session.ok(`encrypt bundles/ZG_BODY.otap bundles/ZG_DRIVE.otap --vehicle ${CAR} --out sealed`);
  await session.ok(`sign targets snapshot timestamp ${KEYS}`);
  await session.ok('backup early.tar');
  await session.ok(`assign ${CAR} ZG_BODY=bundles/r1/ZG_BODY.otap`);
  await session.ok('sign director --key keys/online.key');
  await session.ok('publish image public/image');
  await session.ok('publish director public/director');
  return session;
}

async function codeOf(session: CliSession, line: string): Promise<unknown> {
  const { status, error } = await session.json(line);
  return [status, error?.code];
}

describe('a Director', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await begin();
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('in a kit: each vehicle’s metadata, matched with the Image repository', async () => {
    await session.ok(`publish kit kit --release r1 --vehicle ${CAR}`);
    const text = await session.ok(`verify kit kit ${ROOTS} --vehicle ${CAR}`);
    expect(text).toMatch(/1 vehicle, 1 image assigned, all as the Image repository has them/);
    expect(await codeOf(session, `verify kit kit ${ROOTS}`)).toEqual([0, undefined]);
    expect(await codeOf(session, 'verify kit kit --root trust/root.json')).toEqual([3, 'CHECK_SKIPPED']);
    expect(await codeOf(session, 'verify kit kit --root trust/root.json --allow-skip director')).toEqual([
      0,
      undefined,
    ]);
    session.clock.advance(26 * 3600);
    expect(await codeOf(session, `verify kit kit ${ROOTS}`)).toEqual([3, 'TRUST_EXPIRED']);
    const { result } = await session.json(`verify kit kit ${ROOTS} --max-staleness 60d`);
    const stale = (result?.['stale'] ?? []) as readonly string[];
    expect(
      stale.map((one) => one.replace(/ expired .* of vehicle .*/, ' of a vehicle').replace(/ expired .*/, '')),
    ).toEqual(['timestamp 1', 'director/timestamp 1 of a vehicle', 'director/snapshot 1 of a vehicle']);
    session.clock.advance(30 * 86_400);
    expect(await codeOf(session, `verify kit kit ${ROOTS} --max-staleness 60d`)).toEqual([3, 'TRUST_EXPIRED']);
    session.clock.advance(-30 * 86_400 - 26 * 3600);
    const wrong = 'verify kit kit --root trust/root.json --director-root trust/root.json';
    expect(await codeOf(session, wrong)).toEqual([3, 'TRUST_WRONG_REPOSITORY']);
  });

  test('in a kit of an attacker: the metadata of another vehicle, a payload taken away, an envelope exchanged', async () => {
    const at = (path: string): string => session.path(path);
    const [id = ''] = await readdir(at('kit/director/vehicles'));
    await cp(at('kit'), at('other'), { recursive: true });
    const other = 'f'.repeat(32);
    await rename(at(`other/director/vehicles/${id}`), at(`other/director/vehicles/${other}`));
    await writeFile(at('other/kit.json'), (await readFile(at('other/kit.json'), 'utf8')).replaceAll(id, other));
    expect(await codeOf(session, `verify kit other ${ROOTS}`)).toEqual([3, 'TRUST_WRONG_VEHICLE']);

    await session.ok(`publish kit drive --release r1 --vehicle ${CAR}`);
    const own = `director/vehicles/${id}/envelopes/bundles/r1/ZG_BODY.otap.sevk`;
    const names = await readdir(at('drive/image/targets/bundles/r1'));
    const drive = names.find((name) => name.endsWith('ZG_DRIVE.otap.sevk')) ?? '';
    await cp(at(`drive/image/targets/bundles/r1/${drive}`), at(`drive/${own}`));
    expect(await codeOf(session, `verify kit drive ${ROOTS}`)).toEqual([3, 'ENVELOPE_REFUSED']);
  });

  test('provisioning has both repositories and the vehicle’s own Director files', async () => {
    await session.ok(
      `publish provisioning factory --vehicle ${CAR} --image-url https://u.example/i --director-url https://u.example/d`,
    );
    const [id = ''] = await readdir(session.path('public/director/vehicles'));
    expect((await readdir(session.path(`factory/${id}/full/director`))).toSorted()).toEqual([
      'root.json',
      'snapshot.json',
      'targets.json',
      'timestamp.json',
    ]);
    expect(await readdir(session.path(`factory/${id}/partial/director`))).toEqual(['root.json', 'targets.json']);
    const published = await session.read(`public/director/vehicles/${id}/metadata/1.targets.json`);
    expect(await session.read(`factory/${id}/partial/director/targets.json`)).toEqual(published);
    const map = JSON.parse(await readFile(session.path(`factory/${id}/full/map.json`), 'utf8')) as unknown;
    expect(map).toMatchObject({ mapping: [{ repositories: ['image', 'director'], threshold: 2 }] });
  });

  test('of a backup is brought up to what vehicles were told; no number is given out twice', async () => {
    const elsewhere = 'restore early.tar new --published public/image --root trust/root.json';
    expect(await codeOf(session, elsewhere)).toEqual([2, 'RESTORE_DIRECTOR_MISSING']);
    expect(await readdir(session.folder)).not.toContain('new');
    expect(await codeOf(session, `${elsewhere} --published-director public/image`)).toEqual([3, 'RESTORE_OTHER']);
    const { result } = await session.json('restore early.tar new --published public --root trust/root.json');
    expect(result).toMatchObject({ directorVehicles: 1, lostEntries: 0 });
    await rm(session.path('oem'), { recursive: true });
    await rename(session.path('new'), session.path('oem'));
    expect(await session.ok(`vehicle show ${CAR}`)).toMatch(/ZG_BODY .*bundles\/r1\/ZG_BODY.otap/);
    await session.ok('publish director public/director --upload-list none.txt');
    expect(await readFile(session.path('none.txt'), 'utf8')).toBe('');
    await session.ok(`assign ${CAR} ZG_DRIVE=bundles/r1/ZG_DRIVE.otap`);
    await session.ok('sign director --key keys/online.key');
    await session.ok('publish director public/director --upload-list next.txt');
    const next = (await readFile(session.path('next.txt'), 'utf8')).split('\n').slice(0, -1);
    expect(next.map((path) => path.replace(/.*\//, ''))).toEqual([
      'ZG_DRIVE.otap.sevk',
      '2.targets.json',
      '2.snapshot.json',
      'timestamp.json',
    ]);
    await session.ok(`publish kit kit --release r1 --vehicle ${CAR}`);
    await session.ok(`verify kit kit ${ROOTS} --vehicle ${CAR}`);
  });
});

test('inspect tells what kits, maps and backups say of themselves', async () => {
  await using session = await cliSession();
  const at = parseInstant('2026-11-21T00:00:00Z', 'time');
  const repository = '01234567-89ab-4cde-8f01-23456789abcd';
  const index = {
    created: at,
    repository,
    release: 'r1',
    vehicles: 2,
    files: ['map.json', 'image/metadata/1.root.json'],
  };
  await session.write('kit.json', encodeKitIndex(index));
  await session.write('map.json', kitMap(true));
  const database = { sizeBytes: 1, sha256: new Uint8Array(32) };
  const objects = { count: 3, sizeBytes: 99 };
  const manifest = encodeManifest({ created: at, repository, name: 'Motors', schema: 2, database, objects });
  const header = encodeTarHeader({ name: 'backup.json', sizeBytes: manifest.length, modified: at });
  await session.write('b.tar', concatBytes(header, manifest));
  const kindOf = async (file: string): Promise<unknown> => (await session.json(`inspect ${file}`)).result;
  expect(await kindOf('kit.json')).toMatchObject({ kind: 'list of a kit', facts: { release: 'r1', count: 2 } });
  expect(await kindOf('map.json')).toMatchObject({ kind: 'map file', facts: { everyOneMustSign: true } });
  expect(await kindOf('b.tar')).toMatchObject({ kind: 'backup', facts: { name: 'Motors', objects: { count: 3 } } });
  const huge = encodeTarHeader({ name: 'backup.json', sizeBytes: 2 ** 40, modified: at });
  await session.write('huge.tar', concatBytes(huge, new Uint8Array(9000).fill(0x20)));
  expect(await codeOf(session, 'inspect huge.tar')).toEqual([4, 'BACKUP_MALFORMED']);
});

test('restore says what it needs, and backup what it would do', async () => {
  await using session = await releaseSession();
  expect(await codeOf(session, 'restore x.tar new')).toEqual([2, 'USAGE']);
  expect(await codeOf(session, 'restore x.tar new --published p --never-published')).toEqual([2, 'USAGE']);
  expect(await codeOf(session, 'restore x.tar new --never-published')).toEqual([5, 'FILE_NOT_FOUND']);
  expect((await session.json('backup b.tar --dry-run')).result).toMatchObject({ sizeBytes: 0, objects: 0 });
  expect(await codeOf(session, 'backup b.tar')).toEqual([0, undefined]);
  expect(await codeOf(session, 'backup b.tar')).toEqual([5, 'FILE_EXISTS']);
  expect(await codeOf(session, 'backup b.tar --overwrite')).toEqual([0, undefined]);
  const text = await session.ok('restore b.tar new --never-published --root trust/root.json');
  expect(text).toMatch(/^restored Test to new\n {2}made: /);
  expect(await session.ok('status', { env: { SECUREEV_REPO: 'new' } })).toMatch(/root/);
  expect((await readdir(session.folder)).toSorted()).toEqual([
    'b.tar',
    'fw',
    'keys',
    'new',
    'oem',
    'registry.yaml',
    'release.yaml',
    'trust',
  ]);
});
