/** Recorded sessions of encrypt, decrypt, envelope and vehicle, in process, on real files. */
import { chmod, readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../crypto/hash.ts';
import { KEMS } from '../crypto/kems/index.ts';
import type { KemId } from '../crypto/kems/index.ts';
import { toHex } from '../core/bytes.ts';
import { PREFIX_BYTES } from '../formats/sealed/header.ts';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { failing } from '../testing/faults.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { counting } from '../testing/sealed-blobs.ts';

const CAR_1 = '5YJ3E1EA0KF000316';
const CAR_2 = '1HGCM82633A004352';
const CAR_3 = 'WVWZZZ1JZXW000001';
const REGISTRY = `model: EV-1
zonal_gateways:
  - id: ZG_BODY
    name: Body
    ecus:
      - { id: BCM, name: Body control, type: BCM, hardware: BCM-H1, current_version: 1.0.0 }
`;
const IMAGE = counting(200_000, 7);

async function begin(): Promise<CliSession> {
  const session = await cliSession({ env: { SECUREEV_REPO: 'oem' } });
  await session.write('registry.yaml', REGISTRY);
  await session.write('image.bin', IMAGE);
  for (const name of ['escrow', 'car-1', 'car-2', 'car-3']) await writeKey(session, name);
  await writeKey(session, 'p256', 'DHKEM-P256');
  await session.ok(['init', 'oem', '--name', 'Example Motors']);
  await session.ok('ecu import registry.yaml');
  await session.ok('role set escrow --key keys/escrow.pub');
  await session.ok(`vehicle add ${CAR_1} --model EV-1 --encryption-key keys/car-1.pub`);
  await session.ok(`vehicle add ${CAR_2} --model EV-1 --encryption-key keys/car-2.pub`);
  await session.ok(
    'target add image.bin --name EV-1/BCM/1.1.0/image.bin --version-id 1.1.0 --release-counter 2 --hardware BCM-H1',
  );
  return session;
}

async function writeKey(session: CliSession, name: string, kem?: KemId): Promise<void> {
  const { publicFile, keyFile } = encryptionKey(name, kem);
  await session.write(`keys/${name}.pub`, publicFile);
  await session.write(`keys/${name}.key`, keyFile);
  await chmod(session.path(`keys/${name}.key`), 0o600);
}

async function codeOf(session: CliSession, line: string): Promise<string> {
  const { ok, error } = await session.json(line);
  return ok ? 'ok' : (error?.code ?? '');
}

async function filesIn(session: CliSession, folder: string): Promise<readonly string[]> {
  return (await readdir(session.path(folder), { recursive: true }).catch(() => [])).toSorted((a, b) =>
    a < b ? -1 : 1,
  );
}

describe('a payload for one vehicle', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await begin();
    await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out sealed --expires 2099-01-01T00:00:00Z`);
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('is a staged target that says what it holds (U10)', async () => {
    const { result } = await session.json('target list --prefix EV-1/BCM/1.1.0/image.bin.sev');
    const payload = await session.read('sealed/image.bin.sev');
    expect(result).toMatchObject({
      targets: [
        {
          name: 'EV-1/BCM/1.1.0/image.bin.sev',
          length: payload.length,
          sha256: toHex(sha256('native', payload)),
          confidential: false,
          custom: {
            hardwareIds: ['BCM-H1'],
            releaseCounter: 2,
            version: '1.1.0',
            encrypted: {
              method: 'secureev-sev-1',
              suite: 'hybrid',
              target: 'EV-1/BCM/1.1.0/image.bin',
              sha256: toHex(sha256('native', IMAGE)),
            },
          },
        },
      ],
    });
  });

  test('opens with its key and with the escrow key, mode 0600, and says that nothing is verified', async () => {
    for (const name of ['car-1', 'escrow']) {
      const text = await session.ok(`decrypt sealed/image.bin.sev --key keys/${name}.key -o ${name}.bin`);
      expect(text).toMatch(/^UNVERIFIED: .*\n {2}secureev verify bundle /);
      expect(await session.read(`${name}.bin`)).toEqual(IMAGE);
    }
    const { result } = await session.json('decrypt sealed/image.bin.sev --key keys/car-1.key -o again.bin');
    expect(result).toMatchObject({
      verified: false,
      sha256: toHex(sha256('native', IMAGE)),
      envelope: { vin: CAR_1, expires: '2099-01-01T00:00:00Z' },
    });
    const { stat } = await import('node:fs/promises');
    expect((await stat(session.path('again.bin'))).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['another key', 'decrypt sealed/image.bin.sev --key keys/car-2.key -o out.bin', 'ENVELOPE_NOT_FOUND', 3],
    ['no envelopes', 'decrypt image.bin --key keys/car-1.key -o out.bin', 'SEALED_MALFORMED', 4],
    [
      'a file of another kind as envelopes',
      'decrypt sealed/image.bin.sev --key keys/car-1.key -o out.bin --envelopes image.bin',
      'ENVELOPE_MALFORMED',
      4,
    ],
    ['a public key', 'decrypt sealed/image.bin.sev --key keys/car-1.pub -o out.bin', 'KEY_FILE_MALFORMED', 4],
    ['an output that exists', 'decrypt sealed/image.bin.sev --key keys/car-1.key -o image.bin', 'FILE_EXISTS', 5],
    ['nothing there', 'decrypt nothing.sev --key keys/car-1.key -o out.bin', 'FILE_NOT_FOUND', 5],
  ])('decrypt with %s is refused', async (_, line, code, status) => {
    const answer = await session.json(line);
    expect([answer.error?.code, answer.status]).toEqual([code, status]);
    expect(await filesIn(session, '.')).not.toContain('out.bin');
  });

  test('every flipped structural byte and sampled payload byte is refused, and leaves no output', async () => {
    const payload = await session.read('sealed/image.bin.sev');
    const places = [...Array(PREFIX_BYTES).keys()].filter((at) => at % 5 === 0);
    for (const at of [...places, PREFIX_BYTES, 65_560, 131_000, payload.length - 1]) {
      const flipped = payload.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      await session.write('bad/image.bin.sev', flipped);
      const line = 'decrypt bad/image.bin.sev --key keys/car-1.key -o bad/out --envelopes sealed/image.bin.sevk';
      const { status, error } = await session.json(line);
      expect([3, 4], `byte ${at}: ${error?.code}`).toContain(status);
      expect(await filesIn(session, 'bad')).toEqual(['image.bin.sev']);
    }
  });

  test('truncations and swapped envelopes are refused', async () => {
    const payload = await session.read('sealed/image.bin.sev');
    const envelopes = await session.read('sealed/image.bin.sevk');
    const opens = async (sev: Uint8Array, sevk: Uint8Array): Promise<string> => {
      await session.write('cut/image.bin.sev', sev);
      await session.write('cut/image.bin.sevk', sevk);
      return codeOf(session, 'decrypt cut/image.bin.sev --key keys/car-1.key -o cut/out');
    };
    expect(await opens(payload.subarray(0, -1), envelopes)).toBe('SEALED_TRUNCATED');
    expect(await opens(payload.subarray(0, 50), envelopes)).toBe('SEALED_TRUNCATED');
    expect(await opens(payload, envelopes.subarray(0, -1))).toBe('ENVELOPE_MALFORMED');
    expect(await opens(payload, new Uint8Array(0))).toBe('ENVELOPE_NOT_FOUND');
    expect(await filesIn(session, 'cut')).toEqual(['image.bin.sev', 'image.bin.sevk']);
  });

  test('is not sealed twice unless told', async () => {
    expect(await codeOf(session, `encrypt image.bin --vehicle ${CAR_1} --out twice`)).toBe('SEALED_ALREADY');
    expect(await filesIn(session, 'twice')).toEqual([]);
    await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out twice --reseal`);
    expect(await session.read('twice/image.bin.sev')).not.toEqual(await session.read('sealed/image.bin.sev'));
  });
});

