/** Errors about what a file holds name the file: with several of them one has to know which. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { releaseSession } from '../testing/release-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

let session: CliSession;
beforeAll(async () => {
  session = await releaseSession({ scheme: 'ecdsa-p256' });
  await session.write(
    'junk',
    Uint8Array.from({ length: 400 }, (_, i) => 255 - (i % 7)),
  );
  await session.write('taken', 'taken');
  for (const name of ['car', 'escrow']) await session.ok(`keygen ${name} --purpose encryption --out keys`);
  await session.ok('role set escrow --key keys/escrow.pub');
});
afterAll(async () => session[Symbol.asyncDispose]());

test.each([
  'role set director/root --key keys/root.pub --key junk --threshold 2',
  'role change targets --add junk',
  'delegation add acme --path a/* --key junk',
  'key show keys/car.pub junk',
  'key passwd junk',
  'sign targets --key keys/targets.key --key junk',
  'vehicle add 5YJ3E1EA0KF000316 --model EV-1 --encryption-key junk',
  'request sign junk --root trust/root.json --key keys/targets.key -o j.sig --yes',
  'request import junk',
  'request create bundle junk -o b.sigreq',
  'decrypt junk --key keys/car.key -o clear',
  'unpack junk -o images --unverified',
  'delivery import junk --root trust/root.json',
  'restore junk restored --published public --root trust/root.json',
])('%s', async (line) => {
  const { status, error } = await session.json(line);
  expect({ status, names: error?.message.includes('junk') }).toEqual({ status: 4, names: true });
});

test.each(['request create targets -o taken', 'request create bundle junk -o taken', 'root export -o taken'])(
  '%s: the place is taken, and what to do is told',
  async (line) => {
    expect((await session.json(line)).error).toMatchObject({
      code: 'FILE_EXISTS',
      message: 'file exists already: "taken"',
      hint: 'choose another name or remove it first',
    });
  },
);

test('a tree has an address that can be read', async () => {
  expect((await session.json('verify repository ftp://x/y --root trust/root.json')).error).toMatchObject({
    code: 'USAGE',
    message: '"ftp://x/y": a tree is a folder, or an http or https URL',
  });
});
