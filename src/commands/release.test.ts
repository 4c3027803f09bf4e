/** Recorded sessions of release list and release show, of releases issued again, and of images that others delivered. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { releaseSession, TEST_PLAN } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const SIGN = 'sign targets snapshot timestamp --key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key';
const KEY = '--key keys/targets.key';
const SUITE = '--suite x25519+ecdsa-p256 --allow-kem MLKEM768-X25519';
const CAR = '5YJ3E1EA0KF000316';
const OPEN = `${TEST_PLAN}confidential: false\n`;
const BCM = 'EV-1/BCM/1.1.0/bcm.bin';

interface At {
  readonly env: { readonly SECUREEV_REPO: string };
}

let session: CliSession;
beforeAll(async () => {
  session = await releaseSession({ scheme: 'ecdsa-p256' });
  await session.write('open.yaml', `${OPEN}purpose: Fewer rattles\napprovals: [{ by: QA, on: 2026-11-20 }]\n`);
  await session.write('escrow.pub', encryptionKey('escrow').publicFile);
  await session.write('car.pub', encryptionKey('car').publicFile);
  await session.ok('keygen supplier --scheme ed25519 --out keys');
  await cp(session.path('oem'), session.path('open'), { recursive: true });
  await session.ok(`package open.yaml ${KEY} --out out`, { env: { SECUREEV_REPO: 'open' } });
});
afterAll(async () => session[Symbol.asyncDispose]());

let made = 0;
/** A copy of the repository, or of the one where release r1 is packaged. */
async function fresh(of: 'oem' | 'open' = 'oem'): Promise<At & { out: string }> {
  made += 1;
  await cp(session.path(of), session.path(`copy-${made}`), { recursive: true });
  return { env: { SECUREEV_REPO: `copy-${made}` }, out: `out-${made}` };
}

async function shown(at: At, name = 'r1'): Promise<Readonly<Record<string, unknown>>> {
  return (await session.json(`release show ${name}`, at)).result ?? {};
}

async function codeOf(line: string, at: At): Promise<string> {
  const { status, error } = await session.json(line, at);
  return error === undefined ? 'none' : `${status} ${error.code}`;
}

