/** Recorded sessions of `verify blob`, and of `encrypt` over signed bundles. */
import { chmod } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PREFIX_BYTES } from '../formats/sealed/header.ts';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { publishRelease, releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const VIN = '5YJ3E1EA0KF000316';
const OTHER_MODEL_VIN = '1HGCM82633A004352';
const BLOB = 'sealed/ZG_BODY.otap.sev';
const FULL = '--root trust/root.json --metadata public/metadata';

let session: CliSession;

async function outcomes(line: string): Promise<Record<string, string>> {
  const { result } = await session.json(line);
  const checks = (result?.['checks'] ?? []) as readonly { id: string; status: string }[];
  return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
}

beforeAll(async () => {
  session = await releaseSession();
  for (const name of ['escrow', 'car', 'other']) {
    await session.write(`keys/${name}.pub`, encryptionKey(name).publicFile);
    await session.write(`keys/${name}.key`, encryptionKey(name).keyFile);
    await chmod(session.path(`keys/${name}.key`), 0o600);
  }
  await session.ok('role set escrow --key keys/escrow.pub');
  await session.ok(`vehicle add ${VIN} --model EV-1 --encryption-key keys/car.pub`);
  await session.ok('package release.yaml --key keys/targets.key --out out');
  await session.ok(`encrypt out/ZG_BODY.otap out/ZG_DRIVE.otap --vehicle ${VIN} --out sealed`);
  await publishRelease(session);
}, 60_000);
afterAll(() => session[Symbol.asyncDispose]());

describe('encrypt of a bundle', () => {
  test('is refused for a suite whose signatures it has not', async () => {
    const line = `encrypt out/ZG_BODY.otap --vehicle ${VIN} --out no --reseal --allow-kem MLKEM768-X25519 --suite`;
    const missing = await session.json(`${line} ml-kem-768+ml-dsa-87`);
    expect([missing.status, missing.error?.code]).toEqual([6, 'SEALED_SIGNATURES_MISSING']);
    expect(missing.error?.hint).toBe('sign the bundle with such a key, or choose another --suite');
    expect((await session.json(`${line} ml-kem-768+ml-dsa-65 --dry-run`)).ok).toBe(true);
  });

  test('is refused for a vehicle of another model', async () => {
    const registry = new TextDecoder().decode(await session.read('registry.yaml'));
    await session.write('registry-2.yaml', registry.replace('EV-1', 'EV-2'));
    await session.ok('ecu import registry-2.yaml');
    await session.ok(`vehicle add ${OTHER_MODEL_VIN} --model EV-2 --encryption-key keys/other.pub`);
    const line = `encrypt out/ZG_BODY.otap --vehicle ${OTHER_MODEL_VIN} --out no --reseal`;
    expect((await session.json(line)).error?.code).toBe('VEHICLE_OF_ANOTHER_MODEL');
  });
});

describe('verify blob', () => {
  test('passes every check with metadata and a key', async () => {
    const text = await session.ok(`verify blob ${BLOB} ${FULL} --key keys/car.key`);
    expect(text).toContain('6 checks passed');
    expect(text).toContain(`${BLOB}: VERIFIED`);
  });

  test('opens by the escrow key too, and under a target that is named', async () => {
    const named = '--target bundles/r1/ZG_BODY.otap.sev';
    await expect(session.ok(`verify blob ${BLOB} ${FULL} --key keys/escrow.key ${named}`)).resolves.toContain(
      'bundles/r1/ZG_BODY.otap.sev',
    );
    const wrong = await session.json(`verify blob ${BLOB} ${FULL} --key keys/car.key --target bundles/r1/ZG_BODY.otap`);
    expect([wrong.status, wrong.error?.code]).toEqual([3, 'TRUST_ARBITRARY_SOFTWARE']);
  });

  test('skips what it was not given the means for, and a skipped check fails unless it is allowed', async () => {
    const keyless = await session.json(`verify blob ${BLOB} ${FULL}`);
    expect([keyless.status, keyless.error?.code]).toEqual([3, 'CHECK_SKIPPED']);
    const allowed = '--allow-skip contents --allow-skip clear-target';
    await expect(session.ok(`verify blob ${BLOB} ${FULL} ${allowed}`)).resolves.toContain('VERIFIED');
    const misspelt = await session.json(`verify blob ${BLOB} ${FULL} ${allowed} --allow-skip content`);
    expect([misspelt.status, misspelt.error?.code]).toEqual([2, 'USAGE']);
    expect(await outcomes(`verify blob ${BLOB} --root trust/root.json --key keys/car.key`)).toMatchObject({
      structure: 'pass',
      envelopes: 'pass',
      contents: 'pass',
      metadata: 'skip',
      target: 'skip',
      'clear-target': 'skip',
    });
  });

  test('refuses every flipped structural byte and sampled payload byte, by the hash in Targets and by the key', async () => {
    const payload = await session.read(BLOB);
    await session.write('bad/a.sevk', await session.read(`${BLOB}k`));
    const places = [...Array(PREFIX_BYTES).keys()].filter((at) => at % 9 === 0);
    for (const at of [...places, PREFIX_BYTES + 5, 70_000, payload.length - 1]) {
      const flipped = payload.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      await session.write('bad/a.sev', flipped);
      const line = `verify blob bad/a.sev ${FULL} --allow-skip contents --allow-skip clear-target`;
      const { status, error } = await session.json(line);
      expect(status, `byte ${at}: ${error?.code}`).toBe(3);
    }
    const keyed = await session.json('verify blob bad/a.sev --root trust/root.json --key keys/car.key');
    expect([keyed.status, keyed.error?.code]).toEqual([3, 'SEALED_CHUNK']);
  });

  test('refuses envelopes of another payload, and malformed ones with status 3', async () => {
    await session.ok(`encrypt out/ZG_BODY.otap --vehicle ${VIN} --out other --reseal`);
    const line = `verify blob ${BLOB} ${FULL} --key keys/car.key --envelopes`;
    const other = await session.json(`${line} other/ZG_BODY.otap.sevk`);
    expect([other.status, other.error?.code]).toEqual([3, 'SEALED_COMMITMENT']);
    const malformed = await session.json(`${line} out/ZG_BODY.otap`);
    expect([malformed.status, malformed.error?.code]).toEqual([3, 'ENVELOPE_MALFORMED']);
  });

  test('refuses a root inside the tree, and one that is not the repository’s', async () => {
    const inside = await session.json(
      `verify blob ${BLOB} --root public/metadata/1.root.json --metadata public/metadata`,
    );
    expect(inside.error?.code).toBe('ROOT_INSIDE_TREE');
    expect((await session.json('verify blob out/ZG_BODY.otap --root trust/root.json')).error?.code).toBe(
      'SEALED_MALFORMED',
    );
  });
});