describe('envelopes', () => {
  let session: CliSession;
  const sealed = 'sealed/image.bin.sev';
  const target = 'EV-1/BCM/1.1.0/image.bin.sev';
  const opensFor = (key: string): Promise<string> =>
    codeOf(session, `decrypt ${sealed} --key keys/${key}.key -o ${key}-${Math.random()}`);
  beforeAll(async () => {
    session = await begin();
    await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out sealed`);
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test('are added by the escrow key, and the payload stays as it is', async () => {
    const before = await session.read(sealed);
    expect(await opensFor('car-2')).toBe('ENVELOPE_NOT_FOUND');
    const { result } = await session.json(`envelope add ${sealed} --vehicle ${CAR_2} --key keys/escrow.key`);
    expect(result).toMatchObject({ changed: 1, now: 3, ever: 3 });
    expect(await opensFor('car-2')).toBe('ok');
    expect(await session.read(sealed)).toEqual(before);
  });

  test('are taken away, which the record does not forget', async () => {
    const text = await session.ok(`envelope remove ${target} --vehicle ${CAR_1}`);
    expect(text).toContain('what was delivered stays readable');
    expect(await opensFor('car-1')).toBe('ok');
    expect(await codeOf(session, `envelope remove ${sealed} --vehicle ${CAR_1}`)).toBe('ENVELOPE_NOT_THERE');
    await session.ok(`envelope add ${sealed} --vehicle ${CAR_2} --key keys/escrow.key`);
    expect(await opensFor('car-1')).toBe('ENVELOPE_NOT_FOUND');
    const { result } = await session.json(`envelope list ${sealed} --all`);
    expect(result).toMatchObject({ payload: { now: 2, ever: 3 } });
    expect(await session.ok('envelope list')).toContain(target);
    expect(await session.ok(`log --vehicle ${CAR_1}`)).toContain('envelope remove');
  });

  test('are extracted for one vehicle', async () => {
    await session.ok(`envelope extract ${target} --vehicle ${CAR_2} -o usb/image.bin.sevk`);
    await session.ok(`decrypt ${sealed} --key keys/car-2.key -o usb/out --envelopes usb/image.bin.sevk`);
    expect(await session.read('usb/out')).toEqual(IMAGE);
    expect(await codeOf(session, `envelope extract ${target} --vehicle ${CAR_1} -o usb/none`)).toBe(
      'ENVELOPE_NOT_THERE',
    );
  });

  test('need the escrow key and a payload of this repository', async () => {
    const add = `envelope add ${sealed} --vehicle ${CAR_1} --key`;
    expect(await codeOf(session, `${add} keys/car-2.key`)).toBe('ENVELOPE_NOT_FOUND');
    expect(await codeOf(session, `envelope list image.bin`)).toBe('SEALED_UNKNOWN');
    expect(await codeOf(session, `envelope add ${sealed} --key keys/escrow.key`)).toBe('USAGE');
  });

  test('of another payload do not open this one', async () => {
    await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out other --reseal`);
    const line = `decrypt ${sealed} --key keys/car-1.key -o never --envelopes other/image.bin.sevk`;
    expect(await codeOf(session, line)).toBe('SEALED_COMMITMENT');
  });
});