describe('release list and release show', () => {
  it('say what a release is, for whom, and how far it is (R1, R5)', async () => {
    const at = await fresh();
    expect(await session.ok('release list', at)).toBe('no releases\n');
    await session.ok(`package open.yaml ${KEY} --out ${at.out}`, at);
    expect(await shown(at)).toMatchObject({
      release: { name: 'r1', model: 'EV-1', state: 'staged', sealed: null, publishable: false, images: 3, bundles: 2 },
      purpose: 'Fewer rattles',
      approvals: [{ by: 'QA', on: '2026-11-20' }],
      images: [
        { target: BCM, ecus: ['BCM'], hardwareIds: ['bcm-a'], version: '1.1.0', releaseCounter: 1, role: 'targets' },
        {
          ecus: ['DOOR_L', 'DOOR_R'],
          hardwareIds: ['door-b', 'door-c'],
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        { ecus: ['MCU'] },
      ],
      bundles: [{ gateway: 'ZG_BODY', state: 'staged', sealed: null }, { gateway: 'ZG_DRIVE' }],
    });
    await session.ok(SIGN, at);
    expect((await session.json('release list', at)).result).toMatchObject({
      releases: [{ name: 'r1', state: 'complete', publishable: true }],
    });
    const text = await session.ok('release show r1', at);
    expect(text).toMatch(/purpose: +Fewer rattles/);
    expect(text).toMatch(/EV-1\/BCM\/1\.1\.0\/bcm\.bin +BCM +bcm-a +1\.1\.0 +1 .* targets 1/);
    expect(await session.ok('release list --model EV-2', at)).toBe('no releases\n');
    await session.ok(`target remove ${BCM}`, at);
    expect(await session.ok('release list', at)).toMatch(/no longer listed in full/);
  });

  it('follow a confidential release until it is sealed, and one issued again until it is sealed anew', async () => {
    const at = await fresh();
    await session.ok('role set escrow --key escrow.pub', at);
    await session.ok(`vehicle add ${CAR} --model EV-1 --encryption-key car.pub`, at);
    await session.ok(`package release.yaml ${KEY} --out ${at.out}`, at);
    await session.ok(SIGN, at);
    expect(await session.ok('release list', at)).toMatch(/signed, not sealed yet/);
    await session.ok(
      `encrypt ${at.out}/ZG_BODY.otap ${at.out}/ZG_DRIVE.otap ${SUITE} --vehicle ${CAR} --out ${at.out}`,
      at,
    );
    expect(await shown(at)).toMatchObject({
      release: { state: 'complete', sealed: false, publishable: false },
      bundles: [{ sealed: { state: 'staged', suite: 'x25519+ecdsa-p256', envelopes: 2 } }, { gateway: 'ZG_DRIVE' }],
    });
    await session.ok(SIGN, at);
    expect(await session.ok('release list', at)).toMatch(/signed, sealed, to be published/);
    await session.ok(`publish image ${at.out}-public`, at);
    expect(await session.ok('release list', at)).toMatch(/signed, sealed, published/);
    expect(await shown(at)).toMatchObject({ release: { publishable: true, published: true } });
    const reseal = `encrypt ${at.out}/ZG_BODY.otap ${SUITE} --vehicle ${CAR} --out ${at.out}-3 --reseal`;
    const listed = (await session.json('envelope list bundles/r1/ZG_BODY.otap.sev', at)).result;
    await session.ok(reseal, at);
    expect(await session.ok('release list', at)).toMatch(/signed, sealed|not sealed yet/);
    await session.ok('discard targets', at);
    expect(await session.ok('release list', at)).toMatch(/signed, sealed, published/);
    expect((await session.json('envelope list bundles/r1/ZG_BODY.otap.sev', at)).result).toEqual(listed);
    await session.ok('renew timestamp --within 2d --key keys/timestamp.key', at);
    expect(await session.ok('release list', at)).toMatch(/signed, sealed, to be published/);
    expect(await codeOf(`package --reissue r1 ${KEY} --out ${at.out}-2`, at)).toBe('6 RELEASE_SOURCE_MISSING');
    await session.ok(`package release.yaml --reissue r1 ${KEY} --out ${at.out}-2`, at);
    await session.ok(SIGN, at);
    expect(await shown(at)).toMatchObject({
      release: { state: 'complete', sealed: false, publishable: false },
      images: [{ releaseCounter: 2 }, {}, {}],
      bundles: [{ releaseCounter: 2, sealed: null }, { sealed: null }],
    });
  });

  it('say which bundles wait for signatures', async () => {
    const at = await fresh();
    await session.ok(`package open.yaml --incomplete --out ${at.out}`, at);
    expect(await session.ok('release list', at)).toMatch(/bundles wait for signatures/);
    expect(await shown(at)).toMatchObject({ bundles: [{ state: 'unsigned' }, { state: 'unsigned' }] });
  });

  it('refuse a release that is not there', async () => {
    expect(await codeOf('release show r9', await fresh())).toBe('6 RELEASE_UNKNOWN');
  });
});

describe('package --reissue', () => {
  it('builds a release again from the bytes that are kept, with a higher counter (U9, U33)', async () => {
    const at = await fresh('open');
    await session.write(
      'later.yaml',
      OPEN.replace('release: r1', 'release: r2').replaceAll('1.1.0', '1.2.0').replace('2.0.0', '2.1.0'),
    );
    await session.ok(`package later.yaml ${KEY} --out ${at.out}-2`, at);
    await session.ok(SIGN, at);
    const before = await shown(at);
    expect(await codeOf(`package open.yaml ${KEY} --out ${at.out}-3`, at)).toBe('6 RELEASE_NAME_TAKEN');
    expect((await session.json(`package --reissue r1 ${KEY} --out ${at.out}-3 --dry-run`, at)).status).toBe(0);
    expect(await shown(at)).toEqual(before);
    const { result } = await session.json(`package --reissue r1 ${KEY} --out ${at.out}-3`, at);
    expect(result).toMatchObject({
      images: [{ target: BCM, releaseCounter: 3 }, { releaseCounter: 3 }, { releaseCounter: 3 }],
    });
    const after = await shown(at);
    expect(after).toMatchObject({
      release: { state: 'staged' },
      images: [
        { target: BCM, releaseCounter: 3, hardwareIds: ['bcm-a'] },
        { releaseCounter: 3 },
        { releaseCounter: 3 },
      ],
      bundles: [{ releaseCounter: 3 }, { releaseCounter: 3 }],
    });
    const [first] = after['images'] as readonly { sha256: string }[];
    expect(before['images']).toMatchObject([{ sha256: first?.sha256 }, {}, {}]);
    await session.ok(SIGN, at);
    await session.ok(`publish image ${at.out}-tree`, at);
    await session.ok('root export -o pinned.json', at);
    const verify = `verify bundle ${at.out}-3/ZG_BODY.otap --root pinned.json --metadata ${at.out}-tree/metadata`;
    expect((await session.run(verify, at)).status).toBe(0);
    expect(await session.ok('log --release r1', at)).toMatch(/issued again release r1/);
  });

  it.each([
    ['--reissue r9', 'open.yaml', '6 RELEASE_UNKNOWN', OPEN],
    ['--reissue r1 plan.yaml', 'another name', '6 RELEASE_REISSUE_DIFFERS', OPEN.replace('r1', 'r5')],
    ['--reissue r1 plan.yaml', 'another secrecy', '6 RELEASE_REISSUE_DIFFERS', TEST_PLAN],
    ['--reissue r1 plan.yaml', 'another version', '6 RELEASE_REISSUE_DIFFERS', OPEN.replace('2.0.0', '2.0.1')],
    ['--reissue r1 plan.yaml', 'fewer images', '6 RELEASE_REISSUE_DIFFERS', OPEN.replace(/ {2}- \{ ecu: MCU.*\n/, '')],
    ['', 'no plan', '2 USAGE', OPEN],
  ])('refuses %s with %s', async (words, _what, code, plan) => {
    const at = await fresh('open');
    await session.write('plan.yaml', plan);
    expect(await codeOf(`package ${words} --incomplete --out ${at.out}-2`, at)).toBe(code);
    expect(await shown(at)).toMatchObject({ images: [{ releaseCounter: 1 }, {}, {}] });
  });
});

describe('images that others delivered', () => {
  const PLAN = `release: r7
model: EV-1
images:
  - { ecu: MCU, version: 2.5.0, target: EV-1/MCU/2.5.0/mcu.bin, file: fw/mcu.bin }
`;
  const ADD = 'target add fw/mcu.bin --name EV-1/MCU/2.5.0/mcu.bin --version-id 2.5.0 --release-counter 4';

  async function delegated(hardware: string): Promise<At & { out: string }> {
    const at = await fresh();
    await session.ok("delegation add acme --path 'EV-1/MCU/*/*' --key keys/supplier.pub", at);
    await session.ok(SIGN, at);
    await session.ok(`${ADD} --hardware ${hardware}`, at);
    return at;
  }

  it('are packaged as their role lists them, with their provenance (U12, U19, R1)', async () => {
    const at = await delegated('mcu-d');
    await session.write('delivered.yaml', PLAN);
    const line = `package delivered.yaml --incomplete --out ${at.out}`;
    expect(await codeOf(line, at)).toBe('6 RELEASE_TARGET_INCOMPLETE');
    await session.ok('sign acme --key keys/supplier.key', at);
    await session.write('wrong.yaml', PLAN.replace('fw/mcu.bin }', 'fw/bcm.bin }'));
    expect(await codeOf(line.replace('delivered', 'wrong'), at)).toBe('6 RELEASE_TARGET_CHANGED');
    await session.write('wrong.yaml', PLAN.replace('version: 2.5.0', 'version: 2.6.0'));
    expect(await codeOf(line.replace('delivered', 'wrong'), at)).toBe('6 RELEASE_TARGET_UNFIT');
    await session.write('wrong.yaml', PLAN.replace(', file: fw/mcu.bin', ''));
    expect(await codeOf(line.replace('delivered', 'wrong'), at)).toBe('6 RELEASE_SOURCE_MISSING');
    await session.ok(`package delivered.yaml ${KEY} --out ${at.out}`, at);
    expect(await shown(at, 'r7')).toMatchObject({
      images: [{ role: 'acme', state: 'complete', releaseCounter: 4, ecus: ['MCU'] }],
      provenance: [
        {
          target: 'EV-1/MCU/2.5.0/mcu.bin',
          role: 'acme',
          roleVersion: 1,
          keyIds: [expect.stringMatching(/^[0-9a-f]{64}$/)],
        },
      ],
    });
    expect(await session.ok('release show r7', at)).toMatch(/provenance: /);
    expect(await codeOf(`package delivered.yaml --reissue r7 ${KEY} --out ${at.out}-2`, at)).toBe('none');
    expect(await shown(at, 'r7')).toMatchObject({ images: [{ releaseCounter: 4 }], bundles: [{ releaseCounter: 5 }] });
  });

  it('are refused for other hardware (U9, U35)', async () => {
    const at = await delegated('mcu-z');
    await session.ok('sign acme --key keys/supplier.key', at);
    await session.write('delivered.yaml', PLAN);
    expect(await codeOf(`package delivered.yaml --incomplete --out ${at.out}`, at)).toBe('6 RELEASE_TARGET_UNFIT');
  });
});

describe('files of a plan', () => {
  it('are not taken from outside its folder by way of a symbolic link', async () => {
    const at = await fresh();
    await mkdir(session.path('plans/fw'), { recursive: true });
    for (const name of ['bcm', 'door', 'mcu']) {
      await writeFile(session.path(`plans/fw/${name}.bin`), await readFile(session.path(`fw/${name}.bin`)));
    }
    await session.write('plans/linked.yaml', OPEN.replace('fw/mcu.bin', 'fw/link.bin'));
    await symlink(session.path('fw/mcu.bin'), session.path('plans/fw/link.bin'));
    expect(await codeOf(`package plans/linked.yaml --incomplete --out ${at.out}`, at)).toBe('4 YAML_PATH_REFUSED');
    await session.write('plans/inside.yaml', OPEN.replace('fw/mcu.bin', 'fw/near.bin'));
    await symlink('mcu.bin', session.path('plans/fw/near.bin'));
    expect(await codeOf(`package plans/inside.yaml --incomplete --out ${at.out}`, at)).toBe('none');
  });
});
