import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { ENGINES } from '../../crypto/engine.ts';
import { FIXTURE_PASSPHRASE, keyFixture, weaklyEncrypted } from '../../testing/key-fixtures.ts';
import { derIntegerOf, derNull, derOctetsOf, derOidOf, derSequenceOf, encodeDer } from './der.ts';
import type { DerNode } from './der.ts';
import { decryptPbes2, encryptPbes2, passphraseKeys } from './pbes2.ts';
import { decodePem } from './pem.ts';

const PASSPHRASE = utf8(FIXTURE_PASSPHRASE);
const der = (name: string): Uint8Array => decodePem(keyFixture(name))[0]?.bytes ?? new Uint8Array();
const fresh = { salt: new Uint8Array(16).fill(3), iv: new Uint8Array(16).fill(4) };
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'accepted';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};

/** EncryptedPrivateKeyInfo with any key derivation. */
const withKdf = (kdf: DerNode, cipherOid = '2.16.840.1.101.3.4.1.42', iv = fresh.iv): Uint8Array => {
  const cipher = derSequenceOf(derOidOf(cipherOid), derOctetsOf(iv));
  const algorithm = derSequenceOf(derOidOf('1.2.840.113549.1.5.13'), derSequenceOf(kdf, cipher));
  return encodeDer(derSequenceOf(algorithm, derOctetsOf(new Uint8Array(32))));
};
const scryptOf = (n: number, r: number, p: number, more: DerNode[] = []): DerNode =>
  derSequenceOf(
    derOidOf('1.3.6.1.4.1.11591.4.11'),
    derSequenceOf(derOctetsOf(fresh.salt), ...[n, r, p].map(derIntegerOf), ...more),
  );
const pbkdf2Of = (iterations: number, more: DerNode[] = [], salt = fresh.salt): DerNode =>
  derSequenceOf(derOidOf('1.2.840.113549.1.5.12'), derSequenceOf(derOctetsOf(salt), derIntegerOf(iterations), ...more));
const prf = (oid: string): DerNode => derSequenceOf(derOidOf(oid), derNull());

describe.each(ENGINES)('PBES2 with engine %s', (engine) => {
  const keys = () => passphraseKeys(engine, PASSPHRASE);

  test.each(['p256-pbkdf2', 'p256-scrypt', 'p256-sha1', 'p256-sha512'])('opens openssl/%s', async (name) => {
    expect(await decryptPbes2(der(`openssl/${name}.key`), keys())).toEqual(
      new Uint8Array(der('openssl/p256-plain.key')),
    );
  });

  test('opens what python3-cryptography and node:crypto encrypted', async () => {
    expect(await decryptPbes2(der('python/ml-dsa-65.key'), keys())).toHaveLength(54);
    const opened = await decryptPbes2(der('node/ml-dsa-65-encrypted.key'), keys());
    expect(opened).toEqual(new Uint8Array(der('node/ml-dsa-65.key')));
  });

  test('what it encrypts it decrypts, with one derivation for two blocks', async () => {
    const passphrases = keys();
    const plaintext = new Uint8Array(54).fill(1);
    const first = await encryptPbes2(plaintext, passphrases, fresh);
    const second = await encryptPbes2(plaintext, passphrases, { ...fresh, iv: new Uint8Array(16).fill(5) });
    expect(passphrases.derived.size).toBe(1);
    expect(await decryptPbes2(first, keys())).toEqual(plaintext);
    expect(await decryptPbes2(second, passphrases)).toEqual(plaintext);
  });
});

describe('PBES2', () => {
  const open = (bytes: Uint8Array, passphrase = PASSPHRASE) =>
    codeOf(decryptPbes2(bytes, passphraseKeys('native', passphrase)));

  test('a wrong passphrase and a damaged ciphertext are one error', async () => {
    expect(await open(weaklyEncrypted(new Uint8Array(54)), utf8('wrong'))).toBe('PASSPHRASE_WRONG');
    const damaged = weaklyEncrypted(new Uint8Array(54));
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 0xff;
    expect(['PASSPHRASE_WRONG', 'accepted']).toContain(await open(damaged));
    expect(await open(weaklyEncrypted(new Uint8Array(54)))).toBe('accepted');
  });

  test.each([
    ['scrypt over 256 MiB', scryptOf(2 ** 20, 8, 1)],
    ['scrypt with a huge N', scryptOf(2 ** 40, 1, 1)],
    ['scrypt with a huge r', scryptOf(2 ** 14, 2 ** 30, 1)],
    ['scrypt with a huge p', scryptOf(2 ** 14, 8, 2 ** 30)],
    ['scrypt with more parallel lanes than are allowed', scryptOf(2, 1, 65)],
    ['scrypt with more work than 16 of ours', scryptOf(2 ** 17, 8, 17)],
    ['scrypt whose N is no power of two', scryptOf(2 ** 14 + 1, 8, 8)],
    ['scrypt with N = 1', scryptOf(1, 8, 8)],
    ['scrypt with r = 0', scryptOf(2 ** 14, 0, 8)],
    ['PBKDF2 with eleven million iterations', pbkdf2Of(11_000_000)],
    ['PBKDF2 without iterations', pbkdf2Of(0)],
  ])('refuses %s before doing it', async (_, kdf) => {
    const before = performance.now();
    expect(await open(withKdf(kdf))).toBe('KEY_COST_REFUSED');
    expect(performance.now() - before).toBeLessThan(200);
  });

  test.each([
    ['another cipher', der('openssl/p256-aes128.key')],
    ['PBES1', der('openssl/p256-pbes1.key')],
    ['another key derivation', withKdf(derSequenceOf(derOidOf('1.2.3.4'), derNull()))],
    ['PBKDF2 over an unknown hash', withKdf(pbkdf2Of(1, [prf('1.2.3.4')]))],
  ])('names what it does not read: %s', async (_, bytes) => {
    expect(await open(bytes)).toBe('KEY_ENCRYPTION_UNKNOWN');
  });

  test.each([
    ['a key length other than 32', withKdf(scryptOf(2, 1, 1, [derIntegerOf(16)]))],
    ['a key length other than 32 in PBKDF2', withKdf(pbkdf2Of(1, [derIntegerOf(16)]))],
    ['a salt of 65 bytes', withKdf(pbkdf2Of(1, [], new Uint8Array(65)))],
    ['parameters after the last', withKdf(pbkdf2Of(1, [prf('1.2.840.113549.2.9'), derNull()]))],
    ['an initialization vector of 8 bytes', withKdf(pbkdf2Of(1), undefined, new Uint8Array(8))],
    ['nothing', new Uint8Array()],
    ['a PrivateKeyInfo', der('openssl/p256-plain.key')],
  ])('refuses %s', async (_, bytes) => {
    expect(await open(bytes)).toBe('KEY_MALFORMED');
  });

  test('writes N=2^14, r=8, p=8, AES-256-CBC and PBES2', async () => {
    const text = toHex(await encryptPbes2(new Uint8Array(54), passphraseKeys('native', PASSPHRASE), fresh));
    expect(text).toContain('02024000020108020108');
    expect(text).toContain('060960864801650304012a');
  });
});