describe('encrypt refuses', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await begin();
    await session.ok(`vehicle add ${CAR_3} --model EV-1`);
    await session.write('stranger.bin', counting(100));
    await session.write('fleet.txt', `# two\n${CAR_1}\n\n${CAR_2} # blue\n`);
    await session.write('broken.txt', `${CAR_1}\nNOT-A-VIN\n`);
  });
  afterAll(() => session[Symbol.asyncDispose]());

  test.each([
    ['a file that is no target', `encrypt stranger.bin --vehicle ${CAR_1}`, 'SEALED_NOT_A_TARGET'],
    ['an unknown vehicle', 'encrypt image.bin --vehicle 5YJ3E1EA0KF999999', 'VEHICLE_UNKNOWN'],
    ['a vehicle without key', `encrypt image.bin --vehicle ${CAR_3}`, 'VEHICLE_KEY_MISSING'],
    ['no vehicle', 'encrypt image.bin', 'USAGE'],
    ['an unknown suite', `encrypt image.bin --vehicle ${CAR_1} --suite rot13`, 'SEALED_SUITE_UNKNOWN'],
    [
      'a key of another KEM',
      `encrypt image.bin --vehicle ${CAR_1} --suite x25519+ecdsa-p256`,
      'SEALED_KEM_NOT_ALLOWED',
    ],
    ['a broken list', 'encrypt image.bin --vehicles broken.txt', 'VEHICLE_LIST_MALFORMED'],
    ['a wrong target name', `encrypt image.bin --vehicle ${CAR_1} --target EV-1/x`, 'SEALED_NOT_A_TARGET'],
    ['a file that is not there', `encrypt nothing.bin --vehicle ${CAR_1}`, 'FILE_NOT_FOUND'],
  ])('%s', async (_, line, code) => {
    expect(await codeOf(session, `${line} --out refused`)).toBe(code);
    expect(await filesIn(session, 'refused')).toEqual([]);
    expect((await session.json('envelope list')).result).toEqual({ payloads: [] });
  });

  test('nothing in a dry run, and changes nothing', async () => {
    await session.ok('encrypt image.bin --vehicles fleet.txt --out dry --dry-run');
    expect(await filesIn(session, 'dry')).toEqual([]);
    expect((await session.json('envelope list')).result).toEqual({ payloads: [] });
  });

  test('a repository without escrow key', async () => {
    await using bare = await cliSession({ env: { SECUREEV_REPO: 'oem' }, files: { 'image.bin': IMAGE } });
    await bare.ok(['init', 'oem', '--name', 'Bare']);
    expect(await codeOf(bare, `encrypt image.bin --vehicle ${CAR_1} --out out`)).toBe('ESCROW_MISSING');
  });
});

