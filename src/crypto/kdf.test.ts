import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { cryptoVectors, hex, outcomeOf } from '../testing/crypto-vectors.ts';
import { ENGINES } from './engine.ts';
import { hkdfExtract, hkdfSha256, scrypt } from './kdf.ts';

interface HkdfCase {
  readonly ikm: string;
  readonly salt: string;
  readonly info: string;
  readonly length: number;
  readonly prk: string;
  readonly okm: string;
}

interface WycheproofHkdfCase extends Omit<HkdfCase, 'length' | 'prk'> {
  readonly tcId: number;
  readonly size: number;
  readonly result: 'valid' | 'invalid';
}

interface ScryptCase {
  readonly password: string;
  readonly salt: string;
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly length: number;
  readonly key: string;
}

describe.each(ENGINES)('HKDF-SHA-256 with engine %s', (engine) => {
  test('gives the keys of RFC 5869', () => {
    for (const vector of cryptoVectors<HkdfCase>('rfc5869-hkdf-sha256').cases) {
      const input = { engine, ikm: hex(vector.ikm), salt: hex(vector.salt) };
      expect(toHex(hkdfExtract(input))).toBe(vector.prk);
      expect(toHex(hkdfSha256({ ...input, info: hex(vector.info), length: vector.length }))).toBe(vector.okm);
    }
  });

  test('passes Wycheproof, which asks for too much at times', () => {
    for (const vector of cryptoVectors<WycheproofHkdfCase>('wycheproof-hkdf-sha256').cases) {
      const derive = () =>
        hkdfSha256({
          engine,
          ikm: hex(vector.ikm),
          salt: hex(vector.salt),
          info: hex(vector.info),
          length: vector.size,
        });
      const expected = vector.result === 'valid' ? vector.okm : 'VALUE_MALFORMED';
      expect(outcomeOf(derive), `${vector.tcId}`).toBe(expected);
    }
  });
});

describe.each(ENGINES)('scrypt with engine %s', (engine) => {
  const vectors = cryptoVectors<ScryptCase>('rfc7914-scrypt').cases;
  const derive = (vector: ScryptCase) =>
    scrypt({ ...vector, engine, password: utf8(vector.password), salt: utf8(vector.salt) });

  test.each(vectors.filter(({ n }) => n < 2 ** 20))('gives the key of RFC 7914 for N=$n', async (vector) => {
    expect(toHex(await derive(vector))).toBe(vector.key);
  });

  test.each(vectors.filter(({ n }) => n === 2 ** 20))(
    'refuses the one of RFC 7914 that takes 1 GiB',
    async (vector) => {
      await expect(derive(vector)).rejects.toSatisfy((e) => isFailure(e, 'VALUE_MALFORMED'));
    },
  );

  test.each([
    { n: 0 },
    { n: 1 },
    { n: 1000 },
    { n: 2 ** 40 },
    { n: Number.NaN },
    { r: 0 },
    { r: 1.5 },
    { r: 2 ** 30 },
    { p: 0 },
    { p: 65 },
    { length: 0 },
    { length: 1025 },
  ])('refuses %o before it allocates', async (wrong) => {
    const request = { engine, password: utf8('p'), salt: utf8('s'), n: 16, r: 8, p: 1, length: 32, ...wrong };
    await expect(scrypt(request)).rejects.toSatisfy((e) => isFailure(e, 'VALUE_MALFORMED'));
  });

  test('takes the parameters of our key files (N=2^14, r=8, p=8)', async () => {
    const request = { password: utf8('correct horse'), salt: utf8('salt'), n: 2 ** 14, r: 8, p: 8, length: 32 };
    expect(await scrypt({ ...request, engine })).toEqual(await scrypt({ ...request, engine: 'native' }));
  });
});
