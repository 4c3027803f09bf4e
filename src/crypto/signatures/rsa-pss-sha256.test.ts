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

test('makes no keys and no signatures', () => {
  expect(codeOf(() => rsaPssSha256.keygen())).toBe('ALGORITHM_UNKNOWN');
  expect(codeOf(() => rsaPssSha256.publicKeyOf())).toBe('ALGORITHM_UNKNOWN');
  expect(codeOf(() => rsaPssSha256.sign())).toBe('ALGORITHM_UNKNOWN');
});