describe('vehicles', () => {
  test('have keys that are set, replaced and revoked; a revoked one gets no envelope any more (U21)', async () => {
    await using session = await begin();
    expect(await codeOf(session, `vehicle add ${CAR_1} --model EV-1`)).toBe('VEHICLE_EXISTS');
    expect(await codeOf(session, `vehicle add ${CAR_3} --model EV-9`)).toBe('VEHICLE_MODEL_UNKNOWN');
    expect(await codeOf(session, `vehicle key set ${CAR_1} --encryption-key keys/car-2.pub`)).toBe(
      'KEY_SERVES_ANOTHER',
    );
    expect(await codeOf(session, `vehicle key set ${CAR_1} --encryption-key keys/escrow.pub`)).toBe(
      'KEY_SERVES_ANOTHER',
    );
    expect(await session.ok(`vehicle key set ${CAR_1} --encryption-key keys/car-3.pub`)).toContain('revoked the one');
    await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out first`);
    expect(await codeOf(session, 'decrypt first/image.bin.sev --key keys/car-1.key -o a')).toBe('ENVELOPE_NOT_FOUND');
    expect(await codeOf(session, 'decrypt first/image.bin.sev --key keys/car-3.key -o b')).toBe('ok');
    expect(await codeOf(session, `vehicle key revoke ${CAR_1} abcdef --reason x`)).toBe('VEHICLE_KEY_UNKNOWN');
    const revoked = await session.ok(`vehicle key revoke ${CAR_1} --reason 'gateway replaced'`);
    expect(revoked).toContain('it can still open what it was given: 1 envelope');
    expect(await codeOf(session, `encrypt image.bin --vehicle ${CAR_1} --out second --reseal`)).toBe(
      'VEHICLE_KEY_REVOKED',
    );
    expect(await codeOf(session, `vehicle key set ${CAR_1} --encryption-key keys/car-3.pub`)).toBe(
      'VEHICLE_KEY_EXISTS',
    );
    const shown = await session.ok(`vehicle show ${CAR_1}`);
    expect(shown).toMatch(/revoked .*: gateway replaced/);
    expect(shown).toContain('EV-1/BCM/1.1.0/image.bin.sev');
    const { result } = await session.json('vehicle list --limit 1');
    expect(result).toMatchObject({ total: 2, more: true, vehicles: [{ vin: CAR_2 }] });
  });

  test('with a key of each KEM get an envelope, by its suite or where the KEM is allowed', async () => {
    await using session = await begin();
    await writeKey(session, 'other', 'DHKEM-X25519');
    await session.ok(`vehicle key set ${CAR_1} --encryption-key keys/other.pub`);
    await session.ok(`encrypt image.bin --vehicle ${CAR_1} --suite x25519+ecdsa-p256 --out by-suite`);
    await session.ok('decrypt by-suite/image.bin.sev --key keys/other.key -o by-suite/out');
    for (const { id } of KEMS) {
      await writeKey(session, id, id);
      await session.ok(`vehicle key set ${CAR_2} --encryption-key keys/${id}.pub`);
      await session.ok(`encrypt image.bin --vehicle ${CAR_2} --allow-kem ${id} --out ${id} --reseal`);
      await session.ok(`decrypt ${id}/image.bin.sev --key keys/${id}.key -o ${id}/out`);
      expect(await session.read(`${id}/out`)).toEqual(IMAGE);
    }
  });
});

test('whichever call fails, there is the old state or the new one, never half (full disk)', async () => {
  await using session = await begin();
  const before = await filesIn(session, '.');
  const line = `encrypt image.bin --vehicle ${CAR_1} --out sealed`;
  let failed = 0;
  for (let failAt = 1; ; failAt++) {
    const { status } = await session.run(line, { adapt: (io) => failing(io, failAt).io });
    if (status === 0) break;
    failed += 1;
    expect(status, `call ${failAt}`).toBe(5);
    const left = (await filesIn(session, '.')).filter(
      (name) => !/^(sealed|oem\/objects(\/..)?|oem\/repo\.db-.*)$/.test(name),
    );
    expect(left, `call ${failAt}`).toEqual(before.filter((name) => !/^(oem\/objects|oem\/repo\.db-.*)$/.test(name)));
    expect((await session.json('envelope list')).result).toEqual({ payloads: [] });
  }
  expect(failed).toBeGreaterThan(10);
  await session.ok('decrypt sealed/image.bin.sev --key keys/car-1.key -o out');
}, 30_000);

test('whichever call of decrypt fails, there is no output', async () => {
  await using session = await begin();
  await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out sealed`);
  let failed = 0;
  for (let failAt = 1; ; failAt++) {
    const line = 'decrypt sealed/image.bin.sev --key keys/car-1.key -o opened/out';
    const { status } = await session.run(line, { adapt: (io) => failing(io, failAt).io });
    if (status === 0) break;
    failed += 1;
    expect(status, `call ${failAt}`).toBe(5);
    expect(await filesIn(session, 'opened'), `call ${failAt}`).toEqual([]);
  }
  expect(failed).toBeGreaterThan(5);
  expect(await session.read('opened/out')).toEqual(IMAGE);
});

test('a wrong passphrase opens nothing', async () => {
  await using session = await begin();
  const right = { env: { SECUREEV_PASSPHRASE: 'right' } };
  await session.ok('keygen locked --purpose encryption --out keys', right);
  await session.ok(`vehicle key set ${CAR_1} --encryption-key keys/locked.pub`);
  await session.ok(`encrypt image.bin --vehicle ${CAR_1} --out sealed`);
  const line = 'decrypt sealed/image.bin.sev --key keys/locked.key -o opened/out';
  const wrong = await session.json(line, { env: { SECUREEV_PASSPHRASE: 'wrong' } });
  expect([wrong.status === 0, wrong.error?.code]).toEqual([false, 'PASSPHRASE_WRONG']);
  expect(await filesIn(session, 'opened')).toEqual([]);
  await session.ok(line, right);
});
