/** A supplier delivers for its delegation with the program, a key, a pinned root and what was published; we take it in. */
import { beforeAll, describe, expect, test } from 'vitest';
import { cp, readdir, rm } from 'node:fs/promises';
import { decodeTarHeader, encodeTarHeader } from '../formats/backup/tar.ts';
import { failing, killedAt } from '../testing/faults.ts';
import { releaseSession } from '../testing/release-session.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ALL = ['targets', 'snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');
const ONLINE = ['snapshot', 'timestamp'].map((role) => `--key keys/${role}.key`).join(' ');
const BMS = 'EV-1/BMS/2.1/bms.bin';
const CREATE = 'delivery create acme --tree public --root trust/root.json';

/** An ECDSA repository that delegates EV-1/BMS to acme, published. */
async function delegating(): Promise<CliSession> {
  const on = await releaseSession({ scheme: 'ecdsa-p256' });
  for (const name of ['acme', 'other']) await on.ok(`keygen ${name} --out keys --scheme ecdsa-p256`);
  const hardware = '--hardware BMS-H2 --hardware BMS-H3 --hardware mcu-d';
  await on.ok(`delegation add acme --path 'EV-1/BMS/*/*' --path 'EV-1/MCU/*/*' ${hardware} --key keys/acme.pub`);
  await on.ok("delegation add other --path 'EV-1/OTHER/*/*' --key keys/other.pub");
  await on.ok(`sign targets snapshot timestamp ${ALL}`);
  await on.ok('publish image public');
  await on.write('bms.bin', 'bms 2.1');
  await on.write('large.bin', new Uint8Array(3 * 1024 * 1024 + 17).fill(7));
  return on;
}

function deliver(name: string, more = ''): string {
  return `${CREATE} ${name} --hardware BMS-H2 --release-counter 7 --key keys/acme.key -o d.delivery ${more}`;
}

let base: CliSession;

beforeAll(async () => {
  base = await delegating();
  return () => base[Symbol.asyncDispose]();
});

