import { shake128 } from '@noble/hashes/sha3.js';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { codeOf, cryptoVectors, hex, outcomeOf } from '../../testing/crypto-vectors.ts';
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

interface ExpandedCase extends VerifyCase {
  readonly parameterSet: string;
  readonly comment: string;
  readonly secret: string;
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

test('signs with the expanded keys of Wycheproof, refuses those that are cut or out of range', () => {
  for (const vector of cryptoVectors<ExpandedCase>('wycheproof-ml-dsa-expanded').cases) {
    const algorithm = signatureAlgorithm(vector.parameterSet);
    const request = { secret: hex(vector.secret), message: hex(vector.msg) };
    for (const engine of ENGINES) {
      const expected = vector.result === 'valid' ? vector.sig : 'KEY_MALFORMED';
      const signed = outcomeOf(() => algorithm.sign({ ...request, engine }));
      expect(signed, `${vector.parameterSet} ${vector.tcId}`).toBe(expected);
      const publicKey = outcomeOf(() => algorithm.publicKeyOf(engine, request.secret));
      expect(publicKey, `${vector.comment} of`).toBe(vector.result === 'valid' ? vector.publicKey : 'KEY_MALFORMED');
    }
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

  test('an expanded key is the same key as its seed, and is no seed', () => {
    const seed = new Uint8Array(32).fill(7);
    const secret = algorithm.expanded?.of(seed) ?? seed;
    expect(secret.length).toBe(algorithm.expanded?.bytes);
    const message = Uint8Array.of(1, 2, 3);
    for (const engine of ENGINES) {
      const publicKey = algorithm.publicKeyOf(engine, secret);
      expect(publicKey).toEqual(algorithm.publicKeyOf(engine, seed));
      expect(algorithm.sign({ engine, secret, message })).toEqual(algorithm.sign({ engine, secret: seed, message }));
      const hedged = algorithm.sign({ engine, secret, message, randomness: seed });
      algorithm.verify({ engine, publicKey, message, signature: hedged });
      expect(codeOf(() => algorithm.keygen(engine, secret))).toBe('KEY_MALFORMED');
    }
  });

  test('P: sizes are those of FIPS 204, table 2', () => {
    const sizes = { 'ml-dsa-44': [1312, 2420], 'ml-dsa-65': [1952, 3309], 'ml-dsa-87': [2592, 4627] };
    expect([algorithm.publicKeyBytes, algorithm.signatureBytes]).toEqual(sizes[algorithm.id]);
    expect(algorithm.secretBytes).toBe(32);
  });
});
