/** Recorded sessions of `publish provisioning` and of the map file beside a published tree. */
import { execFileSync } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const KEYS = '--key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key';
const URLS = '--image-url https://updates.example/image --director-url https://updates.example/director';

async function filesIn(session: CliSession, folder: string): Promise<readonly string[]> {
  const entries = await readdir(session.path(folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return files.map((entry) => `${entry.parentPath}/${entry.name}`.slice(session.path(folder).length + 1)).toSorted();
}

describe('provisioning sets (U25)', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await releaseSession();
    await session.write('release.yaml', `${await readFile(session.path('release.yaml'), 'utf8')}confidential: false\n`);
    await session.ok('package release.yaml --key keys/targets.key --out bundles');
    await session.ok(`sign targets snapshot timestamp ${KEYS}`);
    await session.ok('publish image public');
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('of the Image repository: what is published, unnumbered, and the map', async () => {
    const { result } = await session.json(`publish provisioning factory ${URLS}`);
    expect(result).toMatchObject({ directorRoot: null, vehicles: 0, unchanged: 0 });
    expect(await filesIn(session, 'factory')).toEqual([
      'full/image/root.json',
      'full/image/snapshot.json',
      'full/image/targets.json',
      'full/image/timestamp.json',
      'full/map.json',
      'provisioning.json',
      'secureev_roots.h',
    ]);
    for (const [role, published] of [
      ['root', '1.root'],
      ['targets', '1.targets'],
      ['snapshot', '1.snapshot'],
      ['timestamp', 'timestamp'],
    ]) {
      expect(await session.read(`factory/full/image/${role}.json`)).toEqual(
        await session.read(`public/metadata/${published}.json`),
      );
    }
    const map = JSON.parse(await readFile(session.path('factory/full/map.json'), 'utf8')) as unknown;
    expect(map).toMatchObject({ repositories: { image: ['https://updates.example/image'] } });
    const about = JSON.parse(await readFile(session.path('factory/provisioning.json'), 'utf8')) as unknown;
    expect(about).toMatchObject({ format: 'secureev/provisioning/1', imageRoot: { version: 1 }, vehicle: null });
    expect((await session.json('inspect factory/provisioning.json')).result).toMatchObject({
      verified: false,
      kind: 'description of a provisioning set',
      facts: { imageRoot: (about as { imageRoot: unknown }).imageRoot, directorRoot: null, vehicle: null },
    });
    await session.write('cut.json', (await session.read('factory/provisioning.json')).slice(0, 100));
    const cut = await session.json('inspect cut.json');
    expect([cut.status, cut.error?.code]).toEqual([4, 'PROVISIONING_MALFORMED']);
    expect(cut.error?.message).toMatch(/^cut\.json: /);
  });

  test('T5 a client that begins with the full set goes on from it, and never behind it', async () => {
    await session.ok('publish provisioning factory');
    await cp(session.path('factory/full/image'), session.path('ecu'), { recursive: true });
    const verify = 'verify repository public --root trust/root.json --state ecu';
    await session.ok(verify);
    const old = await session.read('public/metadata/timestamp.json');
    session.clock.advance(43_300);
    await session.ok(`renew ${KEYS} --within 20h`);
    await session.ok('publish image public');
    await session.ok('publish provisioning factory');
    await cp(session.path('factory/full/image'), session.path('ecu'), { recursive: true });
    await writeFile(session.path('public/metadata/timestamp.json'), old);
    const { status, error } = await session.json(verify);
    expect([status, error?.code]).toEqual([3, 'TRUST_ROLLBACK']);
    await session.ok('publish image public');
  });

  test('the header compiles', async () => {
    await session.write(
      'main.c',
      '#define SECUREEV_ROOTS_IMPLEMENTATION\n#include "factory/secureev_roots.h"\nint main(void) { return secureev_image_root.key_count == 1 ? 0 : 1; }\n',
    );
    const flags = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic', '-o', 'roots', 'main.c'];
    execFileSync('gcc', flags, { cwd: session.folder });
    expect(() => execFileSync(session.path('roots'))).not.toThrow();
  });

  test('the same again writes only what is of its time; a dry run writes nothing', async () => {
    const { result } = await session.json('publish provisioning factory --dry-run');
    expect(result?.['unchanged']).toBeGreaterThanOrEqual(6);
    await session.ok('publish provisioning never --dry-run');
    expect(await readdir(session.folder)).not.toContain('never');
  });

  test('are refused for a vehicle without a Director, on hold, expired, or with a place that is none', async () => {
    await session.ok('vehicle add 5YJ3E1EA0KF000316 --model EV-1');
    const codeOf = async (line: string): Promise<unknown> => {
      const { status, error } = await session.json(line);
      return [status, error?.code];
    };
    expect(await codeOf('publish provisioning p --vehicle 5YJ3E1EA0KF000316')).toEqual([6, 'DIRECTOR_ROOT_MISSING']);
    expect(await codeOf('publish provisioning p --image-url ftp://x')).toEqual([4, 'MAP_MALFORMED']);
    expect(await codeOf('publish provisioning p --image-url https://u:p@x/')).toEqual([4, 'MAP_MALFORMED']);
    await session.ok("hold --reason 'keys in doubt'");
    expect(await codeOf('publish provisioning p')).toEqual([6, 'REPOSITORY_HELD']);
    await session.ok('hold --lift');
    session.clock.advance(30 * 86_400);
    expect(await codeOf('publish provisioning p')).toEqual([6, 'PUBLISH_REFUSED']);
    session.clock.advance(-30 * 86_400);
    expect(await readdir(session.folder)).not.toContain('p');
  });

  test('U18 publish image writes the map where it is told where the trees will be', async () => {
    const { result } = await session.json(`publish image public ${URLS}`);
    expect(result).toMatchObject({ written: ['map.json'] });
    const map = JSON.parse(await readFile(session.path('public/map.json'), 'utf8')) as unknown;
    expect(map).toMatchObject({ mapping: [{ repositories: ['image', 'director'], threshold: 2 }] });
    const alone = await session.json('publish image public --director-url https://updates.example/director');
    expect([alone.status, alone.error?.code]).toEqual([2, 'USAGE']);
  });
});