describe('U19 deliveries', () => {
  async function session(): Promise<CliSession> {
    const on = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse' } });
    await cp(base.folder, on.folder, { recursive: true });
    return on;
  }

  test('a first empty version, then images: taken in byte for byte, signed into Snapshot, found by a client', async () => {
    await using on = await session();
    await on.ok(`${CREATE} --key keys/acme.key -o first.delivery`);
    expect(await on.ok('delivery import first.delivery --root trust/root.json')).toContain(
      'acme 1 taken in, after none',
    );
    await on.ok(`sign snapshot timestamp ${ONLINE}`);
    await on.ok('publish image public');
    const made = await on.json(deliver(`${BMS}=bms.bin EV-1/BMS/2.1/large.bin=large.bin`));
    expect(made.result).toMatchObject({ role: 'acme', version: 2, added: [BMS, 'EV-1/BMS/2.1/large.bin'] });
    const looked = await on.json('inspect d.delivery');
    expect(looked.result).toMatchObject({ kind: 'delivery', facts: { deliveredRole: 'acme', imageCount: 2 } });
    const dry = await on.json('delivery import d.delivery --clear --dry-run');
    expect(dry).toMatchObject({ status: 0, result: { version: 2, dryRun: true } });
    const taken = await on.json('delivery import d.delivery --clear');
    expect(taken.result).toMatchObject({
      role: 'acme',
      before: 1,
      targets: [{ name: BMS, version: '2.1', releaseCounter: 7, hardwareIds: ['BMS-H2'] }, { length: 3145745 }],
    });
    await on.ok(`sign snapshot timestamp ${ONLINE}`);
    await on.ok('publish image public');
    await on.ok(`verify repository public --root trust/root.json --state state --target ${BMS} --out got`);
    expect(Buffer.from(await on.read(`got/${BMS}`)).toString()).toBe('bms 2.1');
    expect(await on.ok('log')).toContain('took in delivery acme 2');
    expect(await on.ok('target list')).toContain(BMS);
    expect((await on.json('delivery import d.delivery')).error?.code).toBe('DELIVERY_VERSION');
    expect(await on.ok('verify log --anchor public --root trust/root.json')).toBeTruthy();
  });

  test('without --clear an image is not published, and waits among the objects for a bundle', async () => {
    await using on = await session();
    await on.ok(deliver(`${BMS}=bms.bin`));
    await on.ok('delivery import d.delivery');
    await on.ok(`sign snapshot timestamp ${ONLINE}`);
    await on.ok('publish image public');
    const got = await on.json(`verify repository public --root trust/root.json --state s --target ${BMS} --out got`);
    expect(got.status).not.toBe(0);
    const { result = {} } = await on.json('target list --prefix EV-1/BMS');
    const [target] = result['targets'] as { sha256: string }[];
    const hash = target?.sha256 ?? '';
    expect(Buffer.from(await on.read(`oem/objects/${hash.slice(0, 2)}/${hash}`)).toString()).toBe('bms 2.1');
  });

  test('a release packages what was delivered, and a vehicle verifies it as signed by the supplier', async () => {
    await using on = await session();
    const target = 'EV-1/MCU/3.0.0/mcu.bin';
    await on.ok(`${CREATE} ${target}=large.bin --hardware mcu-d --release-counter 3 --key keys/acme.key -o d.delivery`);
    await on.ok('delivery import d.delivery');
    const image = `images: [{ ecu: MCU, version: 3.0.0, target: ${target} }]`;
    await on.write('release.yaml', `release: r2\nmodel: EV-1\nconfidential: false\n${image}\n`);
    await on.ok('package release.yaml --key keys/targets.key --out bundles');
    await on.ok(`sign targets ${ALL.split(' --key keys/snapshot')[0] ?? ''}`);
    await on.ok(`sign snapshot timestamp ${ONLINE}`);
    await on.ok('publish image public');
    const trust = '--root trust/root.json --metadata public/metadata';
    expect(await on.ok(`verify bundle bundles/ZG_DRIVE.otap ${trust}`)).toContain('VERIFIED');
    const listed = await on.json('target list --prefix EV-1/MCU/3');
    expect(listed.result).toMatchObject({ targets: [{ name: target, role: 'acme' }] });
  });

  test.each([
    ['a path of another delegation', `EV-1/OTHER/2.1/bms.bin=bms.bin`, 'DELIVERY_PATH', 3],
    ['a name that is not safe', `EV-1/BMS/../bms.bin=bms.bin`, 'VALUE_MALFORMED', 4],
    ['an image without a file', BMS, 'USAGE', 2],
    ['a file that is not there', `${BMS}=nothing.bin`, 'FILE_NOT_FOUND', 5],
  ])('%s is refused before anything is signed', async (_, image, code, status) => {
    await using on = await session();
    const refused = await on.json(deliver(image));
    expect([refused.error?.code, refused.status]).toEqual([code, status]);
    await expect(on.read('d.delivery')).rejects.toThrow('ENOENT');
  });

  test('other hardware, another key, a role that nobody delegates to, a root inside the tree', async () => {
    await using on = await session();
    const image = `${BMS}=bms.bin --release-counter 7 -o d.delivery`;
    const code = async (line: string): Promise<string | undefined> => (await on.json(line)).error?.code;
    expect(await code(`${CREATE} ${image} --hardware H9 --key keys/acme.key`)).toBe('DELIVERY_HARDWARE');
    expect(await code(`${CREATE} ${image} --hardware BMS-H2 --key keys/other.key`)).toBe('KEY_NOT_OF_ROLE');
    const stranger = CREATE.replace('acme', 'nobody');
    expect(await code(`${stranger} ${image} --hardware BMS-H2 --key keys/acme.key`)).toBe('ROLE_UNKNOWN');
    const inside = CREATE.replace('trust/root.json', 'public/metadata/1.root.json');
    expect(await code(`${inside} ${image} --hardware BMS-H2 --key keys/acme.key`)).toBe('ROOT_INSIDE_TREE');
  });

  test('counters go up, contents keep their names, and targets are not lost unseen', async () => {
    await using on = await session();
    const publish = async (): Promise<void> => {
      await on.ok(`sign snapshot timestamp ${ONLINE}`);
      await on.ok('publish image public');
    };
    await on.ok(deliver(`${BMS}=bms.bin`));
    await on.ok('delivery import d.delivery');
    await publish();
    const next = async (line: string, more = ''): Promise<string | undefined> => {
      await on.ok(`${CREATE} ${line} --key keys/acme.key -o n.delivery`);
      const answer = await on.json(`delivery import n.delivery ${more}`);
      await rm(on.path('n.delivery'));
      return answer.error?.code;
    };
    const hardware = '--hardware BMS-H2 --release-counter';
    expect(await next(`EV-1/BMS/2.0/bms.bin=large.bin ${hardware} 6`)).toBe('DELIVERY_COUNTER');
    expect(await next(`${BMS}=large.bin ${hardware} 7`)).toBe('DELIVERY_COUNTER');
    expect(await next(`EV-1/BMS/2.0/far.bin=large.bin ${hardware} ${2 ** 40 + 1}`)).toBe('DELIVERY_COUNTER');
    expect(await next(`--remove ${BMS}`)).toBe('DELIVERY_REMOVES');
    expect(await next(`EV-1/BMS/2.0/h3.bin=large.bin --hardware BMS-H3 --release-counter 1`)).toBeUndefined();
    await publish();
    expect(await next(`--remove ${BMS}`, '--allow-removal')).toBeUndefined();
    expect(
      (await on.json('delivery create acme --tree public --root trust/root.json --key keys/acme.key -o x')).error?.code,
    ).toBe('DELIVERY_NOTHING');
  });
});

