import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { cryptoVectors, hex } from '../testing/crypto-vectors.ts';
import { ENGINES } from './engine.ts';
import { pbkdf2, type Pbkdf2Hash } from './pbkdf2.ts';

interface Pbkdf2Case {
  readonly hash: Pbkdf2Hash;
  readonly tcId: number;
  readonly password: string;
  readonly salt: string;
  readonly iterationCount: number;
  readonly dkLen: number;
  readonly dk: string;
}

describe.each(ENGINES)('PBKDF2 with engine %s', (engine) => {
  test('passes Wycheproof', async () => {
    for (const vector of cryptoVectors<Pbkdf2Case>('wycheproof-pbkdf2').cases) {
      const [password, salt] = [hex(vector.password), hex(vector.salt)];
      const { hash, iterationCount: iterations, dkLen: length } = vector;
      expect(toHex(await pbkdf2({ engine, hash, password, salt, iterations, length })), `${hash} ${vector.tcId}`).toBe(
        vector.dk,
      );
    }
  });

  test.each([{ iterations: 0 }, { iterations: 10_000_001 }, { iterations: 1.5 }, { length: 0 }, { length: 65 }])(
    'refuses %o',
    async (wrong) => {
      const request = {
        engine,
        hash: 'sha256' as const,
        password: utf8('p'),
        salt: utf8('s'),
        iterations: 1,
        length: 32,
        ...wrong,
      };
      await expect(pbkdf2(request)).rejects.toSatisfy((e) => isFailure(e, 'VALUE_MALFORMED'));
    },
  );
});
