import { describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { codeOf } from '../testing/crypto-vectors.ts';
import { bulkSigner, CROSS_CHECK_EVERY } from './bulk-sign.ts';
import type { BulkKeyPair } from './bulk-sign.ts';
import { ENGINES } from './engine.ts';
import { SIGNATURES, signatureAlgorithm } from './signatures/index.ts';
import type { SignatureAlgorithm } from './signatures/index.ts';

const SIGNING = SIGNATURES.filter(({ id }) => id !== 'rsa-pss-sha256');
const random = (count: number): Uint8Array => new Uint8Array(count).fill(7);

function pairOf(algorithm: SignatureAlgorithm, engine: 'noble' | 'native'): BulkKeyPair {
  return { algorithm, engine, random, ...algorithm.keygen('noble', new Uint8Array(32).fill(3)) };
}

describe.each(SIGNING)('bulk signing with $id', (algorithm) => {
  test.each(ENGINES)('%s: each signature holds in both engines, after the secret was wiped', (engine) => {
    const pair = pairOf(algorithm, engine);
    using signer = bulkSigner(pair);
    pair.secret.fill(0);
    for (const text of ['one', 'two', 'three']) {
      const message = utf8(text);
      const signature = signer.sign(message);
      for (const other of ENGINES) algorithm.verify({ engine: other, publicKey: pair.publicKey, message, signature });
    }
    expect(signer.crossChecked()).toBe(1);
  });

  test.each(ENGINES)('%s: nothing comes out under a public key of another secret', (engine) => {
    const { publicKey } = algorithm.keygen('noble', new Uint8Array(32).fill(4));
    using signer = bulkSigner({ ...pairOf(algorithm, engine), publicKey });
    expect(codeOf(() => signer.sign(utf8('one')))).toBe('ENGINE_DISAGREES');
  });

  test.each(ENGINES)('%s: a secret of another length is refused', (engine) => {
    const secret = new Uint8Array(31);
    expect(
      codeOf(() => {
        using signer = bulkSigner({ ...pairOf(algorithm, engine), secret });
        signer.sign(utf8('one'));
      }),
    ).toBe('KEY_MALFORMED');
  });
});

test('one signature in a stated number is verified by the other engine', () => {
  using signer = bulkSigner(pairOf(signatureAlgorithm('ecdsa-p256'), 'native'));
  for (let count = 0; count <= CROSS_CHECK_EVERY; count++) signer.sign(utf8(String(count)));
  expect(signer.crossChecked()).toBe(2);
});

test('an expanded ML-DSA key signs with the engine that reads it', () => {
  const algorithm = signatureAlgorithm('ml-dsa-44');
  const pair = pairOf(algorithm, 'native');
  using signer = bulkSigner({ ...pair, secret: algorithm.expanded?.of(pair.secret) ?? new Uint8Array() });
  const message = utf8('one');
  const request = { engine: 'native' as const, publicKey: pair.publicKey, message, signature: signer.sign(message) };
  expect(() => algorithm.verify(request)).not.toThrow();
});
