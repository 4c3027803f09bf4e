/** A ceremony for a repository of aktualizr vehicles: its roots are written as those read them, and the repository goes on so. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { ceremonySession } from '../testing/ceremony-session.ts';
import type { CliSession } from '../testing/run-cli.ts';

const RUN = 'ceremony run ceremony.yaml --out held --rehearsal --answers answers.yaml';
const BROUGHT = { env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: 'brought by others' } };

describe('of one custodian, rehearsed', () => {
  let session: CliSession;
  beforeAll(async () => {
    session = await ceremonySession({ custodians: ['AL'], scheme: 'ed25519', more: 'dialect: aktualizr' });
    await session.ok(RUN);
  }, 60_000);
  afterAll(async () => session[Symbol.asyncDispose]());

  test('its roots are of the dialect, and the ceremony verifies', async () => {
    const text = fromUtf8(await session.read('held/metadata/image/1.root.json'));
    const root = JSON.parse(text) as { signed: { _type: string; consistent_snapshot: boolean; keys: object } };
    expect(root.signed).toMatchObject({ _type: 'Root', consistent_snapshot: false });
    expect(Object.values(root.signed.keys).map((key: { keytype: string }) => key.keytype)).toEqual(
      Array.from({ length: 4 }, () => 'ED25519'),
    );
    expect(text).toMatch(/^[ -~]*$/);
    expect((await session.json('ceremony verify held --rehearsal')).status).toBe(0);
  });

  test('a repository begins with them and is signed, published and verified in the dialect', async () => {
    const other = await session.json('init oem --from-ceremony held --rehearsal --dialect tuf');
    expect([other.status, other.error?.code]).toEqual([2, 'USAGE']);
    const made = await session.json('init oem --from-ceremony held --rehearsal');
    expect(made.result).toMatchObject({ dialect: 'aktualizr' });
    const roles = ['targets', 'snapshot', 'timestamp'];
    await session.ok(`sign ${roles.join(' ')} ${roles.map((role) => `--key keys/${role}.key`).join(' ')}`, BROUGHT);
    await session.ok('publish image public', BROUGHT);
    expect(await session.read('public/metadata/1.root.json')).toEqual(
      await session.read('held/metadata/image/1.root.json'),
    );
    const { status } = await session.json(
      'verify repository public --root held/metadata/image/1.root.json --state state',
    );
    expect(status).toBe(0);
  });
});

test('a plan with keys that such vehicles do not read is refused; a new plan takes those that they do', async () => {
  await using session = await ceremonySession({ scheme: 'hybrid', more: 'dialect: aktualizr', brings: false });
  const { status, error } = await session.json('ceremony plan ceremony.yaml --show');
  expect([status, error?.code]).toEqual([4, 'CEREMONY_PLAN_MALFORMED']);
  await session.ok('ceremony plan new.yaml --dialect aktualizr');
  expect(fromUtf8(await session.read('new.yaml'))).toMatch(/^scheme: hybrid-ed25519 .*\ndialect: aktualizr /m);
});
