import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../core/bytes.ts';
import { codeOf, cryptoVectors, hex, outcomeOf } from '../../testing/crypto-vectors.ts';
import { ENGINES } from '../engine.ts';
import { ecdsaSignatureFromDer, ecdsaSignatureToDer } from './ecdsa-der.ts';
import { ecdsaP256 } from './ecdsa-p256.ts';

interface SignatureCase {
  readonly tcId: number;
  readonly publicKey: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: 'valid' | 'invalid';
}

const ORDER = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551';
const { secret, publicKey } = ecdsaP256.keygen('noble', new Uint8Array(32).fill(1));
const message = new Uint8Array(3);

test('signs deterministically as RFC 6979 A.2.5, with high s where it falls so', () => {
  for (const vector of cryptoVectors<{ secret: string; msg: string; sig: string }>('rfc6979-p256-sha256').cases) {
    const request = { secret: hex(vector.secret), message: hex(vector.msg) };
    for (const engine of ENGINES) {
      const raw = ecdsaP256.sign({ ...request, engine });
      expect(toHex(ecdsaSignatureToDer(raw))).toBe(vector.sig.toLowerCase());
      ecdsaP256.verify({
        engine,
        publicKey: ecdsaP256.publicKeyOf(engine, request.secret),
        message: request.message,
        signature: raw,
      });
    }
  }
});

describe.each(ENGINES)('ECDSA P-256 with engine %s', (engine) => {
  const verdict = (vector: SignatureCase, signature: Uint8Array) =>
    codeOf(() => ecdsaP256.verify({ engine, publicKey: hex(vector.publicKey), message: hex(vector.msg), signature }));

  test('passes Wycheproof for raw signatures', () => {
    for (const vector of cryptoVectors<SignatureCase>('wycheproof-ecdsa-p256-raw').cases) {
      const expected = vector.result === 'valid' ? undefined : 'SIGNATURE_INVALID';
      expect(verdict(vector, hex(vector.sig)), `${vector.tcId}`).toBe(expected);
    }
  });

  test('refuses points that are off the curve, compressed, hybrid or infinite', () => {
    const signature = ecdsaP256.sign({ engine: 'noble', secret, message });
    const wrong = [
      ...cryptoVectors<{ public: string }>('wycheproof-p256-invalid-points').cases.map((point) => hex(point.public)),
      concatBytes(Uint8Array.of(6), publicKey.subarray(1)),
      concatBytes(Uint8Array.of(7), publicKey.subarray(1)),
      concatBytes(Uint8Array.of(2), publicKey.subarray(1, 33)),
      concatBytes(Uint8Array.of(4), new Uint8Array(64)),
      new Uint8Array(65),
      Uint8Array.of(0),
      publicKey.subarray(1),
    ];
    for (const point of wrong) {
      expect(
        codeOf(() => ecdsaP256.checkPublicKey(engine, point)),
        `point ${toHex(point)}`,
      ).toBe('KEY_MALFORMED');
      expect(codeOf(() => ecdsaP256.verify({ engine, publicKey: point, message, signature }))).toBe('KEY_MALFORMED');
    }
  });

  test('refuses secrets that are no scalars', () => {
    for (const wrong of ['00'.repeat(32), ORDER, 'ff'.repeat(32)].map((text) => fromHex(text))) {
      expect(codeOf(() => ecdsaP256.publicKeyOf(engine, wrong))).toBe('KEY_MALFORMED');
      expect(codeOf(() => ecdsaP256.sign({ engine, secret: wrong, message }))).toBe('KEY_MALFORMED');
      const randomness = new Uint8Array(32);
      expect(codeOf(() => ecdsaP256.sign({ engine, secret: wrong, message, randomness }))).toBe('KEY_MALFORMED');
    }
  });

  test('makes a key even of a seed that is no scalar', () => {
    const pair = ecdsaP256.keygen(engine, fromHex('ff'.repeat(32)));
    expect(pair).toEqual(ecdsaP256.keygen('noble', fromHex('ff'.repeat(32))));
    ecdsaP256.verify({ engine, ...pair, message, signature: ecdsaP256.sign({ engine, ...pair, message }) });
  });
});

describe('DER of ECDSA signatures', () => {
  test('passes Wycheproof: all that is not the shortest DER, and all that does not verify, is refused', () => {
    for (const vector of cryptoVectors<SignatureCase>('wycheproof-ecdsa-p256-der').cases) {
      const verify = () =>
        ecdsaP256.verify({
          engine: 'native',
          publicKey: hex(vector.publicKey),
          message: hex(vector.msg),
          signature: ecdsaSignatureFromDer(hex(vector.sig)),
        });
      expect(codeOf(verify), `${vector.tcId}`).toBe(vector.result === 'valid' ? undefined : 'SIGNATURE_INVALID');
    }
  });

  test('round trips raw signatures, leading zeros and high bits included', () => {
    const half = fc.tuple(fc.nat(32), fc.uint8Array({ minLength: 32, maxLength: 32 })).map(([zeros, bytes]) => {
      return bytes.fill(0, 0, zeros);
    });
    fc.assert(
      fc.property(half, half, (r, s) => {
        const raw = concatBytes(r, s);
        expect(ecdsaSignatureFromDer(ecdsaSignatureToDer(raw))).toEqual(raw);
      }),
    );
  });

  test('accepts only what it would write', () => {
    const der = ecdsaSignatureToDer(ecdsaP256.sign({ engine: 'noble', secret, message }));
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, value) => {
        const changed = der.slice();
        changed[at] = value;
        const again = outcomeOf(() => ecdsaSignatureToDer(ecdsaSignatureFromDer(changed)));
        expect([toHex(changed), 'SIGNATURE_INVALID']).toContain(again);
      }),
    );
    for (let end = 0; end < der.length; end++) {
      expect(codeOf(() => ecdsaSignatureFromDer(der.subarray(0, end)))).toBe('SIGNATURE_INVALID');
    }
    expect(codeOf(() => ecdsaSignatureFromDer(concatBytes(der, Uint8Array.of(0))))).toBe('SIGNATURE_INVALID');
    expect(codeOf(() => ecdsaSignatureToDer(new Uint8Array(63)))).toBe('SIGNATURE_INVALID');
  });
});
