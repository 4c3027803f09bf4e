/** `verify bundle --vehicle`: a bundle against what the Director says of one vehicle. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeRole } from '../formats/metadata/envelope.ts';
import type { Targets } from '../formats/metadata/types.ts';
import { CAR, OTHER_CAR, simulateDirector } from '../testing/director-simulator.ts';
import type { VehicleSimulator } from '../testing/director-simulator.ts';
import { publishRelease, releaseSession, TEST_PLAN } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const BUNDLE = 'bundles/r1/ZG_BODY.otap';
const BCM = 'EV-1/BCM/1.1.0/bcm.bin';
const DOOR = 'EV-1/DOOR/1.1.0/door.bin';

let session: CliSession;
let targets: Targets;
let repository: string;
beforeAll(async () => {
  session = await releaseSession({ scheme: 'ecdsa-p256' });
  await session.write('release.yaml', `confidential: false\n${TEST_PLAN}`);
  await session.ok('package release.yaml --key keys/targets.key --out out');
  await publishRelease(session);
  targets = decodeRole(await readFile(session.path('public/metadata/1.targets.json')), 'targets').unverified.signed;
  repository = targets.extension?.repository ?? '';
}, 30_000);
afterAll(() => session[Symbol.asyncDispose]());

/** The honest assignment of the release to both ECUs of the gateway. */
function honest(director: VehicleSimulator): void {
  director.assign(BUNDLE, { ZG_BODY: 'ZG_BODY' });
  director.assign(BCM, { BCM: 'bcm-a' });
  director.assign(DOOR, { DOOR_L: 'door-b', DOOR_R: 'door-c' });
}

function makeDirector(setup: { repository?: string; vehicle?: typeof CAR | typeof OTHER_CAR } = {}): VehicleSimulator {
  const director = simulateDirector({ bodies: { targets } }, { repository, ...setup });
  honest(director);
  director.publish();
  return director;
}

async function lay(director: VehicleSimulator, place: string): Promise<void> {
  for (const [name, bytes] of director.files) {
    const folder = name.endsWith('.root.json') ? 'metadata' : `vehicles/${director.vehicle.id}/metadata`;
    await session.write(`${place}/${folder}/${name}`, bytes);
  }
  await session.write(`${place}.root.json`, director.files.get('1.root.json') ?? '');
}

let places = 0;

/** Exit status and outcomes of a run against a Director; its pinned root is the honest one unless a place says otherwise. */
async function verify(director: VehicleSimulator, flags = `--metadata public/metadata --vehicle ${CAR.vin}`) {
  const place = `director-${++places}`;
  await lay(director, place);
  const line = `verify bundle out/ZG_BODY.otap --root trust/root.json --director ${place} --director-root ${place}.root.json ${flags}`;
  const { status, error, result } = await session.json(line);
  const checks = (result?.['checks'] ?? []) as { id: string; status: string; code?: string }[];
  const outcomes = Object.fromEntries(checks.map((check) => [check.id, check.code ?? check.status]));
  return { status, code: error?.code ?? 'none', director: outcomes['director'], match: outcomes['director-match'] };
}

describe('a bundle for one vehicle', () => {
  test('U33: is what the Director gives to it, and both repositories agree', async () => {
    expect(await verify(makeDirector())).toEqual({ status: 0, code: 'none', director: 'pass', match: 'pass' });
  });

  test('U33: an ECU that is known by its serial is matched by its hardware', async () => {
    const director = makeDirector();
    director.assign(BCM, { 'SN-000017': 'bcm-a' });
    director.publish();
    expect((await verify(director)).match).toBe('pass');
  });

  test('without --vehicle there is no such check, and a flag of it alone is refused', async () => {
    const line = 'verify bundle out/ZG_BODY.otap --root trust/root.json --metadata public/metadata';
    expect(await session.ok(line)).not.toContain('Director');
    expect((await session.json(`${line} --director x`)).error?.code).toBe('USAGE');
    expect((await session.json(`${line} --vehicle ${CAR.vin}`)).error?.code).toBe('USAGE');
  });

  test.each([
    [
      'a bundle that is not assigned',
      'TRUST_NO_ENTRY',
      (d: VehicleSimulator) => d.edit('targets', () => ({ targets: new Map() })),
    ],
    [
      'mixed bundles: the gateway is to install another one',
      'TRUST_MIXED_BUNDLES',
      (d: VehicleSimulator) => {
        d.edit('targets', ({ targets: all }) => ({ targets: new Map([...all].filter(([name]) => name !== BUNDLE)) }));
        d.assign('bundles/r0/ZG_BODY.otap', { ZG_BODY: 'ZG_BODY' });
      },
    ],
    [
      'mixed bundles: an ECU is to install another image',
      'TRUST_MIXED_BUNDLES',
      (d: VehicleSimulator) => {
        d.edit('targets', ({ targets: all }) => ({ targets: new Map([...all].filter(([name]) => name !== BCM)) }));
        d.assign('EV-1/BCM/1.0.0/bcm.bin', { BCM: 'bcm-a' });
      },
    ],
    [
      'partial bundle: an image that the bundle brings is given to no ECU',
      'TRUST_MIXED_BUNDLES',
      (d: VehicleSimulator) =>
        d.edit('targets', ({ targets: all }) => ({ targets: new Map([...all].filter(([name]) => name !== DOOR)) })),
    ],
    ['wrong hardware', 'TRUST_HARDWARE', (d: VehicleSimulator) => d.assign(BCM, { BCM: 'bcm-z' })],
    ['the wrong gateway', 'TRUST_HARDWARE', (d: VehicleSimulator) => d.assign(BUNDLE, { ZG_DRIVE: 'ZG_DRIVE' })],
    [
      'another length than the Image repository says',
      'TRUST_ARBITRARY_SOFTWARE',
      (d: VehicleSimulator) => d.editTarget(BUNDLE, ({ length }) => ({ length: length + 1 })),
    ],
    [
      'another release counter than the Image repository says',
      'TRUST_DIRECTOR_MISMATCH',
      (d: VehicleSimulator) => d.assign(BCM, { BCM: 'bcm-a' }, { releaseCounter: 99 }),
    ],
  ])('U33 U41: %s is refused', async (_, code, change) => {
    const director = makeDirector();
    change(director);
    director.publish();
    expect(await verify(director)).toEqual({ status: 3, code, director: 'pass', match: code });
  });

  test("another vehicle's Targets, another Director's, and one of another repository", async () => {
    const other = makeDirector({ vehicle: OTHER_CAR });
    expect((await verify(other)).code).toBe('TRUST_FILE_MISSING');
    const flags = `--metadata public/metadata --vehicle ${CAR.vin} --vehicle-id ${OTHER_CAR.id}`;
    expect((await verify(other, flags)).code).toBe('TRUST_WRONG_VEHICLE');
    const foreign = makeDirector({ repository: '00000000-0000-4000-8000-000000000000' });
    expect((await verify(foreign)).code).toBe('TRUST_WRONG_REPOSITORY');
    const director = makeDirector();
    await lay(director, 'thief');
    const line = `verify bundle out/ZG_BODY.otap --root trust/root.json --metadata public/metadata --vehicle ${CAR.vin} --director thief`;
    expect((await session.json(`${line} --director-root trust/root.json`)).error?.code).toBe('TRUST_WRONG_REPOSITORY');
    expect((await session.json(`${line} --director-root thief/metadata/1.root.json`)).error?.code).toBe(
      'ROOT_INSIDE_TREE',
    );
  });
});
