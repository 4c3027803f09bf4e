/** Releases that share images, and release counters that others gave: what reissuing one means for the other. */
import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { releaseSession, TEST_PLAN } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const SIGN = 'sign targets snapshot timestamp --key keys/targets.key --key keys/snapshot.key --key keys/timestamp.key';
const KEY = '--key keys/targets.key';
const OPEN = `${TEST_PLAN}confidential: false\n`;
const VERIFY = '--root trust/root.json --metadata public/metadata';

let template: CliSession;
beforeAll(async () => {
  template = await releaseSession({ scheme: 'ecdsa-p256' });
  await template.write('r1.yaml', OPEN);
  await template.write('r2.yaml', OPEN.replace('release: r1', 'release: r2'));
  await template.ok('keygen director --out keys --scheme ecdsa-p256');
  await template.ok('keygen director-root --out keys --scheme ecdsa-p256');
  await template.ok('role set director/root --key keys/director-root.pub');
  for (const role of ['targets', 'snapshot', 'timestamp'])
    await template.ok(`role set director/${role} --key keys/director.pub`);
  await template.ok('sign director/root --key keys/director-root.key');
  await template.write('car.pub', encryptionKey('car').publicFile);
  await template.ok('vehicle add 5YJ3E1EA0KF000316 --model EV-1 --encryption-key car.pub');
  await template.write('fleet.txt', '5YJ3E1EA0KF000316\n');
});
afterAll(async () => template[Symbol.asyncDispose]());

let copies = 0;
/** Runs lines on a copy of the template. */
async function begun() {
  copies += 1;
  const folder = `copy-${copies}`;
  await cp(template.path('oem'), template.path(folder), { recursive: true });
  const at = { env: { SECUREEV_REPO: folder } };
  return {
    out: folder,
    ok: (line: string) => template.ok(line, at),
    json: (line: string) => template.json(line, at),
    states: async () => {
      const { result } = await template.json('release list', at);
      const listed = (result?.['releases'] ?? []) as { name: string; outdated: boolean }[];
      return Object.fromEntries(listed.map(({ name, outdated }) => [name, outdated ? 'outdated' : 'good']));
    },
  };
}

async function codeOf(work: Promise<{ status: number; error?: { code: string } }>): Promise<string> {
  const { status, error } = await work;
  return `${status} ${error?.code ?? 'none'}`;
}

test('U33: a release issued again tells which others it makes outdated; those too are mended, and both are good', async () => {
  const on = await begun();
  await on.ok(`package r1.yaml ${KEY} --out ${on.out}/b1`);
  await on.ok(`package r2.yaml ${KEY} --out ${on.out}/b2`);
  await on.ok(SIGN);
  expect(await on.states()).toEqual({ r1: 'good', r2: 'good' });

  expect(await on.json(`package --reissue r1 ${KEY} --out ${on.out}/b1b --dry-run`)).toMatchObject({
    result: { outdates: ['r2'], dryRun: true },
  });
  expect(await on.ok(`package --reissue r1 ${KEY} --out ${on.out}/b1b`)).toContain('outdates release r2');
  expect(await on.states()).toEqual({ r1: 'good', r2: 'good' });
  await on.ok(SIGN);
  expect(await on.states()).toEqual({ r1: 'good', r2: 'outdated' });
  expect(await on.ok('release list')).toMatch(/r2 .*OUTDATED: .*--reissue/);
  await on.ok(`publish image ${on.out}/public`);
  const verify = (bundle: string): Promise<string> =>
    codeOf(
      on.json(
        `verify bundle ${on.out}/${bundle}/ZG_BODY.otap ${VERIFY}`.replace('--metadata ', `--metadata ${on.out}/`),
      ),
    );
  expect([await verify('b1b'), await verify('b2')]).toEqual(['0 none', '3 BUNDLE_IMAGE_MISMATCH']);
  const start = `campaign start r2 --vehicles fleet.txt --key keys/director.key`;
  expect(await codeOf(on.json(start))).toBe('6 RELEASE_OUTDATED');
  expect(await codeOf(on.json(`publish kit ${on.out}/kit --release r2 --vehicle 5YJ3E1EA0KF000316`))).toBe(
    '6 RELEASE_OUTDATED',
  );

  const again = await on.json(`package --reissue r2 ${KEY} --out ${on.out}/b2b`);
  expect(again.result).toMatchObject({ outdates: [] });
  await on.ok(SIGN);
  await on.ok(`publish image ${on.out}/public`);
  expect(await on.states()).toEqual({ r1: 'good', r2: 'good' });
  expect([await verify('b1b'), await verify('b2b')]).toEqual(['0 none', '0 none']);
  expect(await codeOf(on.json(start))).toBe('0 none');
});

