/** Recorded sessions of `publish kit` and `verify kit`: the honest run, and what an attacker with the stick may try. */
import { cp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportRoot } from '../ops/repository/root-export.ts';
import { CAR_1, CAR_2, filesIn, kitSession, kitVerdict, ROLE_KEYS } from '../testing/kit-session.ts';
import { releaseSession, TEST_PLAN } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { repositoryWithRoot } from '../testing/signed-repository.ts';

const DAY = 86_400;

async function copyOf(session: CliSession, name: string): Promise<string> {
  await cp(session.path('kit'), session.path(name), { recursive: true });
  return session.path(name);
}

describe('a kit of one release', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await kitSession();
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('U17 holds metadata, sealed payloads and one vehicle’s envelopes, and nothing clear', async () => {
    const files = await filesIn(session, 'kit');
    expect(files.filter((path) => !path.startsWith('image/targets/'))).toEqual([
      'image/metadata/1.root.json',
      'image/metadata/1.snapshot.json',
      'image/metadata/1.targets.json',
      'image/metadata/timestamp.json',
      'kit.json',
      'map.json',
    ]);
    expect(
      files
        .filter((path) => path.startsWith('image/targets/'))
        .map((path) => path.replace(/[0-9a-f]{64}/, 'HASH'))
        .toSorted(),
    ).toEqual(
      [
        'image/targets/bundles/r1/HASH.ZG_BODY.otap.sev',
        'image/targets/bundles/r1/HASH.ZG_BODY.otap.sevk',
        'image/targets/bundles/r1/HASH.ZG_DRIVE.otap.sev',
        'image/targets/bundles/r1/HASH.ZG_DRIVE.otap.sevk',
      ].toSorted(),
    );
  });

  test('verifies offline, for the vehicle and without one, and decrypts from the stick', async () => {
    expect(await kitVerdict(session, 'kit')).toEqual([0]);
    expect(await kitVerdict(session, `kit --vehicle ${CAR_1} --release r1`)).toEqual([0]);
    const text = await session.ok(`verify kit kit --root trust/root.json --vehicle ${CAR_1}`);
    expect(text).toMatch(/7 checks passed\nkit: VERIFIED/);
    const sealed = (await filesIn(session, 'kit')).find((path) => path.endsWith('ZG_BODY.otap.sev')) ?? '';
    await session.ok(`decrypt kit/${sealed} --key keys/car-1.key -o received.otap`);
    await session.ok('verify bundle received.otap --root trust/root.json --metadata kit/image/metadata');
  });

  test('is refused for a vehicle it has no envelopes of, or for another release', async () => {
    expect(await kitVerdict(session, `kit --vehicle ${CAR_2}`)).toEqual([3, 'envelopes ENVELOPE_NOT_FOUND']);
    expect(await kitVerdict(session, 'kit --release r2')).toEqual([3, 'release KIT_TARGET_MISSING']);
  });

  test('made again with more vehicles changes envelopes alone; what it no longer needs goes away', async () => {
    await copyOf(session, 'again');
    await session.write('cars.txt', `${CAR_2} # the second\n`);
    const more = `publish kit again --release r1 --vehicle ${CAR_1} --vehicles cars.txt --upload-list copy.txt`;
    const { result } = await session.json(more);
    expect(result).toMatchObject({ envelopes: 4, removed: [], unchanged: 7 });
    const list = (await readFile(session.path('copy.txt'), 'utf8')).split('\n').slice(0, -1);
    expect(list).toHaveLength(3);
    expect(list.at(-1)).toBe('kit.json');
    expect(await kitVerdict(session, `again --vehicle ${CAR_2}`)).toEqual([0]);
    await session.ok(`sign targets snapshot timestamp ${ROLE_KEYS}`);
    session.clock.advance(DAY / 2 + 60);
    await session.ok(`renew ${ROLE_KEYS} --within 20h`);
    const renewed = await session.json(more);
    expect(renewed.result).toMatchObject({ written: ['image/metadata/timestamp.json', 'kit.json'] });
    expect(await kitVerdict(session, `again --vehicle ${CAR_2}`)).toEqual([0]);
  });

  test('what a killed run left unfinished does not stay in the way', async () => {
    await copyOf(session, 'unfinished');
    const name = `.secureev-${'0'.repeat(32)}.tmp`;
    for (const folder of ['unfinished', 'unfinished/image/metadata', 'begun'])
      await session.write(`${folder}/${name}`, 'half');
    expect(await kitVerdict(session, 'unfinished')).toEqual([3, 'files KIT_FILE_UNKNOWN']);
    for (const kit of ['unfinished', 'begun']) {
      await session.ok(`publish kit ${kit} --release r1 --vehicle ${CAR_1}`);
      expect(await kitVerdict(session, kit)).toEqual([0]);
    }
  });

  test('what is missing is said before anything is written', async () => {
    const codes = await Promise.all(
      [
        'publish kit k1 --release r1',
        `publish kit k1 --release r9 --vehicle ${CAR_1}`,
        'publish kit k1 --release r1 --vehicle 1FTFW1ET5DFC10312',
        `publish kit keys --release r1 --vehicle ${CAR_1}`,
      ].map(async (line) => (await session.json(line)).error?.code),
    );
    expect(codes).toEqual(['USAGE', 'RELEASE_UNKNOWN', 'VEHICLE_UNKNOWN', 'KIT_OCCUPIED']);
    await session.ok(`envelope remove bundles/r1/ZG_BODY.otap.sev --vehicle ${CAR_2}`);
    const { status, error } = await session.json(`publish kit k1 --release r1 --vehicle ${CAR_2}`);
    expect([status, error?.code]).toEqual([6, 'KIT_ENVELOPE_MISSING']);
    expect(await readdir(session.folder)).not.toContain('k1');
    expect((await session.json(`publish kit k1 --release r1 --vehicle ${CAR_1} --dry-run`)).ok).toBe(true);
    expect(await readdir(session.folder)).not.toContain('k1');
  });
});

