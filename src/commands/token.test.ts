import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { makeTokens, softHsmModule } from '../testing/soft-hsm.ts';

const MODULE = softHsmModule();
let session: CliSession;

describe.runIf(MODULE !== undefined)('keys on PKCS#11 tokens', () => {
  beforeAll(async () => {
    makeTokens(['Root A', 'Root B']);
    session = await cliSession({
      env: {
        SECUREEV_PASSPHRASE: 'correct horse battery staple',
        SECUREEV_REPO: 'oem',
        SECUREEV_PKCS11_MODULE: MODULE ?? '',
      },
      files: { pin: '1234\n', 'wrong-pin': '9999\n' },
    });
  });
  afterAll(async () => await session[Symbol.asyncDispose]());

  const keygen = (name: string, rest: readonly string[]) => session.json(['keygen', name, '--out', 'keys', ...rest]);
  const uri = (token: string, pin = 'pin') =>
    `pkcs11:token=${encodeURIComponent(token)}?pin-source=${session.path(pin)}`;

  test('a hybrid key on a token without ML-DSA wants its second half in a file, by name', async () => {
    const { error, status } = await keygen('root-a', ['--signer', uri('Root A')]);
    expect([status, error?.code]).toEqual([5, 'SIGNER_MECHANISM_MISSING']);
    expect(error?.hint).toContain('+file:');
    await expect(session.read('keys/root-a.pub')).rejects.toThrow(/ENOENT/);
  });

  test('joined with a file it signs a root, together with a key file', async () => {
    const made = await keygen('root-a', ['--signer', `${uri('Root A')}+file:`]);
    expect(made.result).toMatchObject({
      scheme: 'hybrid',
      signerFile: 'keys/root-a.signer',
      keyFile: 'keys/root-a.key',
    });
    expect(fromUtf8(await session.read('keys/root-a.signer'))).toMatch(
      /^pkcs11:token=Root%20A;serial=[0-9a-f]+;id=(?:%[0-9a-f]{2}){16}\?module-path=.*\+file:root-a\.key\n$/,
    );
    await session.ok(['init', 'oem', '--name', 'Example Motors']);
    for (const name of ['root-b', 'targets', 'snapshot', 'timestamp']) await session.ok(`keygen ${name} --out keys`);
    await session.ok('role set root --key keys/root-a.pub --key keys/root-b.pub --threshold 2');
    for (const role of ['targets', 'snapshot', 'timestamp'])
      await session.ok(`role set ${role} --key keys/${role}.pub`);
    const first = await session.json('sign root --key keys/root-a.signer');
    expect(first.result).toMatchObject({ complete: false });
    const shown = await session.run('sign root --key keys/root-a.signer');
    expect(shown.stderr).toMatch(/^using token Root A \(serial [0-9a-f]+\)$/m);
    const second = await session.json('sign root --key keys/root-b.key');
    expect(second.result).toMatchObject({ complete: true });
  });

  test('the public half of a key on a token is written from the token', async () => {
    const text = await session.ok('key public keys/root-a.signer');
    const kept = fromUtf8(await session.read('keys/root-a.pub'));
    const ids = (from: string) => from.match(/key id: [0-9a-f]{64}/g);
    expect(ids(text)).toEqual(ids(kept));
  });

  test('a key of one algorithm lives on the token alone', async () => {
    const made = await keygen('legacy', ['--scheme', 'rsa-3072', '--signer', uri('Root B')]);
    expect(made.result).toMatchObject({ scheme: 'rsa-3072', keyFile: null });
    const again = await keygen('legacy', ['--scheme', 'rsa-3072', '--signer', uri('Root B')]);
    expect(again.error?.code).toBe('FILE_EXISTS');
  });

  test('a wrong PIN makes nothing and shows nowhere', async () => {
    const answer = await keygen('x', ['--scheme', 'ed25519', '--signer', uri('Root B', 'wrong-pin')]);
    expect(answer.error?.code).toBe('SIGNER_PIN_WRONG');
    expect(JSON.stringify(answer)).not.toContain('9999');
    await expect(session.read('keys/x.signer')).rejects.toThrow(/ENOENT/);
  });
});