test('a number that was used up here is stepped over, when the supplier is told', async () => {
  await using on = await delegating();
  await on.ok(deliver(`${BMS}=bms.bin`));
  await on.ok('delivery import d.delivery');
  await on.ok(`sign snapshot timestamp ${ONLINE}`);
  await on.ok('publish image public');
  await on.ok('target add large.bin --name EV-1/BMS/3/l.bin --version-id 3 --release-counter 9 --hardware BMS-H2');
  await on.ok('request create acme -o acme.sigreq');
  const next = `${CREATE} EV-1/BMS/4/l.bin=large.bin --hardware BMS-H2 --release-counter 9 --key keys/acme.key`;
  await on.ok(`${next} -o 2.delivery`);
  const waits = await on.json('delivery import 2.delivery');
  expect([waits.error?.code, waits.error?.hint]).toEqual([
    'DELIVERY_VERSION',
    'complete it, or give it up: `secureev request cancel acme`',
  ]);
  await on.ok('request cancel acme --yes');
  const used = await on.json('delivery import 2.delivery');
  expect([used.error?.code, used.error?.hint]).toEqual(['DELIVERY_VERSION', expect.stringContaining('--as-version 3')]);
  await on.ok(`${next} --as-version 3 -o 3.delivery`);
  expect((await on.json('delivery import 3.delivery')).result).toMatchObject({ role: 'acme', version: 3 });
});

