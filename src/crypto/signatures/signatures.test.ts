/** The contract that every signature algorithm keeps, in both engines. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { codeOf, cryptoVectors } from '../../testing/crypto-vectors.ts';
import { ENGINES, otherEngine } from '../engine.ts';
import { signChecked } from '../sign.ts';
import { isSignatureId, signatureAlgorithm, SIGNATURES, type SignatureId } from './index.ts';

/** A vector file for each algorithm; a new algorithm does not compile without one. */
const VECTORS: Record<SignatureId, string> = {
  'ecdsa-p256': 'rfc6979-p256-sha256',
  ed25519: 'rfc8032-ed25519',
  'ml-dsa-44': 'wycheproof-ml-dsa-44-sign',
  'ml-dsa-65': 'wycheproof-ml-dsa-65-sign',
  'ml-dsa-87': 'wycheproof-ml-dsa-87-sign',
  'rsa-pss-sha256': 'wycheproof-rsa-pss-sha256',
};

const SIGNING = SIGNATURES.filter((algorithm) => algorithm.secretBytes > 0);
const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const runs = { numRuns: 12 };

test('every algorithm has a name of its own and published vectors', () => {
  expect(new Set(SIGNATURES.map(({ id }) => id)).size).toBe(SIGNATURES.length);
  for (const { id } of SIGNATURES) {
    expect(signatureAlgorithm(id).id).toBe(id);
    expect(isSignatureId(id)).toBe(true);
    expect(cryptoVectors(VECTORS[id]).cases.length).toBeGreaterThan(0);
  }
  expect(isSignatureId('ecdsa-p384')).toBe(false);
  expect(codeOf(() => signatureAlgorithm('ecdsa-p384'))).toBe('ALGORITHM_UNKNOWN');
});

describe.each(SIGNING)('$id', (algorithm) => {
  const pair = algorithm.keygen('noble', new Uint8Array(32).fill(5));
  const message = utf8('the same bytes for everyone');
  const signature = algorithm.sign({ engine: 'noble', secret: pair.secret, message });

  test('both engines make the same keys, and verify what either signed, hedged or not', () => {
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 100 }), (seed, text) => {
        const keys = algorithm.keygen('noble', seed);
        expect(algorithm.keygen('native', seed)).toEqual(keys);
        for (const engine of ENGINES) {
          expect(algorithm.publicKeyOf(engine, keys.secret)).toEqual(keys.publicKey);
          algorithm.checkPublicKey(engine, keys.publicKey);
          for (const randomness of [undefined, seed]) {
            const made = signChecked({ algorithm, engine, ...keys, message: text, randomness });
            expect(made.length).toBe(algorithm.signatureBytes);
            algorithm.verify({ engine, publicKey: keys.publicKey, message: text, signature: made });
          }
        }
      }),
      runs,
    );
  });

  test('both engines give the same deterministic signature', () => {
    for (const engine of ENGINES) expect(algorithm.sign({ engine, secret: pair.secret, message })).toEqual(signature);
  });

  test('both engines say the same of any changed byte of signature, key or message', () => {
    const what = fc.constantFrom('signature', 'publicKey', 'message');
    fc.assert(
      fc.property(what, fc.nat(), fc.integer({ min: 1, max: 255 }), (part, at, change) => {
        const request = { publicKey: pair.publicKey.slice(), message: message.slice(), signature: signature.slice() };
        const bytes = part === 'signature' || part === 'message' ? request[part] : request.publicKey;
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change;
        const codes = ENGINES.map((engine) => codeOf(() => algorithm.verify({ engine, ...request })));
        expect(codes[0]).toMatch(/^(?:SIGNATURE_INVALID|KEY_MALFORMED)$/);
        expect(codes[1]).toBe(codes[0]);
      }),
      { numRuns: 60 },
    );
  });

  test('both engines say the same of random keys and signatures', () => {
    const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(exactly(algorithm.publicKeyBytes), exactly(algorithm.signatureBytes), (publicKey, random) => {
        const request = { publicKey, message, signature: random };
        const codes = ENGINES.map((engine) => codeOf(() => algorithm.verify({ engine, ...request })));
        expect(codes[0]).toMatch(/^(?:SIGNATURE_INVALID|KEY_MALFORMED)$/);
        expect(codes[1]).toBe(codes[0]);
        const checks = ENGINES.map((engine) => codeOf(() => algorithm.checkPublicKey(engine, publicKey)));
        expect(checks[1]).toBe(checks[0]);
      }),
      { numRuns: 40 },
    );
  });

  test.each(ENGINES)('%s refuses signatures, keys, seeds and randomness of other lengths', (engine) => {
    const verify = (change: object) =>
      codeOf(() => algorithm.verify({ engine, publicKey: pair.publicKey, message, signature, ...change }));
    for (const wrong of [new Uint8Array(0), signature.subarray(1), concatBytes(signature, Uint8Array.of(0))]) {
      expect(verify({ signature: wrong })).toBe('SIGNATURE_INVALID');
    }
    for (const wrong of [
      new Uint8Array(0),
      pair.publicKey.subarray(1),
      concatBytes(pair.publicKey, Uint8Array.of(0)),
    ]) {
      expect(verify({ publicKey: wrong })).toBe('KEY_MALFORMED');
      expect(codeOf(() => algorithm.checkPublicKey(engine, wrong))).toBe('KEY_MALFORMED');
    }
    for (const wrong of [new Uint8Array(0), new Uint8Array(31).fill(1), new Uint8Array(33).fill(1)]) {
      expect(codeOf(() => algorithm.keygen(engine, wrong))).toBe('KEY_MALFORMED');
      expect(codeOf(() => algorithm.publicKeyOf(engine, wrong))).toBe('KEY_MALFORMED');
      expect(codeOf(() => algorithm.sign({ engine, secret: wrong, message }))).toBe('KEY_MALFORMED');
    }
  });

  test.each(ENGINES)('%s: hedged signatures differ from the deterministic one', (engine) => {
    if (algorithm.id === 'ed25519') return;
    const randomness = new Uint8Array(32).fill(8);
    expect(algorithm.sign({ engine, secret: pair.secret, message, randomness })).not.toEqual(signature);
    const short = () => algorithm.sign({ engine, secret: pair.secret, message, randomness: randomness.subarray(1) });
    expect(codeOf(short)).toBe('KEY_MALFORMED');
  });

  test.each(ENGINES)('%s: a signature that the public key does not verify never leaves', (engine) => {
    const stranger = algorithm.keygen('noble', new Uint8Array(32).fill(6)).publicKey;
    const request = { algorithm, engine, secret: pair.secret, publicKey: stranger, message };
    expect(codeOf(() => signChecked(request))).toBe('ENGINE_DISAGREES');
    const faulty = {
      ...algorithm,
      sign: () => {
        const made = signature.slice();
        made[3] = (made[3] ?? 0) ^ 1;
        return made;
      },
    };
    const broken = { ...request, algorithm: faulty, publicKey: pair.publicKey };
    expect(codeOf(() => signChecked(broken))).toBe('ENGINE_DISAGREES');
    const asked: string[] = [];
    const spy = { ...algorithm, verify: (check: { engine: string }) => void asked.push(check.engine) };
    signChecked({ ...request, algorithm: spy });
    expect(asked).toEqual([otherEngine(engine)]);
  });
});
