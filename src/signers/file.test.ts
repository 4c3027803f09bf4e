import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { kemAlgorithm } from '../crypto/kems/index.ts';
import { ecdsaSignatureToDer } from '../crypto/signatures/index.ts';
import { encodeSpkiPem } from '../formats/keys/spki.ts';
import { fakeIo } from '../testing/fake-io.ts';
import type { FakeIo, FakeSetup } from '../testing/fake-io.ts';
import { FIXTURE_PASSPHRASE, constantKey, keyFixture, weakKeyFile } from '../testing/key-fixtures.ts';
import { openDecryptionKey, openSigner, openSigners } from './index.ts';
import type { PassphraseChoice } from './index.ts';

const HYBRID = weakKeyFile({
  keys: [constantKey('ecdsa-p256'), constantKey('ml-dsa-65')],
  purpose: 'signing',
  holder: 'Ada',
});
const CLASSICAL = weakKeyFile({ keys: [constantKey('ed25519')], purpose: 'signing' });
const POST_QUANTUM = weakKeyFile({ keys: [constantKey('ml-dsa-65', 9)], purpose: 'signing' });
const RECIPIENT = weakKeyFile({ keys: [constantKey('MLKEM768-X25519')], purpose: 'encryption' });
const FILES = { 'k/h.key': HYBRID, 'k/c.key': CLASSICAL, 'k/p.key': POST_QUANTUM, 'k/r.key': RECIPIENT };
const MESSAGE = utf8('message');

/** A machine where key files are for their owner only, as on a disk. */
const machine = async (setup: FakeSetup & { mode?: number } = {}): Promise<FakeIo> => {
  const env = { SECUREEV_PASSPHRASE: FIXTURE_PASSPHRASE };
  const io = fakeIo({ env, ...setup, files: setup.files ?? {} });
  for (const [path, content] of Object.entries(FILES))
    await io.files.write(path, utf8(content), { mode: setup.mode ?? 0o600 });
  return io;
};
const none: PassphraseChoice = {};
const failureOf = async (work: () => Promise<unknown>): Promise<{ code: string; told: string }> => {
  try {
    await work();
    return { code: 'nothing was thrown', told: '' };
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    return { code: thrown.code, told: JSON.stringify([thrown.message, thrown.hint, thrown.details]) };
  }
};
const codeOf = async (work: () => Promise<unknown>): Promise<string> => (await failureOf(work)).code;

