import { shake128 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { codeOf, cryptoVectors, hex } from '../../testing/crypto-vectors.ts';
import { ENGINES } from '../engine.ts';
import { signatureAlgorithm } from './index.ts';
import { mlDsa44, mlDsa65, mlDsa87 } from './ml-dsa.ts';

interface KeygenCase {
  readonly parameterSet: string;
  readonly seed: string;
  readonly pk: string;
}

interface VerifyCase {
  readonly tcId: number;
  readonly publicKey: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'invalid';
  readonly flags: readonly string[];
}

interface SignCase extends Omit<VerifyCase, 'result'> {
  readonly seed: string;
}

const ALGORITHMS = [mlDsa44, mlDsa65, mlDsa87];

test.each(ENGINES)('P: %s gives the keys of NIST ACVP (FIPS 204 keyGen)', (engine) => {
  for (const { parameterSet, seed, pk } of cryptoVectors<KeygenCase>('acvp-ml-dsa-keygen').cases) {
    expect(toHex(signatureAlgorithm(parameterSet.toLowerCase()).keygen(engine, hex(seed)).publicKey)).toBe(pk);
  }
});

test('P: keys and deterministic signatures of 100 seeds accumulate to the hashes of C2SP CCTV', () => {
  const vectors = cryptoVectors<{ algorithm: string; iterations: number; hash: string }>('cctv-ml-dsa-accumulated');
  for (const { algorithm, iterations, hash } of vectors.cases) {
    const { keygen, sign } = signatureAlgorithm(algorithm);
    const seeds = shake128(new Uint8Array(0), { dkLen: 32 * iterations });
    const output = shake128.create({ dkLen: 32 });
    for (let i = 0; i < iterations; i++) {
      const { secret, publicKey } = keygen('noble', seeds.subarray(32 * i, 32 * (i + 1)));
      output.update(publicKey).update(sign({ engine: 'noble', secret, message: new Uint8Array(0) }));
    }
    expect(toHex(output.digest())).toBe(hash);
  }
});

describe.each(ALGORITHMS)('$id', (algorithm) => {
  test.each(ENGINES)('passes Wycheproof (verify) with engine %s', (engine) => {
    for (const vector of cryptoVectors<VerifyCase>(`wycheproof-${algorithm.id}-verify`).cases) {
      const request = { publicKey: hex(vector.publicKey), message: hex(vector.msg), signature: hex(vector.sig) };
      const wrongKey = vector.flags.includes('IncorrectPublicKeyLength');
      const refusal = wrongKey ? 'KEY_MALFORMED' : 'SIGNATURE_INVALID';
      const expected = vector.result === 'valid' ? undefined : refusal;
      expect(
        codeOf(() => algorithm.verify({ ...request, engine })),
        `${vector.tcId}`,
      ).toBe(expected);
    }
  });

  test('gives the deterministic signatures of Wycheproof, whichever engine is asked', () => {
    for (const vector of cryptoVectors<SignCase>(`wycheproof-${algorithm.id}-sign`).cases) {
      const request = { secret: hex(vector.seed), message: hex(vector.msg) };
      for (const engine of ENGINES) {
        expect(toHex(algorithm.publicKeyOf(engine, request.secret))).toBe(vector.publicKey);
        expect(toHex(algorithm.sign({ ...request, engine })), `${vector.tcId}`).toBe(vector.sig);
      }
    }
  });

  test('P: sizes are those of FIPS 204, table 2', () => {
    const sizes = { 'ml-dsa-44': [1312, 2420], 'ml-dsa-65': [1952, 3309], 'ml-dsa-87': [2592, 4627] };
    expect([algorithm.publicKeyBytes, algorithm.signatureBytes]).toEqual(sizes[algorithm.id]);
    expect(algorithm.secretBytes).toBe(32);
  });
});
