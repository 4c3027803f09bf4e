import * as nodeCrypto from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../core/bytes.ts';
import { codeOf, cryptoVectors, hex } from '../../testing/crypto-vectors.ts';
import { ENGINES } from '../engine.ts';
import { rsaPssSha256 } from './rsa-pss-sha256.ts';

interface SignatureCase {
  readonly tcId: number;
  readonly publicKey: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'invalid';
}

const spkiOf = (key: nodeCrypto.KeyObject) => key.export({ format: 'der', type: 'spki' });
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  spkiOf(nodeCrypto.generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey);

describe.each(ENGINES)('RSA-PSS with engine %s', (engine) => {
  test('passes Wycheproof (2048 bits, MGF1-SHA-256, salt 32)', () => {
    for (const vector of cryptoVectors<SignatureCase>('wycheproof-rsa-pss-sha256').cases) {
      const request = { publicKey: hex(vector.publicKey), message: hex(vector.msg), signature: hex(vector.sig) };
      const expected = vector.result === 'valid' ? undefined : 'SIGNATURE_INVALID';
      expect(
        codeOf(() => rsaPssSha256.verify({ ...request, engine })),
        `${vector.tcId}`,
      ).toBe(expected);
    }
  });
});

test('refuses keys that are short, of a small exponent, of another kind, or not the shortest DER', () => {
  const good = rsa(2048);
  expect(codeOf(() => rsaPssSha256.checkPublicKey('native', good))).toBeUndefined();
  const wrong = [
    rsa(1024),
    rsa(2048, 3),
    spkiOf(nodeCrypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    spkiOf(nodeCrypto.generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey),
    concatBytes(good, Uint8Array.of(0)),
    good.subarray(0, -1),
    new Uint8Array(0),
    new Uint8Array(2000),
  ];
  for (const key of wrong) expect(codeOf(() => rsaPssSha256.checkPublicKey('native', key))).toBe('KEY_MALFORMED');
});

describe('signing', () => {
  const message = new Uint8Array([1, 2, 3]);
  const bitLengths = [2048, 3072, 2049] as const;
  const pairOf = (modulusLength: number) => {
    const { privateKey } = nodeCrypto.generateKeyPairSync('rsa', { modulusLength });
    const secret = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs1' }));
    return { secret, publicKey: rsaPssSha256.publicKeyOf('native', secret) };
  };

  test.each(bitLengths)('with %d bits: verifies, is the same for the same input, and takes a salt', (bits) => {
    const pair = pairOf(bits);
    for (const engine of ENGINES) {
      const one = rsaPssSha256.sign({ engine, secret: pair.secret, message });
      expect(one).toEqual(rsaPssSha256.sign({ engine, secret: pair.secret, message }));
      const randomness = new Uint8Array(32).fill(7);
      const hedged = rsaPssSha256.sign({ engine, secret: pair.secret, message, randomness });
      expect(hedged).not.toEqual(one);
      for (const signature of [one, hedged]) {
        rsaPssSha256.verify({ engine, publicKey: pair.publicKey, message, signature });
        const other = { engine, publicKey: pair.publicKey, message: new Uint8Array(3), signature };
        expect(codeOf(() => rsaPssSha256.verify(other))).toBe('SIGNATURE_INVALID');
      }
    }
  });

  test('fresh keys have 3072 bits', () => {
    const { secret, publicKey } = rsaPssSha256.keygen();
    expect(publicKey.length).toBe(422);
    expect(rsaPssSha256.publicKeyOf('noble', secret)).toEqual(publicKey);
  });

  test('refuses secrets that are none, too long, or followed by bytes', () => {
    const { secret } = pairOf(2048);
    const wrong = [new Uint8Array(0), new Uint8Array(6000), secret.subarray(1), concatBytes(secret, Uint8Array.of(0))];
    for (const one of wrong) {
      expect(codeOf(() => rsaPssSha256.sign({ engine: 'native', secret: one, message }))).toBe('KEY_MALFORMED');
      expect(codeOf(() => rsaPssSha256.publicKeyOf('native', one))).toBe('KEY_MALFORMED');
    }
  });
});