describe('key files as signers', () => {
  test('sign with each key, as other software verifies', async () => {
    using signer = await openSigner('k/h.key', { io: await machine(), passphrases: none });
    expect([signer.uri, signer.description]).toEqual(['k/h.key', 'key file k/h.key of Ada']);
    const [ecdsa, mlDsa] = signer.keys;
    const classical = ecdsaSignatureToDer((await ecdsa?.sign(MESSAGE)) ?? new Uint8Array());
    const pem = [ecdsa, mlDsa].map((key) => (key === undefined ? '' : encodeSpkiPem(key.publicKey)));
    expect(verify('sha256', MESSAGE, createPublicKey(pem[0] ?? ''), classical)).toBe(true);
    const postQuantum = (await mlDsa?.sign(MESSAGE)) ?? new Uint8Array();
    expect(verify(null, MESSAGE, createPublicKey(pem[1] ?? ''), postQuantum)).toBe(true);
  });

  test('are hedged, or the same again where that is asked for', async () => {
    const io = await machine();
    const twice = async (deterministic: boolean): Promise<string[]> => {
      using signer = await openSigner('k/h.key', { io, passphrases: none, deterministic });
      const signatures = await Promise.all(signer.keys.flatMap((key) => [key.sign(MESSAGE), key.sign(MESSAGE)]));
      return signatures.map(toHex);
    };
    expect(new Set(await twice(false)).size).toBe(4);
    expect(new Set(await twice(true)).size).toBe(2);
    expect(await twice(true)).toEqual(await twice(true));
  });

  test('forget their secrets when closed', async () => {
    const signer = await openSigner('k/c.key', { io: await machine(), passphrases: none });
    const [key] = signer.keys;
    signer[Symbol.dispose]();
    expect(await codeOf(async () => key?.sign(MESSAGE))).toBe('INTERNAL');
  });

  test.each([0o640, 0o604, 0o620, 0o644, 0o660, 0o610])(
    'are refused with mode %o, and the fix is named',
    async (mode) => {
      const io = await machine({ mode });
      const { code, told } = await failureOf(() => openSigner('k/c.key', { io, passphrases: none }));
      expect([code, told.includes('chmod 600 k/c.key')]).toEqual(['KEY_FILE_MODE', true]);
      expect(await codeOf(() => openDecryptionKey('k/r.key', { io, passphrases: none }))).toBe('KEY_FILE_MODE');
    },
  );

  test.each([0o600, 0o400, 0o700])('are taken with mode %o', async (mode) => {
    using signer = await openSigner('k/c.key', { io: await machine({ mode }), passphrases: none });
    expect(signer.keys).toHaveLength(1);
  });

  test('do not sign with an encryption key, nor decrypt with a signing key', async () => {
    const io = await machine();
    expect(await codeOf(() => openSigner('k/r.key', { io, passphrases: none }))).toBe('KEY_UNSUITABLE');
    expect(await codeOf(() => openDecryptionKey('k/h.key', { io, passphrases: none }))).toBe('KEY_UNSUITABLE');
    expect(await codeOf(() => openDecryptionKey('k/c.key', { io, passphrases: none }))).toBe('KEY_UNSUITABLE');
    expect(await codeOf(() => openDecryptionKey('exec:/bin/true', { io, passphrases: none }))).toBe('KEY_UNSUITABLE');
  });

  test('say of which file an error is, and never the passphrase', async () => {
    const io = await machine({ env: { SECUREEV_PASSPHRASE: 'a wrong secret' } });
    const { code, told } = await failureOf(() => openSigner('k/h.key', { io, passphrases: none }));
    expect(code).toBe('PASSPHRASE_WRONG');
    expect(told).toContain('k/h.key');
    expect(told).not.toContain('a wrong secret');
  });

  test.each([
    ['k/none.key', 'FILE_NOT_FOUND'],
    ['k/h.pub', 'KEY_FILE_MALFORMED'],
    ['k/noise.key', 'PEM_MALFORMED'],
    ['k/large.key', 'FILE_TOO_LARGE'],
  ])('%s: %s', async (path, expected) => {
    const io = await machine();
    await io.files.write('k/h.pub', keyFixture('ours/hybrid.pub'));
    await io.files.write('k/noise.key', new Uint8Array(99).fill(0xfe));
    await io.files.write('k/large.key', new Uint8Array(100_000));
    expect(await codeOf(() => openSigner(path, { io, passphrases: none }))).toBe(expected);
  });
});

describe('decryption keys', () => {
  test('decapsulate', async () => {
    using key = await openDecryptionKey('k/r.key', { io: await machine(), passphrases: none });
    const kem = kemAlgorithm(key.publicKey.algorithm);
    const randomness = new Uint8Array(kem.randomnessBytes);
    const made = kem.encapsulate({ engine: 'noble', publicKey: key.publicKey.bytes, randomness });
    const { encapsulated, sharedSecret } = made;
    expect(kem.decapsulate({ engine: 'native', secret: key.secret, encapsulated })).toEqual(sharedSecret);
  });

  test('a P-256 key of openssl decrypts', async () => {
    const io = await machine();
    await io.files.write('o.key', keyFixture('openssl/p256-pbkdf2.key'), { mode: 0o600 });
    using key = await openDecryptionKey('o.key', { io, passphrases: none });
    expect(key.publicKey.algorithm).toBe('DHKEM-P256');
  });

  test('are overwritten when closed', async () => {
    const key = await openDecryptionKey('k/r.key', { io: await machine(), passphrases: none });
    key[Symbol.dispose]();
    expect(key.secret.every((byte) => byte === 0)).toBe(true);
  });
});

