import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublicKey, verify, constants } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { utf8 } from '../../core/bytes.ts';
import { signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { fakeIo, fixedEnvironment } from '../../testing/fake-io.ts';
import { makeTokens, softHsmModule } from '../../testing/soft-hsm.ts';
import { openPkcs11, tokenPublicKey } from './signer.ts';
import { PKCS11_ALGORITHMS } from './mechanisms.ts';
import { chooseToken, loadModule, openSession } from './token.ts';
import type { TokenKey, TokenSession } from './token.ts';
import { parsePkcs11Uri } from './uri.ts';

const MODULE = softHsmModule();

const uriOf = (text: string) => parsePkcs11Uri(text, MODULE);

const open = async (text: string, pin = '1234'): Promise<TokenSession> => {
  const uri = uriOf(text);
  const binding = await loadModule(uri);
  return openSession(binding, { ...chooseToken(binding, uri), uri, pin });
};

const algorithm = (id: string) => {
  const found = PKCS11_ALGORITHMS.find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`no algorithm ${id}`);
  return found;
};

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

const publicKeyOf = (key: TokenKey) => {
  const b64 = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('base64url');
  const [first = new Uint8Array(), second] = key.publicValues;
  const jwk: Record<string, object> = {
    'ecdsa-p256': { kty: 'EC', crv: 'P-256', x: b64(first.subarray(3, 35)), y: b64(first.subarray(35)) },
    ed25519: { kty: 'OKP', crv: 'Ed25519', x: b64(first.subarray(2)) },
    'rsa-pss-sha256': { kty: 'RSA', n: b64(first), e: b64(second) },
  };
  return createPublicKey({ key: jwk[key.algorithm.id] as never, format: 'jwk' });
};

describe.runIf(MODULE !== undefined)('a PKCS#11 token (SoftHSM2)', () => {
  beforeAll(() => makeTokens(['one', 'twin', 'twin']));

  test.each(['ecdsa-p256', 'ed25519', 'rsa-pss-sha256'])(
    'makes a %s key, finds it again, signs with it',
    async (id) => {
      using session = await open('pkcs11:token=one');
      const made = session.generate(algorithm(id), { label: `key ${id}`, id: utf8(id) });
      using again = await open(`pkcs11:token=one;object=key%20${id}`);
      const key = again.findKey();
      expect(key.publicValues).toEqual(made.publicValues);
      const message = utf8('release 1.2.3');
      const signature = await again.sign(key, message);
      const options = {
        key: publicKeyOf(key),
        dsaEncoding: 'ieee-p1363',
        ...(id.startsWith('rsa') ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {}),
      } as const;
      const digest = id === 'ed25519' ? null : 'sha256';
      expect(verify(digest, message, options, signature)).toBe(true);
      expect(verify(digest, utf8('release 1.2.4'), options, signature)).toBe(false);
    },
  );

  test.each(['ecdsa-p256', 'ed25519', 'rsa-pss-sha256'])('a %s key on a token is a signer', async (id) => {
    const pinFile = join(tmpdir(), `secureev-pin-${process.pid}-${id}`);
    writeFileSync(pinFile, '1234\n');
    const session = await open('pkcs11:token=one');
    const made = session.generate(algorithm(id), { label: `signer ${id}`, id: utf8(`signer ${id}`) });
    session[Symbol.dispose]();
    const io = {
      ...fakeIo(),
      files: { ...fakeIo().files, read: async (path: string) => Uint8Array.from(readFileSync(path)) },
      environment: fixedEnvironment({ SECUREEV_PKCS11_MODULE: MODULE ?? '' }),
    };
    const passphrases = { next: () => Promise.resolve('1234') };
    for (const uri of [
      `pkcs11:token=one;object=signer%20${id}`,
      `pkcs11:token=one;object=signer%20${id}?pin-source=${pinFile}`,
    ]) {
      using signer = await openPkcs11(uri, { io, passphrases });
      expect(signer.description).toMatch(/^key signer .* on token one \(serial [0-9a-f]+\)$/);
      const [key] = signer.keys;
      expect(key?.publicKey).toEqual(tokenPublicKey(made));
      const message = utf8('signed on the token');
      const signature = (await key?.sign(message)) ?? new Uint8Array();
      const publicKey = key?.publicKey.bytes ?? new Uint8Array();
      signatureAlgorithm(id).verify({ engine: 'native', publicKey, message, signature });
    }
  });

  test('names what is missing or not to be told apart', async () => {
    expect(await codeOf(() => open('pkcs11:token=nobody'))).toBe('SIGNER_TOKEN_MISSING');
    expect(await codeOf(() => open('pkcs11:token=twin'))).toBe('SIGNER_TOKEN_AMBIGUOUS');
    expect(await codeOf(() => open('pkcs11:token=one?module-path=/no/such.so'))).toBe('SIGNER_MODULE_MISSING');
    using session = await open('pkcs11:token=one;object=nothing');
    expect(await codeOf(() => session.findKey())).toBe('SIGNER_KEY_NOT_FOUND');
    const made = algorithm('ecdsa-p256');
    session.generate(made, { label: 'double', id: Uint8Array.of(1) });
    expect(await codeOf(() => session.generate(made, { label: 'double', id: Uint8Array.of(2) }))).toBe(
      'SIGNER_KEY_EXISTS',
    );
    expect(await codeOf(() => session.generate(algorithm('ml-dsa-65'), { label: 'pq', id: Uint8Array.of(3) }))).toBe(
      'SIGNER_MECHANISM_MISSING',
    );
    using all = await open('pkcs11:token=one');
    all.generate(made, { label: 'another', id: Uint8Array.of(4) });
    expect(await codeOf(() => all.findKey())).toBe('SIGNER_KEY_AMBIGUOUS');
  });

  test('two tokens of one label are told apart by serial', async () => {
    const uri = uriOf('pkcs11:token=twin');
    const binding = await loadModule(uri);
    const message = await Promise.resolve()
      .then(() => chooseToken(binding, uri))
      .then(
        () => '',
        (error: Error) => error.message,
      );
    const [, serial = ''] = /serial ([0-9a-f]+)/.exec(message) ?? [];
    using session = await open(`pkcs11:token=twin;serial=${serial}`);
    expect(session.token).toMatchObject({ label: 'twin', serial });
  });

  test('a session that was lost is told as such', async () => {
    const uri = uriOf('pkcs11:token=one;object=lost');
    using session = await open('pkcs11:token=one;object=lost');
    const key = session.generate(algorithm('ecdsa-p256'), { label: 'lost', id: Uint8Array.of(9) });
    const binding = await loadModule(uri);
    binding.C_CloseAllSessions(chooseToken(binding, uri).slot);
    expect(await codeOf(() => session.sign(key, utf8('x')))).toBe('SIGNER_SESSION_LOST');
  });

  test('a wrong PIN is tried once, is refused with its own code and shows in no error', async () => {
    const { error } = await open('pkcs11:token=one', 'secret-pin').then(
      () => ({ error: undefined }),
      (caught: unknown) => ({ error: caught }),
    );
    expect(isFailure(error, 'SIGNER_PIN_WRONG')).toBe(true);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret-pin');
    const source = readFileSync(new URL('token.ts', import.meta.url), 'utf8');
    expect(source.match(/C_Login\(/g)).toHaveLength(1);
  });
});
