/** What `publish image` and `publish director` wrote, as a vehicle sees it: the view, the partial one, and its bundles. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishRelease, releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const [CAR, OTHER] = ['5YJ3E1EA0KF000316', '5YJ3E1EA0KF000317'];
const KEY = '--key keys/director.key';
const ROOTS = '--root trust/root.json --director tree/director --director-root trust/director.json';
const ASSIGNED = [
  'ZG_BODY=bundles/r1/ZG_BODY.otap',
  'ZG_DRIVE=bundles/r1/ZG_DRIVE.otap',
  'BCM=EV-1/BCM/1.1.0/bcm.bin',
  'DOOR_L=EV-1/DOOR/1.1.0/door.bin',
  'DOOR_R=EV-1/DOOR/1.1.0/door.bin',
  'MCU=EV-1/MCU/2.0.0/mcu.bin',
].join(' ');

let session: CliSession;

/** A session with both repositories published, the confidential release r1 assigned to one of two vehicles. */
async function published(): Promise<CliSession> {
  const made = await releaseSession({ scheme: 'hybrid' });
  for (const key of ['d-root', 'director']) await made.ok(`keygen ${key} --out keys --scheme hybrid`);
  for (const key of ['escrow', 'car-1']) await made.ok(`keygen ${key} --purpose encryption --out keys`);
  await made.ok('role set escrow --key keys/escrow.pub');
  await made.ok('role set director/root --key keys/d-root.pub');
  for (const role of ['targets', 'snapshot', 'timestamp']) {
    await made.ok(`role set director/${role} --key keys/director.pub`);
  }
  await made.ok('sign director/root --key keys/d-root.key');
  await made.ok('root export --director -o trust/director.json');
  await made.ok(`vehicle add ${CAR} --model EV-1 --encryption-key keys/car-1.pub`);
  await made.ok(`vehicle add ${OTHER} --model EV-1`);
  await made.ok('package release.yaml --key keys/targets.key --out bundles');
  await made.ok(`encrypt bundles/ZG_BODY.otap bundles/ZG_DRIVE.otap --vehicle ${CAR} --out sealed`);
  await publishRelease(made);
  await made.ok(`assign ${CAR} ${ASSIGNED}`);
  await made.ok(`sign director --vehicle ${CAR} --vehicle ${OTHER} ${KEY}`);
  await made.ok('publish director tree/director');
  return made;
}

interface CheckJson {
  readonly id: string;
  readonly status: string;
  readonly code?: string;
}

async function verify(line: string) {
  const { status, error, result } = await session.json(`verify ${line}`);
  const failed = ((result?.['checks'] ?? []) as CheckJson[]).filter((check) => check.status !== 'pass');
  return {
    status,
    code: error?.code ?? 'none',
    failed: failed.map(({ id, code }) => `${id} ${code ?? 'skip'}`),
    result,
  };
}

function vehicleIdOf({ result }: { result: Readonly<Record<string, unknown>> | undefined }): string {
  return (result?.['vehicle'] as { id: string } | undefined)?.id ?? '';
}

const GOOD = { status: 0, code: 'none', failed: [] };

beforeAll(async () => {
  session = await published();
}, 120_000);
afterAll(() => session[Symbol.asyncDispose]());