describe('U19 a delivery in the hands of an attacker', () => {
  test('signed by a key that was revoked, though the delegation still lists it', async () => {
    await using on = await delegating();
    const [id = ''] = /[0-9a-f]{64}/.exec(new TextDecoder().decode(await on.read('keys/acme.pub'))) ?? [];
    expect((await on.json(`key revoke ${id.slice(0, 12)} --reason stolen`)).status).toBe(6);
    await on.ok(deliver(`${BMS}=bms.bin`));
    const before = await on.json('log');
    expect(await on.json('delivery import d.delivery')).toMatchObject({ status: 6, error: { code: 'KEY_REVOKED' } });
    expect(await on.json('log')).toEqual(before);
  });

  let good: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    await base.ok(deliver(`${BMS}=bms.bin EV-1/BMS/2.1/large.bin=large.bin`));
    good = await base.read('d.delivery');
  });

  async function refusal(bytes: Uint8Array): Promise<string | undefined> {
    await base.write('bad.delivery', bytes);
    const before = await base.ok('role list');
    const answer = await base.json('delivery import bad.delivery');
    expect(answer.status).not.toBe(0);
    expect(await base.ok('role list')).toBe(before);
    const left = (await readdir(base.path('oem/objects'))).filter((name) => name.startsWith('incoming'));
    expect(left).toEqual([]);
    return answer.error?.code;
  }

  function renamed(entry: number, name: string): Uint8Array {
    const bytes = good.slice();
    const header = decodeTarHeader(bytes.subarray(entry, entry + 512), entry);
    bytes.set(encodeTarHeader({ ...header, name }), entry);
    return bytes;
  }

  test('cut off, with bytes after its end, with another first entry, with an entry twice', async () => {
    for (const length of [0, 100, 512, 700, good.length - 1024, good.length - 1]) {
      expect(await refusal(good.slice(0, length))).toBe('DELIVERY_MALFORMED');
    }
    expect(await refusal(Buffer.concat([good, new Uint8Array(512)]))).toBe('DELIVERY_MALFORMED');
    expect(await refusal(renamed(0, 'targets/acme.json'))).toBe('DELIVERY_MALFORMED');
    expect(await refusal(renamed(0, `metadata/${'a'.repeat(81)}.json`))).toBe('DELIVERY_MALFORMED');
  });

  test('for the role of another supplier, with a changed byte of metadata or image', async () => {
    expect(await refusal(renamed(0, 'metadata/other.json'))).toBe('TRUST_THRESHOLD');
    expect(await refusal(renamed(0, 'metadata/targets.json'))).toBe('ROLE_UNKNOWN');
    const text = Buffer.from(good).toString('latin1');
    const metadata = good.slice();
    metadata[text.indexOf('"releaseCounter":7') + 17] = 0x39;
    expect(await refusal(metadata)).toBe('TRUST_THRESHOLD');
    const image = good.slice();
    const at = image.length - 3000;
    image[at] = (image[at] ?? 0) ^ 1;
    expect(await refusal(image)).toBe('DELIVERY_IMAGE_DAMAGED');
  });

  test('without one of its images, or with one that its metadata does not list', async () => {
    const { sizeBytes } = decodeTarHeader(good.subarray(0, 512), 0);
    const images = 512 + Math.ceil(sizeBytes / 512) * 512;
    const none = Buffer.concat([good.slice(0, images), new Uint8Array(1024)]);
    expect(await refusal(none)).toBe('DELIVERY_IMAGE_MISSING');
    expect(await refusal(renamed(images, `targets/${'0'.repeat(64)}`))).toBe('DELIVERY_MALFORMED');
  });

  test('that lists the image of another supplier by its hash, without bringing it', async () => {
    await using on = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse' } });
    await cp(base.folder, on.folder, { recursive: true });
    await on.write('secret.bin', 'for BMS alone');
    const hardware = '--hardware BMS-H2 --release-counter 7';
    await on.ok(`${CREATE} ${BMS}=secret.bin ${hardware} --key keys/acme.key -o own.delivery`);
    await on.ok('delivery import own.delivery');
    const other = CREATE.replace('acme', 'other');
    await on.ok(`${other} EV-1/OTHER/2.1/o.bin=secret.bin ${hardware} --key keys/other.key -o other.delivery`);
    const whole = await on.read('other.delivery');
    const { sizeBytes } = decodeTarHeader(whole.subarray(0, 512), 0);
    const images = 512 + Math.ceil(sizeBytes / 512) * 512;
    await on.write('stolen.delivery', Buffer.concat([whole.slice(0, images), new Uint8Array(1024)]));
    const stolen = await on.json('delivery import stolen.delivery --clear');
    expect([stolen.error?.code, stolen.status]).toEqual(['DELIVERY_IMAGE_MISSING', 3]);
    await on.ok('delivery import other.delivery --clear');
  });

  test('held against a root that is not the repository’s own, or while the repository is on hold', async () => {
    await base.write('d2.delivery', good);
    await base.ok('init stranger --name Stranger');
    const foreign = await base.json('delivery import d2.delivery --root public/metadata/1.root.json --repo stranger');
    expect(foreign.error?.code).toBe('TRUST_WRONG_REPOSITORY');
    await base.ok('hold --reason fire');
    expect(await refusal(good)).toBe('REPOSITORY_HELD');
    await base.ok('hold --lift');
  });
});

describe('delivery import on a disk that fails', () => {
  test('changes nothing, whichever call fails, and goes on after a kill', async () => {
    await using on = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse' } });
    await cp(base.folder, on.folder, { recursive: true });
    await on.ok(`${CREATE} ${BMS}=bms.bin --hardware BMS-H2 --release-counter 7 --key keys/acme.key -o f.delivery`);
    const incoming = async (): Promise<readonly string[]> =>
      (await readdir(on.path('oem/objects'))).filter((name) => name.startsWith('incoming'));
    let failed = 0;
    for (let failAt = 1; ; failAt++) {
      const { status } = await on.run('delivery import f.delivery --dry-run', {
        adapt: (io) => failing(io, failAt).io,
      });
      if (status === 0) break;
      failed += 1;
      expect([failAt, status]).toEqual([failAt, 5]);
    }
    expect(failed).toBeGreaterThan(8);
    const before = await on.ok('target list --prefix EV-1/BMS');
    for (const at of [failed - 4, failed - 2, failed]) {
      const { status } = await on.run('delivery import f.delivery', { adapt: (io) => killedAt(io, at).io });
      expect(status).toBe(5);
      expect(await on.ok('target list --prefix EV-1/BMS')).toBe(before);
    }
    await on.ok('delivery import f.delivery');
    expect(await incoming()).toEqual([]);
    expect(await on.ok('target list --prefix EV-1/BMS')).toContain(BMS);
  });
});