describe('addresses of signers', () => {
  const algorithms = async (io: Io, uri: string): Promise<readonly string[]> => {
    using signer = await openSigner(uri, { io, passphrases: none });
    return signer.keys.map(({ publicKey }) => publicKey.algorithm);
  };

  test.each(['k/c.key', 'file:k/c.key', 'file:k/%63.key', './k/c.key'])('%s is a key file', async (uri) => {
    expect(await algorithms(await machine(), uri)).toEqual(['ed25519']);
  });

  test.each(['k/c.key+k/p.key', 'k/p.key+file:k/c.key'])('%s is a hybrid signer, classical first', async (uri) => {
    expect(await algorithms(await machine(), uri)).toEqual(['ed25519', 'ml-dsa-65']);
  });

  test('a file whose name has a + is itself', async () => {
    const io = await machine();
    await io.files.write('k/c.key+k/p.key', utf8(POST_QUANTUM), { mode: 0o600 });
    expect(await algorithms(io, 'k/c.key+k/p.key')).toEqual(['ml-dsa-65']);
    await io.files.write('a+b.key', utf8(POST_QUANTUM), { mode: 0o600 });
    expect(await algorithms(io, 'k/c.key+file:a%2Bb.key')).toEqual(['ed25519', 'ml-dsa-65']);
  });

  test('a .signer file is the address in it, from its own folder', async () => {
    const files = {
      'k/one.signer': 'c.key\n',
      'k/two.signer': 'file:c.key+p.key\r\n',
      'k/absolute.signer': 'file:/abs/c.key',
      'k/with.signer': 'file:c.key?passphrase-file=pass',
      'k/pass': `${FIXTURE_PASSPHRASE}\n`,
    };
    const io = await machine({ files });
    await io.files.write('/abs/c.key', utf8(CLASSICAL), { mode: 0o600 });
    expect(await algorithms(io, 'k/one.signer')).toEqual(['ed25519']);
    expect(await algorithms(io, 'k/two.signer')).toEqual(['ed25519', 'ml-dsa-65']);
    expect(await algorithms(io, 'k/one.signer+k/p.key')).toEqual(['ed25519', 'ml-dsa-65']);
    expect(await algorithms(io, 'k/absolute.signer')).toEqual(['ed25519']);
    expect(await algorithms({ ...io, environment: fakeIo().environment }, 'k/with.signer')).toEqual(['ed25519']);
  });

  test.each([
    ['', 'SIGNER_URI_MALFORMED'],
    ['+k/c.key', 'SIGNER_URI_MALFORMED'],
    ['k/c.key+', 'SIGNER_URI_MALFORMED'],
    ['k/c.key+k/p.key+k/h.key', 'SIGNER_URI_MALFORMED'],
    ['k/two-lines.signer', 'SIGNER_URI_MALFORMED'],
    ['k/nested.signer', 'SIGNER_URI_MALFORMED'],
    ['k/two.signer+k/p.key', 'SIGNER_URI_MALFORMED'],
    ['file:', 'SIGNER_URI_MALFORMED'],
    ['file://host/k/c.key', 'SIGNER_URI_MALFORMED'],
    ['file:k/%zz.key', 'SIGNER_URI_MALFORMED'],
    ['file:k/c.key?passphrase=secret', 'SIGNER_URI_MALFORMED'],
    ['file:k/c.key?passphrase-file=a&b=c=d', 'SIGNER_URI_MALFORMED'],
    ['vault:key', 'SIGNER_URI_MALFORMED'],
    ['k/c.key+k/h.key', 'SIGNER_JOIN'],
    ['k/c.key+k/c.key', 'SIGNER_JOIN'],
    ['k/p.key+k/p.key', 'SIGNER_JOIN'],
    ['k/a\u0000b', 'SIGNER_URI_MALFORMED'],
  ])('%j: %s', async (uri, expected) => {
    const files = { 'k/two-lines.signer': 'a\nb\n', 'k/nested.signer': 'two.signer', 'k/two.signer': 'c.key+p.key' };
    const io = await machine({ files });
    expect(await codeOf(() => openSigner(uri, { io, passphrases: none }))).toBe(expected);
  });

  test('no message repeats a passphrase that somebody put into an address', async () => {
    const io = await machine();
    for (const uri of [
      'file:k/c.key?passphrase=hunter2',
      'file:k/c.key?passphrase-file=f&pin=hunter2',
      'file:?hunter2',
    ]) {
      await expect(openSigner(uri, { io, passphrases: none })).rejects.not.toThrow(/hunter2/);
    }
  });

  test('several are opened in order, all or none', async () => {
    const io = await machine();
    using opened = await openSigners(['k/h.key', 'k/c.key'], { io, passphrases: none });
    expect(opened.keys.map(({ publicKey }) => publicKey.algorithm)).toEqual(['ecdsa-p256', 'ml-dsa-65', 'ed25519']);
    expect(await codeOf(() => openSigners(['k/h.key', 'k/none'], { io, passphrases: none }))).toBe('FILE_NOT_FOUND');
  });
});
