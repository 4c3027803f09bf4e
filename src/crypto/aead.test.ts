import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, toHex } from '../core/bytes.ts';
import type { EngineName } from '../core/ports.ts';
import { codeOf, cryptoVectors, hex, outcomeOf } from '../testing/crypto-vectors.ts';
import { aes256Gcm } from './aead.ts';
import { aes256CbcDecrypt, aes256CbcEncrypt } from './cbc.ts';
import { ENGINES, otherEngine } from './engine.ts';

interface CbcCase {
  readonly tcId: number;
  readonly key: string;
  readonly iv: string;
  readonly msg: string;
  readonly ct: string;
  readonly result: 'valid' | 'invalid';
}

interface GcmCase extends CbcCase {
  readonly aad: string;
  readonly tag: string;
}

const KEY = new Uint8Array(32).fill(7);
const NONCE = new Uint8Array(12).fill(9);

describe.each(ENGINES)('AES-256-GCM with engine %s', (engine) => {
  test('passes Wycheproof; nonces of other lengths are refused', () => {
    for (const vector of cryptoVectors<GcmCase>('wycheproof-aes-256-gcm').cases) {
      const aead = aes256Gcm(engine, hex(vector.key));
      const [nonce, aad, sealed] = [hex(vector.iv), hex(vector.aad), hex(vector.ct + vector.tag)];
      const seals = nonce.length === 12;
      const refusal = seals ? 'DECRYPT_FAILED' : 'KEY_MALFORMED';
      const valid = vector.result === 'valid' && seals;
      const opened = outcomeOf(() => aead.open(nonce, sealed, aad));
      expect(opened, `${vector.tcId}`).toBe(valid ? vector.msg : refusal);
      const resealed = outcomeOf(() => aead.seal(nonce, hex(vector.msg), aad));
      expect(resealed === toHex(sealed), `${vector.tcId}`).toBe(valid);
    }
  });

  test('opens what the other engine sealed, and nothing that differs in one bit', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat(), (plaintext, aad, at) => {
        const sealed = aes256Gcm(otherEngine(engine), KEY).seal(NONCE, plaintext, aad);
        const aead = aes256Gcm(engine, KEY);
        expect(aead.open(NONCE, sealed, aad)).toEqual(plaintext);
        sealed[at % sealed.length] = (sealed[at % sealed.length] ?? 0) ^ (1 << (at % 8));
        expect(codeOf(() => aead.open(NONCE, sealed, aad))).toBe('DECRYPT_FAILED');
      }),
    );
  });

  test('seals into a larger buffer and leaves the rest of it alone', () => {
    const aead = aes256Gcm(engine, KEY);
    const plaintext = new Uint8Array(1000).fill(3);
    const target = new Uint8Array(2000).fill(0xee);
    expect(aead.sealTo(target, NONCE, plaintext)).toBe(1016);
    expect(target).toEqual(concatBytes(aead.seal(NONCE, plaintext), new Uint8Array(984).fill(0xee)));
  });

  test('refuses keys, nonces and ciphertexts of wrong lengths', () => {
    const aead = aes256Gcm(engine, KEY);
    expect(codeOf(() => aes256Gcm(engine, KEY.subarray(1)))).toBe('KEY_MALFORMED');
    expect(codeOf(() => aead.seal(NONCE.subarray(1), KEY))).toBe('KEY_MALFORMED');
    expect(codeOf(() => aead.sealTo(new Uint8Array(99), new Uint8Array(16), KEY))).toBe('KEY_MALFORMED');
    for (let length = 0; length < 16; length++) {
      expect(codeOf(() => aead.open(NONCE, new Uint8Array(length)))).toBe('DECRYPT_FAILED');
    }
  });
});

describe.each(ENGINES)('AES-256-CBC with engine %s', (engine) => {
  test('passes Wycheproof, bad padding included', () => {
    for (const vector of cryptoVectors<CbcCase>('wycheproof-aes-256-cbc').cases) {
      const common = { engine, key: hex(vector.key), iv: hex(vector.iv) };
      const valid = vector.result === 'valid';
      const decrypted = outcomeOf(() => aes256CbcDecrypt({ ...common, bytes: hex(vector.ct) }));
      expect(decrypted, `${vector.tcId}`).toBe(valid ? vector.msg : 'DECRYPT_FAILED');
      const encrypted = toHex(aes256CbcEncrypt({ ...common, bytes: hex(vector.msg) }));
      expect(encrypted === vector.ct, `${vector.tcId}`).toBe(valid);
    }
  });

  test('both engines decrypt or refuse the same bytes', () => {
    const iv = new Uint8Array(16);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const result = (name: EngineName) => outcomeOf(() => aes256CbcDecrypt({ engine: name, key: KEY, iv, bytes }));
        expect(result(engine)).toBe(result(otherEngine(engine)));
      }),
    );
  });

  test('refuses keys and start values of wrong lengths', () => {
    const bytes = new Uint8Array(16);
    expect(codeOf(() => aes256CbcEncrypt({ engine, key: KEY.subarray(1), iv: bytes, bytes }))).toBe('KEY_MALFORMED');
    expect(codeOf(() => aes256CbcDecrypt({ engine, key: KEY, iv: NONCE, bytes }))).toBe('KEY_MALFORMED');
  });
});