describe('what both repositories have published', () => {
  test('U20 U29 U33: a vehicle verifies both repositories together, each image on its ECU', async () => {
    const { result, ...verdict } = await verify(`repository public ${ROOTS} --vehicle ${CAR} --state car`);
    expect(verdict).toEqual(GOOD);
    const images = result?.['images'] as { target: string; ecus: Record<string, string> }[];
    const ecus = images.flatMap((image) => Object.keys(image.ecus)).sort();
    expect(ecus).toEqual(['BCM', 'DOOR_L', 'DOOR_R', 'MCU', 'ZG_BODY', 'ZG_DRIVE']);
    expect(images.find(({ target }) => target.includes('DOOR'))?.ecus).toEqual({ DOOR_L: 'door-b', DOOR_R: 'door-c' });
  });

  test('U7: a vehicle with nothing to install verifies too; the VIN of neither is in a path', async () => {
    const { result, ...verdict } = await verify(`repository public ${ROOTS} --vehicle ${OTHER} --state other`);
    expect({ ...verdict, images: result?.['images'] }).toEqual({ ...GOOD, images: [] });
    const paths = await readdir(session.path('tree/director'), { recursive: true });
    expect(paths.filter((path) => path.includes(CAR ?? '') || path.includes(OTHER ?? ''))).toEqual([]);
  });

  test('U37: an ECU verifies its part with the roots and Targets of the Director alone', async () => {
    const line = `repository tree/director --director-root trust/director.json --partial --vehicle ${CAR} --state ecu`;
    await session.write('mcu.bin', await session.read('fw/mcu.bin'));
    expect(await verify(`${line} --ecu MCU --image mcu.bin`)).toMatchObject(GOOD);
    expect((await verify(`${line} --ecu MCU --image fw/door.bin`)).code).not.toBe('none');
    expect((await verify(`${line} --ecu NONE`)).code).toBe('TRUST_NO_ENTRY');
  });

  test('U33: each bundle is the one for its gateway; of another vehicle it is refused', async () => {
    const line = (name: string, vin = CAR) =>
      `bundle bundles/${name}.otap ${ROOTS} --metadata public/metadata --vehicle ${vin}`;
    for (const name of ['ZG_BODY', 'ZG_DRIVE']) expect(await verify(line(name))).toMatchObject(GOOD);
    expect((await verify(line('ZG_BODY', OTHER))).code).toBe('TRUST_NO_ENTRY');
  });

  test('U29 U31: the next word of the Director is taken, the last one refused from then on', async () => {
    const line = `repository public ${ROOTS} --vehicle ${CAR} --state twice`;
    expect((await verify(line)).result?.['unchanged']).toBe(false);
    expect((await verify(line)).result?.['unchanged']).toBe(true);
    const timestamp = `tree/director/vehicles/${vehicleIdOf(await verify(line))}/metadata/timestamp.json`;
    const old = await session.read(timestamp);
    await session.ok(`assign ${CAR} --remove MCU`);
    await session.ok(`sign director ${KEY}`);
    await session.ok('publish director tree/director');
    const next = await verify(line);
    expect([next.code, next.result?.['unchanged']]).toEqual(['none', false]);
    await session.write(timestamp, old);
    expect((await verify(line)).code).toBe('TRUST_ROLLBACK');
  });
});

describe('what is sealed', () => {
  test('U10 U33: bundles are downloaded sealed, as both repositories list them, and open to what the Director named', async () => {
    const sealed = 'bundles/r1/ZG_BODY.otap.sev';
    const { result, ...verdict } = await verify(
      `repository public ${ROOTS} --vehicle ${CAR} --state car --target ${sealed} --out got`,
    );
    expect(verdict).toEqual(GOOD);
    const images = result?.['images'] as { target: string; sealed: string | null }[];
    expect(images.find(({ target }) => target === 'bundles/r1/ZG_BODY.otap')?.sealed).toBe(sealed);
    expect(await session.read(`got/${sealed}`)).toEqual(await session.read('sealed/ZG_BODY.otap.sev'));
    const id = vehicleIdOf({ result });
    await session.write(
      'got/ZG_BODY.otap.sevk',
      await session.read(`tree/director/vehicles/${id}/envelopes/bundles/r1/ZG_BODY.otap.sevk`),
    );
    await session.write('got/ZG_BODY.otap.sev', await session.read(`got/${sealed}`));
    await session.ok('decrypt got/ZG_BODY.otap.sev --key keys/car-1.key -o received.otap');
    const bundle = `bundle received.otap ${ROOTS} --metadata public/metadata --vehicle ${CAR}`;
    expect(await verify(bundle)).toMatchObject(GOOD);
  });
});
