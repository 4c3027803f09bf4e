/** A repository for aktualizr vehicles, as recorded sessions: made, signed, published, verified; what they cannot read is refused. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { TEST_REGISTRY } from '../testing/release-session.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const BRAKE = 'EV-1/BRAKE/1.0/brake.bin';
const ADD = `target add fw.bin --name ${BRAKE} --hardware H1 --release-counter 1 --version-id 1.0 --clear`;
const KEYS = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');
const SIGN = `sign targets snapshot timestamp ${KEYS}`;
const VERIFY = 'verify repository public --root root.json --state state';

let session: CliSession;
beforeEach(async () => {
  session = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse' } });
  await session.ok('init oem --name Test --dialect aktualizr');
  await session.write('fw.bin', 'brake firmware 1.0');
});
afterEach(async () => {
  await session[Symbol.asyncDispose]();
});

/** Keys of a scheme for all roles but root, which may have another. */
async function setKeys(scheme: string, rootScheme = scheme): Promise<void> {
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    await session.ok(`keygen ${role} --out keys --scheme ${role === 'root' ? rootScheme : scheme}`);
    await session.ok(`role set ${role} --key keys/${role}.pub`);
  }
  await session.ok('sign root --key keys/root.key');
  await session.ok('root export -o root.json');
}

async function published(): Promise<readonly string[]> {
  const names = await readdir(session.path('public'), { recursive: true, withFileTypes: true });
  const folder = session.path('public').length + 1;
  return names
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(folder))
    .toSorted();
}

interface WireFile {
  readonly signatures: readonly { keyid: string; method: string; sig: string }[];
  readonly signed: Record<string, unknown>;
}

async function wire(path: string): Promise<WireFile> {
  return JSON.parse(fromUtf8(await session.read(`public/metadata/${path}`))) as WireFile;
}

interface WireKey {
  readonly keytype: string;
  readonly keyval: { readonly public: string };
}

/** Whether node:crypto finds the signature good, by the key as the root lists it. */
function isGood({ keytype, keyval }: WireKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (keytype === 'RSA') {
    return verify('sha256', message, { key: createPublicKey(keyval.public), padding: 6, saltLength: 32 }, signature);
  }
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(keyval.public, 'hex')]);
  return verify(null, message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
}

/** What libaktualizr checks: canonical bytes, hashes over them, methods, signatures over compact JSON. */
async function requireReadable(): Promise<void> {
  const root = await wire('1.root.json');
  const keys = root.signed['keys'] as Record<string, WireKey>;
  for (const name of ['1.root.json', 'targets.json', 'snapshot.json', 'timestamp.json']) {
    const { signatures, signed } = await wire(name);
    const [{ keyid, method, sig } = { keyid: '', method: '', sig: '' }] = signatures;
    const key = keys[keyid] ?? { keytype: '', keyval: { public: '' } };
    const good = isGood(key, Buffer.from(JSON.stringify(signed)), Buffer.from(sig, 'base64'));
    expect([method, good]).toEqual([key.keytype === 'RSA' ? 'rsassa-pss-sha256' : 'ed25519', true]);
  }
  const { meta } = (await wire('timestamp.json')).signed as { meta: Record<string, { hashes: { sha256: string } }> };
  const sha256 = createHash('sha256')
    .update(await session.read('public/metadata/snapshot.json'))
    .digest('hex');
  expect(meta['snapshot.json']?.hashes).toEqual({ sha256 });
  expect((await wire('targets.json')).signed['targets']).toMatchObject({
    [BRAKE]: { custom: { hardwareIds: ['H1'] } },
  });
  expect((await wire('targets.json')).signed['targets']).not.toHaveProperty([BRAKE, 'custom', 'releaseCounter']);
}

describe.each([
  ['hybrid-ed25519', 'hybrid-ed25519'],
  ['ed25519', 'rsa-3072'],
])('keys of %s, root of %s', (scheme, rootScheme) => {
  beforeEach(() => setKeys(scheme, rootScheme));

  test('published un-numbered, roots numbered, firmware by its name; verified, downloaded, and read as libaktualizr does (U17)', async () => {
    await session.ok(ADD);
    await session.ok(SIGN);
    await session.ok('publish image public');
    expect(await published()).toEqual([
      'metadata/1.root.json',
      'metadata/snapshot.json',
      'metadata/targets.json',
      'metadata/timestamp.json',
      `targets/${BRAKE}`,
    ]);
    const { status } = await session.json(`${VERIFY} --target ${BRAKE} --out got`);
    expect(status).toBe(0);
    expect(fromUtf8(await session.read(`got/${BRAKE}`))).toBe('brake firmware 1.0');
    await requireReadable();
  });
});

describe('what such vehicles cannot read', () => {
  test('ECDSA keys, alone or hybrid, with a hint at the schemes that they read', async () => {
    for (const scheme of ['hybrid', 'ecdsa-p256']) {
      await session.ok(`keygen ${scheme} --out keys --scheme ${scheme}`);
      const { error, status } = await session.json(`role set root --key keys/${scheme}.pub`);
      expect([status, error?.code]).toEqual([6, 'KEY_UNSUITABLE']);
      expect(error?.hint).toContain('hybrid-ed25519');
    }
  });
});

test('signed by request; a delegated role in `delegations/`; roots rotate without gaps (U30, T3, U17)', async () => {
  await setKeys('hybrid-ed25519');
  await session.ok('keygen fw --out keys --scheme hybrid-ed25519');
  await session.ok(['delegation', 'add', 'fw', '--path', 'EV-1/*/*/*', '--key', 'keys/fw.pub']);
  await session.ok('request create targets -o t.sigreq');
  await session.ok('request sign t.sigreq --root root.json --key keys/targets.key -o t.sig --yes');
  await session.ok('request import t.sig');
  await session.ok(ADD);
  await session.ok('role change timestamp --expires 2d');
  await session.ok('sign root --key keys/root.key');
  await session.ok('sign fw snapshot timestamp --key keys/fw.key --key keys/snapshot.key --key keys/timestamp.key');
  await session.ok('publish image public');
  expect(await published()).toContain('metadata/delegations/fw.json');
  expect(await published()).toContain('metadata/2.root.json');
  expect((await session.json(`${VERIFY} --target ${BRAKE} --out got`)).status).toBe(0);
});

test('an image that a supplier delivers, without a counter in this dialect, is packaged and verified', async () => {
  await setKeys('ed25519');
  await session.write('registry.yaml', TEST_REGISTRY);
  await session.ok('ecu import registry.yaml');
  await session.ok('keygen acme --out keys --scheme ed25519');
  await session.ok("delegation add acme --path 'EV-1/MCU/*/*' --key keys/acme.pub");
  await session.ok(SIGN);
  await session.ok('publish image public');
  const image = 'EV-1/MCU/2.1/fw.bin';
  await session.ok(
    `delivery create acme ${image}=fw.bin --hardware mcu-d --release-counter 7 --tree public --root root.json --key keys/acme.key -o a.delivery`,
  );
  await session.ok('delivery import a.delivery');
  await session.ok(SIGN);
  const plan = `release: r1\nmodel: EV-1\nconfidential: false\nimages:\n  - { ecu: MCU, version: '2.1', target: ${image}, file: fw.bin }\n`;
  await session.write('release.yaml', plan);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  await session.ok(SIGN);
  await session.ok('publish image public');
  const trust = '--root root.json --metadata public/metadata';
  expect(await session.ok(`verify bundle bundles/ZG_DRIVE.otap ${trust}`)).toContain('VERIFIED');
});
