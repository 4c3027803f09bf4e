/** Recorded sessions of vehicle import, and of ECUs with vehicle add and vehicle show. */
import { readdir, symlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { failing } from '../testing/faults.ts';
import { TEST_REGISTRY } from '../testing/release-session.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const A = '5YJ3E1EA0KF000001';
const B = '5YJ3E1EA0KF000002';
const C = '5YJ3E1EA0KF000003';
const HEAD = 'vin,model,encryption_key,ecu,serial,hardware,kind,key';

let session: CliSession;
beforeAll(async () => {
  session = await cliSession({ env: { SECUREEV_PASSPHRASE: 'correct horse' } });
  await session.write('registry.yaml', TEST_REGISTRY);
  for (const name of ['car-1', 'car-2']) await session.write(`fleet/keys/${name}.pub`, encryptionKey(name).publicFile);
  await session.ok('keygen gw --scheme ed25519 --out fleet/keys');
});
afterAll(async () => session[Symbol.asyncDispose]());

let made = 0;
/** A fresh repository with the model. */
async function fresh(): Promise<{ env: { SECUREEV_REPO: string } }> {
  made += 1;
  const repo = `oem-${made}`;
  await session.ok(`init ${repo} --name Test`);
  const env = { SECUREEV_REPO: repo };
  await session.ok('ecu import registry.yaml', { env });
  return { env };
}

async function importing(
  text: string,
  { env }: { env: Record<string, string> },
  flags = '',
): Promise<Awaited<ReturnType<CliSession['json']>>> {
  await session.write('fleet/v.csv', text);
  return session.json(`vehicle import fleet/v.csv ${flags}`, { env });
}

async function refusal(text: string, at: { env: Record<string, string> }): Promise<string> {
  const { status, error } = await importing(text, at);
  return error === undefined ? 'none' : `${status} ${error.code}: ${error.message}`;
}

describe('vehicle import', () => {
  it('brings in vehicles, ECUs and keys; the same file again changes nothing, and leaves no entry (U20, U21)', async () => {
    const at = await fresh();
    const file = `${HEAD}
${B},EV-1,,,,,,
${A},EV-1,keys/car-1.pub,ZG_BODY,GW-1,,primary,keys/gw.pub
${A},EV-1,,BCM,BC-1,bcm-a,,
${C},EV-1,,DOOR_L,D-1,door-c,secondary,
`;
    expect((await importing(file, at, '--dry-run')).result).toMatchObject({ added: 3, dryRun: true });
    expect((await session.json('vehicle list', at)).result).toMatchObject({ total: 0 });
    expect((await importing(file, at)).result).toMatchObject({ added: 3, changed: 0, same: 0 });
    const entries = (await session.json('log', at)).result?.['entries'] as readonly unknown[];
    expect((await importing(file, at)).result).toMatchObject({ added: 0, changed: 0, same: 3 });
    expect((await session.json('log', at)).result?.['entries']).toHaveLength(entries.length);
    expect(JSON.stringify(entries.at(-1))).toMatch(/v\.csv \(SHA-256 [0-9a-f]{64}\): 3 added, 0 changed, 0 same/);
    const { result } = await session.json(`vehicle show ${A}`, at);
    expect(result).toMatchObject({
      keys: [{ purpose: 'encryption' }],
      ecus: [
        { id: 'ZG_BODY', serial: 'GW-1', hardware: 'ZG_BODY', kind: 'primary', installed: null, assigned: null },
        { id: 'BCM', serial: 'BC-1', hardware: 'bcm-a', kind: 'secondary', keyId: null },
      ],
    });
    const text = await session.ok(`vehicle show ${C}`, at);
    expect(text).toMatch(/DOOR_L +D-1 +door-c +secondary +never reported/);
    expect(text).toMatch(/ZG_BODY +ZG_BODY +never reported/);
  });

  it('reads JSON lines the same, and says what changed (U21)', async () => {
    const at = await fresh();
    const line = (serial: string): string =>
      JSON.stringify({
        vin: A,
        model: 'EV-1',
        ecus: [
          { id: 'ZG_BODY', kind: 'primary' },
          { id: 'BCM', serial },
        ],
      });
    await session.write('v.jsonl', `${line('BC-1')}\n${JSON.stringify({ vin: B, model: 'EV-1' })}\n`);
    expect((await session.json('vehicle import v.jsonl', at)).result).toMatchObject({ added: 2 });
    await session.write('v.txt', `${line('BC-2')}\n${JSON.stringify({ vin: B, model: 'EV-1' })}\n`);
    expect((await session.json('vehicle import v.txt', at)).error?.code).toBe('USAGE');
    const again = await session.json('vehicle import v.txt --format jsonl', at);
    expect(again.result).toMatchObject({ added: 0, changed: 1, same: 1 });
    expect(await session.ok(`vehicle show ${A}`, at)).toMatch(/BC-2/);
    expect(await session.ok(`log --vehicle ${A}`, at)).toMatch(/vehicle import/);
  });

  it('gives a new encryption key in place of the old one, and refuses one of another vehicle', async () => {
    const at = await fresh();
    const row = (vin: string, key: string): string => `vin,model,encryption_key\n${vin},EV-1,keys/${key}.pub\n`;
    await importing(row(A, 'car-1'), at);
    expect(await refusal(row(B, 'car-1'), at)).toMatch(/^6 KEY_SERVES_ANOTHER: row 2, column encryption_key: /);
    expect(await refusal(row(B, 'missing'), at)).toMatch(/^5 FILE_NOT_FOUND: row 2, column encryption_key: /);
    expect(await refusal(row(B, 'gw'), at)).toMatch(/^6 KEY_UNSUITABLE: row 2, column encryption_key: /);
    expect((await importing(row(A, 'car-2'), at)).result).toMatchObject({ changed: 1 });
    const keys = (await session.json(`vehicle show ${A}`, at)).result?.['keys'] as readonly { reason: string | null }[];
    expect(new Set(keys.map(({ reason }) => reason))).toEqual(new Set([null, 'replaced']));
  });

  it('takes no key from standard input, whatever a file says', async () => {
    const at = await fresh();
    await session.write('here.csv', `vin,model,encryption_key\n${A},EV-1,-\n`);
    const stdin = encryptionKey('car-1').publicFile;
    const { status, stderr } = await session.run('vehicle import here.csv', { ...at, stdin });
    expect([status, stderr]).toEqual([5, expect.stringMatching(/FILE_NOT_FOUND.*row 2, column encryption_key/)]);
  });

  it('takes back what was assigned to an ECU that is gone, and lets serials swap within a vehicle', async () => {
    const at = await fresh();
    const two = (first: string, second: string): string =>
      `vin,model,ecu,serial\n${A},EV-1,BCM,${first}\n${A},EV-1,MCU,${second}\n`;
    await importing(two('S1', 'S2'), at);
    expect((await importing(two('S2', 'S1'), at)).result).toMatchObject({ changed: 1 });
    expect((await importing(`vin,model,ecu,serial\n${A},EV-1,MCU,S1\n`, at)).result).toMatchObject({ changed: 1 });
    expect((await session.json(`vehicle show ${A}`, at)).result?.['ecus']).toMatchObject([
      { id: 'ZG_DRIVE', serial: null },
      { id: 'MCU', serial: 'S1' },
    ]);
  });

  it('takes keys as SPKI in base64', async () => {
    const at = await fresh();
    const pem = new TextDecoder().decode(await session.read('fleet/keys/gw.pub'));
    const spki = pem.replace(/^[^]*BEGIN PUBLIC KEY-----|-----END[^]*$/g, '').replaceAll('\n', '');
    await importing(`vin,model,ecu,key\n${A},EV-1,BCM,${spki}\n`, at);
    const [keyId] = /[0-9a-f]{64}/.exec(pem) ?? [];
    expect((await session.json(`vehicle show ${A}`, at)).result?.['ecus']).toMatchObject([{ keyId: null }, { keyId }]);
  });

  it.each([
    [
      'a VIN twice',
      `vin,model\n${B},EV-1\n${A},EV-1\n${C},EV-1\n${A},EV-1\n`,
      `6 INVENTORY_VIN_TWICE: row 5, column vin: vehicle ${A} is in row 3`,
    ],
    [
      'a VIN twice, in order until then',
      `vin,model\n${A},EV-1\n${B},EV-1\n${C},EV-1\n${A},EV-1\n`,
      `6 INVENTORY_VIN_TWICE: row 5, column vin: vehicle ${A} is in row 2`,
    ],
    [
      'a serial in two vehicles',
      `vin,model,ecu,serial\n${A},EV-1,BCM,S1\n${B},EV-1,MCU,S2\n${B},EV-1,BCM,S1\n`,
      `6 INVENTORY_ECU_SHARED: row 4, column serial: serial S1 is that of ECU BCM of vehicle ${A}`,
    ],
    [
      'a serial twice in one',
      `vin,model,ecu,serial\n${A},EV-1,BCM,S1\n${A},EV-1,MCU,S1\n`,
      '6 INVENTORY_ECU_SHARED: row 3, column serial: ',
    ],
    [
      'an unknown model',
      `vin,model\n${A},EV-1\n${B},EV-9\n`,
      '6 VEHICLE_MODEL_UNKNOWN: row 3, column model: no model EV-9',
    ],
    [
      'an unknown ECU',
      `vin,model,ecu\n${A},EV-1,ABS\n`,
      '6 INVENTORY_ECU_UNKNOWN: row 2, column ecu: model EV-1 has no',
    ],
    [
      'unknown hardware',
      `vin,model,ecu,hardware\n${A},EV-1,DOOR_L,door-z\n`,
      '6 INVENTORY_HARDWARE_UNKNOWN: row 2, column hardware: hardware door-z is not known for ECU DOOR_L; there is door-b, door-c',
    ],
    [
      'two Primaries',
      `vin,model,ecu,kind\n${A},EV-1,BCM,primary\n${A},EV-1,MCU,primary\n`,
      '6 INVENTORY_TWO_PRIMARIES: row 3, column kind: ',
    ],
    ['a malformed row', `vin,model\n${A},EV-1\nx,EV-1\n`, '4 INVENTORY_MALFORMED: row 3, column vin: '],
  ])('refuses %s, and changes nothing (U21)', async (_what, text, expected) => {
    const at = await fresh();
    expect((await refusal(text, at)).slice(0, expected.length)).toBe(expected);
    expect((await session.json('vehicle list', at)).result).toMatchObject({ total: 0 });
    expect((await session.json('log', at)).result?.['entries']).toHaveLength(2);
  });

  it('refuses another model for a vehicle that is known', async () => {
    const at = await fresh();
    await session.write('other.yaml', TEST_REGISTRY.replace('EV-1', 'EV-2'));
    await session.ok('ecu import other.yaml', at);
    await session.ok(`vehicle add ${A} --model EV-2`, at);
    expect(await refusal(`vin,model\n${A},EV-1\n`, at)).toMatch(/^6 VEHICLE_OF_ANOTHER_MODEL: row 2, column model: /);
  });

  it('leaves the old state or the new one when any call to the machine fails', async () => {
    const at = await fresh();
    const lines = Array.from({ length: 300 }, (_, i) => `5YJ3E1EA0KF${String(100_000 + i)},EV-1`);
    await session.write('fleet/v.csv', `vin,model\n${lines.join('\n')}\n`);
    for (let nth = 1; nth < 40; nth++) {
      const { status } = await session.run('vehicle import fleet/v.csv', { ...at, adapt: (io) => failing(io, nth).io });
      const { total } = (await session.json('vehicle list', at)).result ?? {};
      expect(total).toBe(status === 0 ? 300 : 0);
      if (status === 0) return;
    }
    throw new Error('the import called the machine too often');
  });

  it('ends with INTERRUPTED and nothing changed when asked to stop', async () => {
    const at = await fresh();
    await session.write('fleet/v.csv', `vin,model\n${A},EV-1\n`);
    const stopped = AbortSignal.abort(new DOMException('stop'));
    const { status } = await session.run('vehicle import fleet/v.csv', {
      ...at,
      adapt: (io) => ({ ...io, signal: stopped }),
    });
    expect(status).not.toBe(0);
    expect((await session.json('vehicle list', at)).result).toMatchObject({ total: 0 });
  });
});

describe('vehicle add with ECUs', () => {
  it('adds them, and shows them (U21)', async () => {
    const at = await fresh();
    const ecus = '--ecu ZG_BODY,serial=GW-9,kind=primary,key=fleet/keys/gw.pub --ecu BCM,hardware=bcm-a';
    expect((await session.json(`vehicle add ${A} --model EV-1 ${ecus}`, at)).result).toMatchObject({
      vehicle: { ecus: 2 },
    });
    expect((await session.json(`vehicle show ${A}`, at)).result?.['ecus']).toMatchObject([
      { id: 'ZG_BODY', serial: 'GW-9', kind: 'primary' },
      { id: 'BCM', serial: null },
    ]);
  });

  it.each([
    ['ABS', 'INVENTORY_ECU_UNKNOWN'],
    ['BCM,hardware=x', 'INVENTORY_HARDWARE_UNKNOWN'],
    ['BCM,serial', 'USAGE'],
    ['BCM,colour=red', 'USAGE'],
    ['BCM,kind=main', 'INVENTORY_MALFORMED'],
    ['BCM --ecu BCM', 'INVENTORY_MALFORMED'],
    ['BCM,kind=primary --ecu MCU,kind=primary', 'INVENTORY_TWO_PRIMARIES'],
  ])('refuses --ecu %s', async (ecu, code) => {
    const at = await fresh();
    const { error } = await session.json(`vehicle add ${A} --model EV-1 --ecu ${ecu}`, at);
    expect(error?.code).toBe(code);
    expect((await session.json('vehicle list', at)).result).toMatchObject({ total: 0 });
  });
});

it('a repository keeps no other files than its own after imports', async () => {
  const at = await fresh();
  await symlink('v.csv', session.path('fleet/link.csv'));
  await session.write('fleet/v.csv', `vin,model\n${B},EV-1\n${A},EV-1\n`);
  await session.ok('vehicle import fleet/link.csv', at);
  expect(await readdir(session.path(at.env.SECUREEV_REPO))).toEqual(['objects', 'repo.db']);
});