test('U9: a release counts above what single targets for its hardware were given', async () => {
  const on = await begun();
  await on.ok(
    'target add fw/mcu.bin --name EV-1/MCU/1.5/x.bin --version-id 1.5 --release-counter 100 --hardware mcu-d --clear',
  );
  expect((await on.json(`package r1.yaml ${KEY} --out ${on.out}/b1 --dry-run`)).result).toMatchObject({
    images: [{ releaseCounter: 1 }, { releaseCounter: 1 }, { releaseCounter: 101 }],
  });
  await on.ok('discard targets');
  expect((await on.json(`package r1.yaml ${KEY} --out ${on.out}/b1`)).result).toMatchObject({
    images: [{ releaseCounter: 1 }, {}, {}],
  });
});

test('what is signed under a name gets no other content, whoever stages it', async () => {
  const on = await begun();
  await on.ok(`package r1.yaml ${KEY} --out ${on.out}/b1`);
  const add = (file: string): Promise<string> =>
    codeOf(
      on.json(
        `target add ${file} --name EV-1/MCU/2.0.0/mcu.bin --version-id 2.0.0 --release-counter 1 --hardware mcu-d`,
      ),
    );
  await on.ok(SIGN);
  expect(await add('fw/bcm.bin')).toBe('6 TARGET_NAME_TAKEN');
  expect(await add('fw/mcu.bin')).toBe('0 none');
  expect(await add('fw/bcm.bin --replace')).toBe('0 none');
});

test('nor does a release whose name for it was staged for removal, or that waits for signatures of an earlier issue', async () => {
  const on = await begun();
  await on.ok(`package r1.yaml --incomplete --out ${on.out}/b1`);
  await on.ok(`request create bundle ${on.out}/b1/ZG_BODY.otap -o ${on.out}/late.sigreq`);
  const sign = `request sign ${on.out}/late.sigreq --root trust/root.json ${KEY} -o ${on.out}/late.sig --yes`;
  await on.ok(sign);
  await on.ok(`package --reissue r1 r1.yaml ${KEY} --out ${on.out}/b2`);
  await on.ok(SIGN);
  const late = `request import ${on.out}/late.sig --bundle ${on.out}/b1/ZG_BODY.otap`;
  expect(await codeOf(on.json(late))).toMatch(/^6 REQUEST_/);
  expect(await on.ok('release list')).toMatch(/r1 .* signed, in clear, to be published/);

  await on.ok('target remove EV-1/MCU/2.0.0/mcu.bin');
  await template.write('fw/other/mcu.bin', 'other bytes');
  await template.write('r3.yaml', OPEN.replace('release: r1', 'release: r3').replace('fw/mcu.bin', 'fw/other/mcu.bin'));
  expect(await codeOf(on.json(`package r3.yaml ${KEY} --out ${on.out}/b3`))).toBe('6 RELEASE_TARGET_CHANGED');
});

test('a confidential release is not for bundles of version 1, which nobody can sign or seal', async () => {
  const on = await begun();
  await template.write('secret.yaml', TEST_PLAN);
  expect(await on.json(`package secret.yaml --otap-version 1 --out ${on.out}/b1`)).toMatchObject({
    status: 2,
    error: { code: 'USAGE', hint: expect.stringContaining('confidential: false') },
  });
});

test('a campaign waits until Snapshot and Timestamp list the release', async () => {
  const on = await begun();
  await on.ok(`package r1.yaml ${KEY} --out ${on.out}/b1`);
  await on.ok('sign targets --key keys/targets.key');
  const start = `campaign start r1 --vehicles fleet.txt --key keys/director.key`;
  expect(await on.json(start)).toMatchObject({
    status: 6,
    error: { code: 'RELEASE_NOT_COMPLETE', hint: expect.stringContaining('snapshot and timestamp') },
  });
  await on.ok(SIGN);
  expect(await codeOf(on.json(start))).toBe('0 none');
});

test('renewing for vehicles says when what they are assigned is listed no more', async () => {
  const on = await begun();
  const mcu = 'EV-1/MCU/2.0.0/mcu.bin';
  await on.ok(`package r1.yaml ${KEY} --out ${on.out}/b1`);
  await on.ok(SIGN);
  await on.ok(`assign 5YJ3E1EA0KF000316 MCU=${mcu}`);
  await on.ok('sign director --key keys/director.key');
  const renew = 'renew director --within 2d --key keys/director.key';
  expect(await on.ok(`${renew} --dry-run`)).not.toContain('warning');
  await on.ok(`target remove ${mcu}`);
  await on.ok(SIGN);
  for (const line of [`${renew} --dry-run`, renew]) {
    expect(await on.ok(line)).toMatch(
      /warning: EV-1\/MCU\/2\.0\.0\/mcu\.bin is assigned to 1 vehicle .* in no complete/,
    );
  }
});
