/** The README's chapter on a fleet, followed word for word, with small firmware. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encryptionKey } from '../testing/encryption-keys.ts';
import { testFirmware } from '../testing/release-session.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { shellLines } from '../testing/shell-lines.ts';

const CAR = '5YJ3E1EA0KF000316';

function projectFile(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8');
}

const [chapter = ''] = /^## A fleet: [^]*?(?=^## )/m.exec(projectFile('README.md')) ?? [];
const [, csv = ''] = /```csv\n([^]*?)```/.exec(chapter) ?? [];

let session: CliSession;
beforeAll(async () => {
  session = await cliSession({ env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'correct horse' } });
  const plan = projectFile('fixtures/demo/release.yaml');
  await session.write('release.yaml', plan);
  await session.write('registry.yaml', projectFile('fixtures/demo/registry.yaml'));
  for (const [index, [, file = '']] of [...plan.matchAll(/file: ([^ }\n]+)/g)].entries()) {
    await session.write(file, testFirmware(2000 + index, index));
  }
  await session.write('keys/car-1.pub', encryptionKey('car-1').publicFile);
  await session.ok("init oem --name 'Example Motors'");
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    await session.ok(`keygen ${role} --out keys --scheme ecdsa-p256`);
    await session.ok(`role set ${role} --key keys/${role}.pub`);
  }
  await session.ok('sign root --key keys/root.key');
  await session.ok('ecu import registry.yaml');
  await session.ok(`vehicle add ${CAR} --model EV-1 --encryption-key keys/car-1.pub`);
  await session.ok('package release.yaml --key keys/targets.key --out bundles');
  await session.ok('sign targets --key keys/targets.key');
});
afterAll(async () => session[Symbol.asyncDispose]());

it('does what the chapter says (U20, U21, U24)', async () => {
  await session.write('vehicles.csv', csv);
  const lines = shellLines(chapter);
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) await session.ok(line.replace(/^secureev /, ''));
  const { result } = await session.json(`vehicle show ${CAR}`);
  expect(result?.['ecus']).toMatchObject([
    { id: 'ZG_POWERTRAIN', serial: 'GW-0316', kind: 'primary', assigned: 'bundles/2026.11.0/ZG_POWERTRAIN.otap' },
    { id: 'INVERTER_FRONT', assigned: 'EV-1/INVERTER/1.1.0/fw_jump.bin' },
    { id: 'INVERTER_REAR', assigned: 'EV-1/INVERTER/1.1.0/fw_jump.bin' },
    { id: 'VCU', serial: 'VCU-0316', assigned: 'EV-1/VCU/1.1.0/fw_dynamic.bin' },
  ]);
  expect((await session.json('release show 2026.11.0')).result).toMatchObject({
    purpose: expect.stringMatching(/Security fixes/),
    bundles: [{ releaseCounter: 2 }, { releaseCounter: 2 }, { releaseCounter: 2 }],
  });
});
