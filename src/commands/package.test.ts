/** Recorded sessions of ecu import, ecu list and package. */
import { cp, readdir, rm, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { equalBytes } from '../core/bytes.ts';
import { releaseSession, TEST_PLAN, TEST_REGISTRY, testFirmware } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const PACKAGE = 'package release.yaml --key keys/targets.key';

let session: CliSession;
beforeAll(async () => {
  session = await releaseSession();
});
afterAll(async () => session[Symbol.asyncDispose]());

/** Works on a copy of the repository, so that tests do not see each other's releases. */
async function onCopy<T>(name: string, work: (env: { SECUREEV_REPO: string }) => Promise<T>): Promise<T> {
  await cp(session.path('oem'), session.path(name), { recursive: true });
  return work({ SECUREEV_REPO: name });
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(session.path(folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function codeOf(line: string, plan: string, env: Record<string, string>): Promise<string> {
  await session.write('plan.yaml', plan);
  const { status, error } = await session.json(line, { env });
  return error === undefined ? 'none' : `${error.code} ${status}`;
}

describe('ecu import and ecu list', () => {
  it('lists what was imported, and says what a second import changes', async () => {
    await onCopy('ecus', async (env) => {
      const { result } = await session.json('ecu list', { env });
      expect(result?.['gateways']).toMatchObject([
        { id: 'ZG_BODY', ecus: [{ id: 'BCM', hardware: 'bcm-a' }, { id: 'DOOR_L' }] },
        { id: 'ZG_DRIVE', ecus: [{ id: 'DOOR_R' }, { id: 'MCU', currentVersion: '1.0.0' }] },
      ]);
      expect((await session.json('ecu import registry.yaml', { env })).result).toMatchObject({
        added: 0,
        changed: 0,
        removed: 0,
        same: 6,
      });
      await session.write(
        'other.yaml',
        TEST_REGISTRY.replace('name: Motor', 'name: Engine').replace('DOOR_R', 'DOOR_2'),
      );
      const other = await session.ok('ecu import other.yaml --replace --dry-run', { env });
      expect(other).toBe(
        'dry run, nothing was changed:\nmodel EV-1: 2 gateways and 4 ECUs: 1 added, 1 changed, 1 removed, 4 same\n',
      );
      await session.write('smaller.yaml', TEST_REGISTRY.replace(/ {2}- id: ZG_DRIVE[^]*/, ''));
      const kept = await session.json('ecu import smaller.yaml', { env });
      expect(kept.result).toMatchObject({ gateways: 1, ecus: 2, changed: 0, removed: 0 });
      const replaced = await session.json('ecu import smaller.yaml --replace --dry-run', { env });
      expect(replaced.result).toMatchObject({ removed: 3 });
      expect((await session.ok('ecu list', { env })).split('\n')).toHaveLength(6);
    });
  });

  it('refuses a registry with an unknown field, and changes nothing', async () => {
    await session.write('bad.yaml', TEST_REGISTRY.replace('name: Body', 'nam: Body'));
    const { status, error } = await session.json('ecu import bad.yaml');
    expect([status, error?.code]).toEqual([4, 'YAML_FIELD_UNKNOWN']);
  });
});

describe('package', () => {
  it('writes one bundle per gateway and stages images and bundles', async () => {
    await onCopy('one', async (env) => {
      const { status, result } = await session.json(`${PACKAGE} --out one-out`, { env });
      expect(status).toBe(0);
      expect(result).toMatchObject({
        release: 'r1',
        confidential: true,
        role: 'targets',
        bundles: [
          { path: 'one-out/ZG_BODY.otap', target: 'bundles/r1/ZG_BODY.otap', ecus: ['BCM', 'DOOR_L'] },
          { path: 'one-out/ZG_DRIVE.otap', ecus: ['DOOR_R', 'MCU'] },
        ],
      });
      expect(await filesBelow('one-out')).toEqual(['ZG_BODY.otap', 'ZG_DRIVE.otap']);
      expect(await filesBelow('one/objects')).toEqual([]);
      const targets = await session.json('target list', { env });
      expect(targets.result?.['targets']).toMatchObject([
        { name: 'EV-1/BCM/1.1.0/bcm.bin', custom: { hardwareIds: ['bcm-a'], releaseCounter: 1, version: '1.1.0' } },
        { name: 'EV-1/DOOR/1.1.0/door.bin', length: 20_000, custom: { hardwareIds: ['door-b', 'door-c'] } },
        { name: 'EV-1/MCU/2.0.0/mcu.bin' },
        { name: 'bundles/r1/ZG_BODY.otap', confidential: true, custom: { hardwareIds: ['ZG_BODY'], version: 'r1' } },
        { name: 'bundles/r1/ZG_DRIVE.otap' },
      ]);
      expect((await session.run(`${PACKAGE} --out two-out`, { env })).status).toBe(6);
      expect(await filesBelow('two-out')).toEqual([]);
    });
  });

  it('puts what is required first in the install order', async () => {
    await onCopy('order', async (env) => {
      await session.ok(`${PACKAGE} --out order-out`, { env });
      const { result } = await session.json('inspect order-out/ZG_BODY.otap');
      expect(result?.['facts']).toMatchObject({
        installOrder: [1, 0],
        images: [
          { target: 'EV-1/BCM/1.1.0/bcm.bin', requires: [{ kind: 'type', name: 'DOOR', version: '1.1.0' }] },
          {
            target: 'EV-1/DOOR/1.1.0/door.bin',
            ecus: [{ id: 'DOOR_L', hardwareId: 'door-b', currentVersion: '1.0.0' }],
          },
        ],
      });
    });
  });

  it('makes the same bytes from the same inputs with SOURCE_DATE_EPOCH', async () => {
    const [a, b] = await Promise.all(
      ['same-a', 'same-b'].map((name) =>
        onCopy(name, async (env) => {
          await session.ok(`${PACKAGE} --out ${name}-out`, { env: { ...env, SOURCE_DATE_EPOCH: '1795219200' } });
          return session.read(`${name}-out/ZG_BODY.otap`);
        }),
      ),
    );
    expect(a !== undefined && b !== undefined && equalBytes(a, b)).toBe(true);
    expect((await session.json('inspect same-a-out/ZG_BODY.otap')).result?.['facts']).toMatchObject({
      time: '2026-11-21T00:00:00Z',
    });
    const other = await onCopy('other', async (env) => {
      await session.ok(`${PACKAGE} --out other-out`, { env });
      return session.read('other-out/ZG_BODY.otap');
    });
    expect(a !== undefined && equalBytes(a, other)).toBe(false);
    expect(await codeOf(PACKAGE, TEST_PLAN, { SOURCE_DATE_EPOCH: 'today' })).toBe('USAGE 2');
  });

  it('keeps the bytes of a release that is not confidential, and takes a target from them', async () => {
    await onCopy('clear', async (env) => {
      await session.write('plan.yaml', `confidential: false\n${TEST_PLAN}`);
      await session.ok('package plan.yaml --key keys/targets.key --out clear-out', { env });
      const objects = await filesBelow('clear/objects');
      expect(objects).toHaveLength(5);
      const modes = objects.map(
        async (path) => (await stat(session.path(`clear/objects/${path.slice(0, 2)}/${path}`))).mode & 0o777,
      );
      expect(new Set(await Promise.all(modes))).toEqual(new Set([0o600, 0o644]));
      expect((await stat(session.path('clear-out/ZG_BODY.otap'))).mode & 0o044).toBe(0o044);
      const next = `release: r2\nmodel: EV-1\nimages:\n  - { type: DOOR, version: 1.1.0, target: EV-1/DOOR/1.1.0/door.bin }\n`;
      await session.write('plan.yaml', next);
      await session.ok('package plan.yaml --key keys/targets.key --out clear-out-2', { env });
      const { result } = await session.json('inspect clear-out-2/ZG_BODY.otap');
      expect(result?.['facts']).toMatchObject({ releaseCounter: 2, images: [{ releaseCounter: 1, ecuType: 'DOOR' }] });
    });
  });

  it('stores what does not compress as it is', async () => {
    await onCopy('raw', async (env) => {
      let state = 1;
      const noise = Uint8Array.from({ length: 5000 }, () => (state = (state * 48_271) % 2_147_483_647) & 0xff);
      await session.write('fw/noise.bin', noise);
      await session.write(
        'plan.yaml',
        'release: n\nmodel: EV-1\nimages:\n  - { type: MCU, version: 3, file: fw/noise.bin }\n',
      );
      await session.ok('package plan.yaml --key keys/targets.key --out raw-out', { env });
      const { result } = await session.json('inspect raw-out/ZG_DRIVE.otap');
      expect(result?.['facts']).toMatchObject({ zstdLibrary: null, images: [{ codec: 'raw', storedBytes: 5000 }] });
    });
  });

  it('changes nothing in a dry run', async () => {
    await onCopy('dry', async (env) => {
      const before = await session.json('target list', { env });
      await session.ok(`${PACKAGE} --out dry-out --dry-run`, { env });
      await expect(readdir(session.path('dry-out'))).rejects.toThrow('ENOENT');
      expect(await session.json('target list', { env })).toEqual(before);
      await session.ok(`${PACKAGE} --out dry-out`, { env });
    });
  });

  const image = (fields: string): string => `release: r9\nmodel: EV-1\nimages:\n  - { ${fields} }\n`;

  it.each<[string, string, string]>([
    [
      'a model that is not registered',
      image('type: BCM, version: 1, file: fw/bcm.bin').replace('EV-1', 'EV-9'),
      'RELEASE_MODEL_UNKNOWN 6',
    ],
    ['a type that is not registered', image('type: X, version: 1, file: fw/bcm.bin'), 'RELEASE_ECU_UNKNOWN 6'],
    ['an ECU that is not registered', image('ecu: X, version: 1, file: fw/bcm.bin'), 'RELEASE_ECU_UNKNOWN 6'],
    [
      'a requirement that nothing meets',
      image('type: BCM, version: 1, file: fw/bcm.bin, requires: [{ ecu: MCU, version: 9 }]'),
      'RELEASE_REQUIREMENT_UNMET 6',
    ],
    [
      'a requirement of an ECU that is not there',
      image('type: BCM, version: 1, file: fw/bcm.bin, requires: [{ ecu: X, version: 1 }]'),
      'RELEASE_REQUIREMENT_UNMET 6',
    ],
    [
      'images that conflict',
      `${image('type: BCM, version: 1, file: fw/bcm.bin, conflicts: [MCU = 9]')}  - { ecu: MCU, version: 9, file: fw/mcu.bin }\n`,
      'RELEASE_CONFLICT 6',
    ],
    [
      'a target whose bytes are not kept',
      image('type: BCM, version: 1, target: EV-1/BCM/1/bcm.bin'),
      'RELEASE_SOURCE_MISSING 6',
    ],
    [
      'a delta',
      image('type: BCM, version: 1, file: fw/bcm.bin, base: EV-1/BCM/0/bcm.bin'),
      'RELEASE_DELTA_UNSUPPORTED 6',
    ],
    ['a file that is not there', image('type: BCM, version: 1, file: fw/none.bin'), 'FILE_NOT_FOUND 5'],
    ['an empty file', image('type: BCM, version: 1, file: fw/empty.bin'), 'IMAGE_EMPTY 4'],
    ['a path outside', image('type: BCM, version: 1, file: ../fw/bcm.bin'), 'YAML_PATH_REFUSED 4'],
    ['an unknown field', image('type: BCM, version: 1, file: fw/bcm.bin, url: x'), 'YAML_FIELD_UNKNOWN 4'],
    ['a file name that no target can have', image('type: BCM, version: 1, file: "fw/a b.bin"'), 'VALUE_MALFORMED 4'],
  ])('refuses %s, and leaves no file', async (_, plan, expected) => {
    await session.write('fw/empty.bin', '');
    expect(await codeOf('package plan.yaml --key keys/targets.key --out refused', plan, {})).toBe(expected);
    expect(await filesBelow('refused')).toEqual([]);
  });

  it('refuses keys that are not enough: none, of another role', async () => {
    expect(await codeOf('package plan.yaml --out refused', TEST_PLAN, {})).toBe('BUNDLE_THRESHOLD 6');
    const snapshot = 'package plan.yaml --out refused --key keys/snapshot.key';
    expect(await codeOf(snapshot, TEST_PLAN, {})).toBe('BUNDLE_THRESHOLD 6');
    expect(await filesBelow('refused')).toEqual([]);
  });

  it('refuses other content under a known name, and a release counter that does not rise', async () => {
    await onCopy('rise', async (env) => {
      await session.ok(`${PACKAGE} --out rise-out`, { env });
      await session.write('fw/changed/bcm.bin', testFirmware(100, 9));
      const changed = image('type: BCM, version: 1.1.0, file: fw/changed/bcm.bin');
      const line = 'package plan.yaml --key keys/targets.key --out refused';
      expect(await codeOf(line, changed, env)).toBe('RELEASE_TARGET_CHANGED 6');
      const low = image('type: BCM, version: 1.2.0, file: fw/bcm.bin, release_counter: 1');
      expect(await codeOf(line, low, env)).toBe('COUNTER_TAKEN 6');
      expect(await codeOf(line, image('type: BCM, version: 1.2.0, file: fw/bcm.bin, release_counter: 50'), env)).toBe(
        'none',
      );
      const { result } = await session.json('inspect refused/ZG_BODY.otap');
      expect(result?.['facts']).toMatchObject({ releaseCounter: 50 });
      await rm(session.path('refused'), { recursive: true });
    });
  });

  it('refuses where a bundle is already, before any work', async () => {
    await session.write('taken/ZG_DRIVE.otap', 'mine');
    const { status, error } = await session.json(`${PACKAGE} --out taken`);
    expect([status, error?.code]).toEqual([5, 'FILE_EXISTS']);
    expect(await filesBelow('taken')).toEqual(['ZG_DRIVE.otap']);
  });
});