describe('a stick in the hands of an attacker', () => {
  let session: CliSession;
  let sealed: readonly string[];
  beforeAll(async () => {
    session = await kitSession();
    sealed = (await filesIn(session, 'kit')).filter((path) => path.endsWith('.sev'));
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('stale: passes no longer than was accepted, says so, and only Timestamp and Snapshot', async () => {
    session.clock.advance(3 * DAY);
    expect(await kitVerdict(session, 'kit')).toEqual([3, 'expiry TRUST_EXPIRED']);
    const { result, status } = await session.json('verify kit kit --root trust/root.json --max-staleness 30d');
    expect(status).toBe(0);
    expect(result?.['stale']).toEqual([expect.stringMatching(/^timestamp 1 expired 2/)]);
    expect(await session.ok('verify kit kit --root trust/root.json --max-staleness 30d')).toMatch(/STALE: timestamp 1/);
    session.clock.advance(40 * DAY);
    expect(await kitVerdict(session, 'kit --max-staleness 30d')).toEqual([3, 'expiry TRUST_EXPIRED']);
    session.clock.advance(400 * DAY);
    expect(await kitVerdict(session, 'kit --max-staleness 3650d')).toEqual([3, 'expiry TRUST_EXPIRED']);
    session.clock.advance(-443 * DAY);
  });

  test('envelopes exchanged between payloads, and an escrow envelope slipped in', async () => {
    const kit = await copyOf(session, 'swapped');
    const [a = '', b = ''] = sealed.map((path) => `${kit}/${path}k`);
    await rename(a, `${kit}/x`);
    await rename(b, a);
    await rename(`${kit}/x`, b);
    expect(await kitVerdict(session, 'swapped')).toEqual([3, 'envelopes ENVELOPE_REFUSED']);
    const escrow = await copyOf(session, 'escrow');
    const all = await readFile(session.path('sealed/ZG_BODY.otap.sevk'));
    const body = sealed.find((path) => path.endsWith('ZG_BODY.otap.sev')) ?? '';
    await writeFile(`${escrow}/${body}k`, all);
    expect(await kitVerdict(session, 'escrow')).toEqual([3, 'envelopes ENVELOPE_REFUSED']);
    await writeFile(`${escrow}/${body}k`, all.subarray(0, 40));
    expect(await kitVerdict(session, 'escrow')).toEqual([3, 'envelopes ENVELOPE_MALFORMED']);
  });

  test('a root of another repository, also one that the kit brings along', async () => {
    await using other = await repositoryWithRoot();
    await exportRoot({ repository: other.choice, role: 'root', out: 'root.json', overwrite: false }, other.io);
    const line = `verify kit kit --root ${other.folder}/root.json`;
    expect((await session.json(line)).status).toBe(3);
    const inside = await session.json('verify kit kit --root kit/image/metadata/1.root.json');
    expect([inside.status, inside.error?.code]).toEqual([3, 'ROOT_INSIDE_TREE']);
  });

  test('links in the place of files and folders', async () => {
    const [path = ''] = sealed;
    const file = await copyOf(session, 'link-file');
    await rename(`${file}/${path}`, session.path('elsewhere.sev'));
    await symlink(session.path('elsewhere.sev'), `${file}/${path}`);
    expect(await kitVerdict(session, 'link-file')).toEqual([3, 'files KIT_LINK']);
    const folder = await copyOf(session, 'link-folder');
    await rename(`${folder}/image/metadata`, session.path('metadata-elsewhere'));
    await symlink(session.path('metadata-elsewhere'), `${folder}/image/metadata`);
    expect(await kitVerdict(session, 'link-folder')).toEqual([3, 'files KIT_LINK']);
    const index = await copyOf(session, 'link-index');
    await rename(`${index}/kit.json`, session.path('kit-elsewhere.json'));
    await symlink(session.path('kit-elsewhere.json'), `${index}/kit.json`);
    expect(await kitVerdict(session, 'link-index')).toEqual([3, 'files KIT_LINK']);
  });

  test('a payload that is missing, also from the list; one that is changed; one too many', async () => {
    const [path = ''] = sealed;
    const missing = await copyOf(session, 'missing');
    await rm(`${missing}/${path}`);
    expect(await kitVerdict(session, 'missing')).toEqual([3, 'files KIT_FILE_MISSING']);
    await rm(`${missing}/${path}k`);
    const index = JSON.parse(await readFile(`${missing}/kit.json`, 'utf8')) as { files: string[] };
    const files = index.files.filter((name) => !name.startsWith(path));
    await writeFile(`${missing}/kit.json`, JSON.stringify({ ...index, files }));
    expect(await kitVerdict(session, 'missing')).toEqual([3, 'release KIT_TARGET_MISSING']);

    const changed = await copyOf(session, 'changed');
    const bytes = await readFile(`${changed}/${path}`);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(`${changed}/${path}`, bytes);
    expect(await kitVerdict(session, 'changed')).toEqual([3, 'targets TRUST_ARBITRARY_SOFTWARE']);

    const more = await copyOf(session, 'more');
    await writeFile(`${more}/image/targets/autorun.inf`, 'x');
    expect(await kitVerdict(session, 'more')).toEqual([3, 'files KIT_FILE_UNKNOWN']);
    await writeFile(
      `${more}/kit.json`,
      (await readFile(`${more}/kit.json`, 'utf8')).replace('[', '["image/targets/autorun.inf",'),
    );
    expect(await kitVerdict(session, 'more')).toEqual([3, 'targets KIT_FILE_UNKNOWN']);
    const map = await copyOf(session, 'map');
    await writeFile(`${map}/map.json`, (await readFile(`${map}/map.json`, 'utf8')).replace('image/', 'http://evil/'));
    expect(await kitVerdict(session, 'map')).toEqual([3, 'files KIT_MALFORMED']);
    await writeFile(`${more}/kit.json`, '{"files":["image/../../etc/passwd"]}');
    expect(await kitVerdict(session, 'more')).toEqual([3, 'files KIT_MALFORMED']);
  });
});

test('a kit of a release that is not confidential has its bundles, and needs no vehicle', async () => {
  await using session = await releaseSession();
  await session.write('release.yaml', `${TEST_PLAN}confidential: false\n`);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  const early = await session.json('publish kit kit --release r1');
  expect(early.error?.code).toBe('ROLE_NOT_COMPLETE');
  await session.ok(`sign targets snapshot timestamp ${ROLE_KEYS}`);
  const { result } = await session.json('publish kit kit --release r1');
  expect(result).toMatchObject({ targets: ['bundles/r1/ZG_BODY.otap', 'bundles/r1/ZG_DRIVE.otap'], envelopes: 0 });
  expect(await kitVerdict(session, 'kit')).toEqual([0]);
  const all = await session.json('publish kit everything');
  expect(all.result?.['targets']).toHaveLength(5);
  expect(await kitVerdict(session, 'everything')).toEqual([0]);
});
