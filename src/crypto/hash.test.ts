import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { cryptoVectors, hex } from '../testing/crypto-vectors.ts';
import { ENGINES } from './engine.ts';
import { hmacSha256, sha256, sha512, startSha256, startSha512 } from './hash.ts';

interface HashCase {
  readonly msg: string;
  readonly digest: string;
}

describe.each(ENGINES)('SHA-2 with engine %s', (engine) => {
  test('gives the digests of NIST CAVP, in one shot and streaming', () => {
    for (const { msg, digest } of cryptoVectors<HashCase>('cavp-sha256').cases) {
      expect(toHex(sha256(engine, hex(msg)))).toBe(digest);
      const hash = startSha256(engine);
      hash.update(hex(msg));
      expect(toHex(hash.digest())).toBe(digest);
    }
    for (const { msg, digest } of cryptoVectors<HashCase>('cavp-sha512').cases) {
      expect(toHex(sha512(engine, hex(msg)))).toBe(digest);
    }
  });

  test('gives the same digest however the input is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), (parts) => {
        const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
        const [short, long] = [startSha256(engine), startSha512(engine)];
        for (const part of parts) {
          short.update(part);
          long.update(part);
        }
        expect(short.digest()).toEqual(sha256(engine, whole));
        expect(long.digest()).toEqual(sha512(engine, whole));
      }),
    );
  });

  test('returns plain byte arrays of their own length', () => {
    const digest = sha256(engine, new Uint8Array(3));
    expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype);
    expect(digest.length).toBe(32);
  });
});

test('HMAC-SHA-256 is the same in both engines, for keys shorter and longer than a block', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (key, message) => {
      expect(hmacSha256('native', key, message)).toEqual(hmacSha256('noble', key, message));
    }),
  );
});
