/** Bundles of version 1 as recorded sessions: written, shown, refused for want of a signature, and vouched for by Targets. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { concatBytes, toHex } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { encodeFirmwareV1, encodeHeaderV1 } from '../formats/otap/v1.ts';
import { parseName } from '../core/brands.ts';
import { publishRelease, releaseSession, TEST_PLAN } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const WAIVED = ['manifest-signatures', 'hybrid', 'chunk-tree', 'hardware'].map((id) => `--allow-skip ${id}`).join(' ');
const TRUST = '--root trust/root.json --metadata public/metadata';

let session: CliSession;
beforeAll(async () => {
  session = await releaseSession({ scheme: 'ed25519' });
  await session.write('release.yaml', `${TEST_PLAN}confidential: false\n`);
  await session.ok('package release.yaml --out bundles --otap-version 1');
  await publishRelease(session);
});
afterAll(async () => {
  await session[Symbol.asyncDispose]();
});

async function verify(line: string) {
  const { status, error, result } = await session.json(`verify bundle ${line}`);
  const checks = (result?.['checks'] ?? []) as { id: string; status: string; code?: string }[];
  return {
    status,
    code: error?.code,
    checks: Object.fromEntries(checks.map((one) => [one.id, one.code ?? one.status])),
  };
}

test('the file is as FORMAT-V1.md has it: header, then each ECU with its image', async () => {
  const bytes = await session.read('bundles/ZG_BODY.otap');
  const image = await session.read('fw/bcm.bin');
  const names = { ecu: parseName('BCM'), currentVersion: parseName('1.0.0'), version: parseName('1.1.0') };
  const facts = encodeFirmwareV1({ ...names, sizeBytes: image.length, sha256: sha256('native', image) });
  const beginning = concatBytes(encodeHeaderV1(parseName('ZG_BODY'), 2), facts);
  expect(toHex(bytes.subarray(0, beginning.length))).toBe(toHex(beginning));
});

test('shown by inspect, with what it says and no more', async () => {
  const { result } = await session.json('inspect bundles/ZG_BODY.otap');
  expect(result?.['facts']).toMatchObject({ formatVersion: 1, gateway: 'ZG_BODY' });
  expect(result?.['facts']).not.toHaveProperty('release');
  type Shown = { ecu: string; version: string; currentVersion: string; sha256: string };
  const images = (result?.['facts'] as { images?: readonly Shown[] } | undefined)?.images ?? [];
  const bcm = toHex(sha256('native', await session.read('fw/bcm.bin')));
  expect(images.map(({ ecu, currentVersion, version }) => [ecu, currentVersion, version])).toEqual([
    ['BCM', '1.0.0', '1.1.0'],
    ['DOOR_L', '1.0.0', '1.1.0'],
  ]);
  expect(images[0]?.sha256).toBe(bcm);
});

test('has no signature: verification says so and refuses, whatever signed Targets says', async () => {
  const { status, code, checks } = await verify(`bundles/ZG_BODY.otap ${TRUST}`);
  expect([status, code]).toEqual([3, 'CHECK_SKIPPED']);
  expect(checks).toMatchObject({ 'manifest-signatures': 'skip', 'bundle-target': 'pass', 'image-targets': 'pass' });
  const { stderr } = await session.run(`verify bundle bundles/ZG_BODY.otap ${TRUST}`);
  expect(stderr).toContain('--allow-skip manifest-signatures');
});

test('told to let the missing checks pass, it is compared with signed Targets', async () => {
  const line = `bundles/ZG_BODY.otap ${TRUST} ${WAIVED}`;
  expect(await verify(line)).toMatchObject({ status: 0, checks: { 'image-content': 'pass', 'bundle-target': 'pass' } });
  expect((await session.run(`verify bundle ${line}`)).stdout).toContain('NOT SIGNED BY ANYONE');
  const unpacked = await session.json(`unpack bundles/ZG_BODY.otap -o images ${TRUST} ${WAIVED}`);
  expect([unpacked.status, unpacked.result?.['verified']]).toEqual([0, true]);
  expect(await session.read('images/ZG_BODY/BCM/1.1.0/image.bin')).toEqual(await session.read('fw/bcm.bin'));
});

test('one that signed Targets does not list is refused, also where all that can be waived is', async () => {
  const bytes = (await session.read('bundles/ZG_BODY.otap')).slice();
  const at = Buffer.from(bytes).indexOf('1.0.0');
  bytes[at] = 0x32;
  await session.write('other.otap', bytes);
  expect(await verify(`other.otap ${TRUST} ${WAIVED}`)).toMatchObject({ status: 3, code: 'TRUST_TARGET_NOT_FOUND' });
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await session.write('broken.otap', bytes);
  expect((await verify(`broken.otap ${TRUST} ${WAIVED}`)).checks).toMatchObject({ structure: 'OTAP_IMAGE_HASH' });
});

test('without metadata nothing stands behind it: what is unpacked is not called verified', async () => {
  const all = `${WAIVED} --allow-skip metadata --allow-skip expiry --allow-skip bundle-target --allow-skip image-targets`;
  expect(await verify(`bundles/ZG_DRIVE.otap --root trust/root.json ${all}`)).toMatchObject({ status: 0 });
  const line = `unpack bundles/ZG_DRIVE.otap -o loose --root trust/root.json ${WAIVED}`;
  expect((await session.json(line)).result?.['verified']).toBe(false);
  expect((await session.json('unpack bundles/ZG_DRIVE.otap -o looser --unverified')).result?.['verified']).toBe(false);
});

test('takes no keys, and cannot be sealed or signed by request', async () => {
  const keyed = await session.json('package release.yaml --out more --otap-version 1 --key keys/targets.key');
  expect([keyed.status, keyed.error?.code]).toEqual([2, 'USAGE']);
  const request = await session.json('request create bundle bundles/ZG_BODY.otap -o b.sigreq');
  expect([request.status, request.error?.code]).toEqual([3, 'OTAP_UNSIGNED']);
});
