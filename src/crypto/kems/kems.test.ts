/** The contract that every key encapsulation mechanism keeps, in both engines, and their published vectors. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, fromHex, toHex } from '../../core/bytes.ts';
import { codeOf, cryptoVectors, hex, outcomeOf } from '../../testing/crypto-vectors.ts';
import { ENGINES } from '../engine.ts';
import { isKemId, kemAlgorithm, kemOfHpkeId, type KemId, KEMS } from './index.ts';

interface PqCase {
  readonly kem_id: number;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
}

interface Rfc9180Case extends PqCase {
  readonly ikmR: string;
}

interface EncapsulateCase {
  readonly tcId: number;
  readonly m: string;
  readonly ek: string;
  readonly c: string;
  readonly K: string;
  readonly result: 'valid' | 'invalid';
}

interface DecapsulateCase extends Omit<EncapsulateCase, 'm' | 'ek'> {
  readonly seed: string;
}

interface ExpandedCase extends Omit<DecapsulateCase, 'seed'> {
  readonly parameterSet: string;
  readonly comment: string;
  readonly secret: string;
  readonly flags: readonly string[];
}

/** The HPKE identifier of each mechanism; a new mechanism does not compile without one, nor pass without vectors. */
const HPKE_IDS: Record<KemId, number> = {
  'MLKEM768-X25519': 0x647a,
  'MLKEM768-P256': 0x0050,
  'MLKEM1024-P384': 0x0051,
  'DHKEM-P256': 0x0010,
  'DHKEM-X25519': 0x0020,
  'ML-KEM-512': 0x0040,
  'ML-KEM-768': 0x0041,
  'ML-KEM-1024': 0x0042,
};

const PQ = cryptoVectors<PqCase>('hpke-pq-kems').cases;
const RFC_9180 = cryptoVectors<Rfc9180Case>('rfc9180-hpke').cases;
/** u = 0 and 1, and those of order 8 of X25519, whose shared secret with anything is zero. */
const SMALL_ORDER_U = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].map((text) => fromHex(text));

const pairOf = (kem: (typeof KEMS)[number], fill = 5) => kem.keygen('noble', new Uint8Array(kem.seedBytes).fill(fill));
const exactly = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('P: every mechanism has the identifier of the HPKE registry, and vectors', () => {
  for (const kem of KEMS) {
    expect(kem.hpkeId).toBe(HPKE_IDS[kem.id]);
    expect(kemAlgorithm(kem.id)).toBe(kem);
    expect(kemOfHpkeId(kem.hpkeId)).toBe(kem);
    expect(isKemId(kem.id)).toBe(true);
    expect([...PQ, ...RFC_9180].some((vector) => vector.kem_id === kem.hpkeId)).toBe(true);
  }
  expect(isKemId('ML-KEM-2048')).toBe(false);
  expect(codeOf(() => kemAlgorithm('ML-KEM-2048'))).toBe('ALGORITHM_UNKNOWN');
  expect(codeOf(() => kemOfHpkeId(0x0012))).toBe('ALGORITHM_UNKNOWN');
});

test.each([...PQ, ...RFC_9180])('gives keys and secrets of draft-ietf-hpke-pq and RFC 9180, KEM $kem_id', (vector) => {
  const kem = kemOfHpkeId(vector.kem_id);
  const [secret, publicKey] = [hex(vector.skRm), hex(vector.pkRm)];
  for (const engine of ENGINES) {
    expect(toHex(kem.publicKeyOf(engine, secret))).toBe(vector.pkRm);
    expect(toHex(kem.decapsulate({ engine, secret, encapsulated: hex(vector.enc) }))).toBe(vector.shared_secret);
  }
  const made = kem.encapsulate({ engine: 'noble', publicKey, randomness: hex(vector.ikmE) });
  expect([toHex(made.encapsulated), toHex(made.sharedSecret)]).toEqual([vector.enc, vector.shared_secret]);
});

test.each(RFC_9180)('derives the key pairs of RFC 9180 section 7.1.3 in both engines, KEM $kem_id', (vector) => {
  const kem = kemOfHpkeId(vector.kem_id);
  for (const engine of ENGINES) {
    const { secret, publicKey } = kem.keygen(engine, hex(vector.ikmR));
    expect([toHex(secret), toHex(publicKey)]).toEqual([vector.skRm, vector.pkRm]);
    const made = kem.encapsulate({ engine, publicKey, randomness: hex(vector.ikmE) });
    expect(toHex(made.encapsulated)).toBe(vector.enc);
  }
});

describe.each(['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024'] as const)('%s and Wycheproof', (id) => {
  const kem = kemAlgorithm(id);

  test('encapsulates to good keys, refuses unreduced and cut ones, in both engines', () => {
    for (const vector of cryptoVectors<EncapsulateCase>(`wycheproof-${id.toLowerCase()}-encapsulate`).cases) {
      const request = { publicKey: hex(vector.ek), randomness: hex(vector.m) };
      const valid = vector.result === 'valid';
      const encapsulated = outcomeOf(() => kem.encapsulate({ ...request, engine: 'noble' }).encapsulated);
      expect(encapsulated, `${vector.tcId}`).toBe(valid ? vector.c : 'KEY_MALFORMED');
      for (const engine of ENGINES) {
        const code = codeOf(() => kem.encapsulate({ ...request, engine }));
        expect(code, `${vector.tcId}`).toBe(valid ? undefined : 'KEY_MALFORMED');
        expect(codeOf(() => kem.checkPublicKey(engine, request.publicKey))).toBe(code);
      }
    }
  });

  test.each(ENGINES)('decapsulates, implicit rejection included, with engine %s', (engine) => {
    for (const vector of cryptoVectors<DecapsulateCase>(`wycheproof-${id.toLowerCase()}-decapsulate`).cases) {
      const request = { engine, secret: hex(vector.seed), encapsulated: hex(vector.c) };
      const refusal = request.secret.length === 64 ? 'DECRYPT_FAILED' : 'KEY_MALFORMED';
      const expected = vector.result === 'valid' ? vector.K : refusal;
      expect(
        outcomeOf(() => kem.decapsulate(request)),
        `${vector.tcId}`,
      ).toBe(expected);
    }
  });
});

test('decapsulates with the expanded keys of Wycheproof, refuses those that do not fit together', () => {
  for (const vector of cryptoVectors<ExpandedCase>('wycheproof-ml-kem-expanded').cases) {
    const kem = kemAlgorithm(vector.parameterSet);
    const request = { secret: hex(vector.secret), encapsulated: hex(vector.c) };
    const refusal = vector.flags.includes('IncorrectCiphertextLength') ? 'DECRYPT_FAILED' : 'KEY_MALFORMED';
    const expected = vector.result === 'valid' ? vector.K : refusal;
    for (const engine of ENGINES) {
      const shared = outcomeOf(() => kem.decapsulate({ ...request, engine }));
      expect(shared, `${vector.parameterSet} ${vector.tcId}`).toBe(expected);
    }
  }
});

describe.each(KEMS.filter((kem) => kem.family === 'post-quantum'))('expanded keys of $id', (kem) => {
  const seed = new Uint8Array(64).fill(7);
  const secret = kem.expanded?.of(seed) ?? seed;

  test.each(ENGINES)('are the same keys as their seeds, with engine %s', (engine) => {
    expect(secret.length).toBe(kem.expanded?.bytes);
    const publicKey = kem.publicKeyOf(engine, seed);
    expect(kem.publicKeyOf(engine, secret)).toEqual(publicKey);
    const { encapsulated, sharedSecret } = kem.encapsulate({ engine, publicKey, randomness: seed.subarray(32) });
    expect(kem.decapsulate({ engine, secret, encapsulated })).toEqual(sharedSecret);
    expect(codeOf(() => kem.keygen(engine, secret))).toBe('KEY_MALFORMED');
  });
});

describe.each(KEMS)('$id', (kem) => {
  const pair = pairOf(kem);

  test('both engines make the same keys and open what either encapsulated', () => {
    fc.assert(
      fc.property(exactly(kem.seedBytes), exactly(kem.randomnessBytes), (seed, randomness) => {
        const keys = kem.keygen('noble', seed);
        expect(kem.keygen('native', seed)).toEqual(keys);
        expect([keys.secret.length, keys.publicKey.length]).toEqual([kem.secretBytes, kem.publicKeyBytes]);
        for (const engine of ENGINES) {
          expect(kem.publicKeyOf(engine, keys.secret)).toEqual(keys.publicKey);
          kem.checkPublicKey(engine, keys.publicKey);
          const { encapsulated, sharedSecret } = kem.encapsulate({ engine, publicKey: keys.publicKey, randomness });
          expect([encapsulated.length, sharedSecret.length]).toEqual([kem.encapsulatedBytes, kem.sharedSecretBytes]);
          for (const opener of ENGINES) {
            expect(kem.decapsulate({ engine: opener, secret: keys.secret, encapsulated })).toEqual(sharedSecret);
          }
        }
      }),
      { numRuns: 6 },
    );
  });

  test('both engines say the same of any changed byte of what is encapsulated', () => {
    const { encapsulated, sharedSecret } = kem.encapsulate({
      engine: 'noble',
      publicKey: pair.publicKey,
      randomness: new Uint8Array(kem.randomnessBytes).fill(3),
    });
    fc.assert(
      fc.property(fc.nat(encapsulated.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = encapsulated.slice();
        changed[at] = (changed[at] ?? 0) ^ change;
        const [noble, native] = ENGINES.map((engine) =>
          outcomeOf(() => kem.decapsulate({ engine, secret: pair.secret, encapsulated: changed })),
        );
        expect(native).toBe(noble);
        expect(noble).not.toBe(toHex(sharedSecret));
      }),
      { numRuns: 25 },
    );
  });

  test('both engines say the same of any changed byte of a public key, and of random ones', () => {
    const randomness = new Uint8Array(kem.randomnessBytes).fill(3);
    const codes = (publicKey: Uint8Array) => [
      ...ENGINES.map((engine) => codeOf(() => kem.checkPublicKey(engine, publicKey))),
      ...ENGINES.map((engine) => codeOf(() => kem.encapsulate({ engine, publicKey, randomness }))),
    ];
    const changed = fc
      .tuple(fc.nat(pair.publicKey.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([at, change]) => {
        const key = pair.publicKey.slice();
        key[at] = (key[at] ?? 0) ^ change;
        return key;
      });
    fc.assert(
      fc.property(fc.oneof(changed, exactly(kem.publicKeyBytes)), (publicKey) => {
        const all = codes(publicKey);
        expect(new Set(all).size).toBe(1);
        expect([undefined, 'KEY_MALFORMED']).toContain(all[0]);
      }),
      { numRuns: 25 },
    );
  });

  test.each(ENGINES)('%s refuses keys, seeds, randomness and ciphertexts of other lengths', (engine) => {
    const randomness = new Uint8Array(kem.randomnessBytes).fill(1);
    const encapsulate = (change: object) =>
      codeOf(() => kem.encapsulate({ engine, publicKey: pair.publicKey, randomness, ...change }));
    const decapsulate = (change: object) => {
      const { encapsulated } = kem.encapsulate({ engine: 'noble', publicKey: pair.publicKey, randomness });
      return codeOf(() => kem.decapsulate({ engine, secret: pair.secret, encapsulated, ...change }));
    };
    const others = (length: number) => [0, length - 1, length + 1].map((size) => new Uint8Array(size).fill(1));
    for (const wrong of others(kem.publicKeyBytes)) {
      expect(encapsulate({ publicKey: wrong })).toBe('KEY_MALFORMED');
      expect(codeOf(() => kem.checkPublicKey(engine, wrong))).toBe('KEY_MALFORMED');
    }
    for (const wrong of others(kem.randomnessBytes)) expect(encapsulate({ randomness: wrong })).toBe('KEY_MALFORMED');
    for (const wrong of others(kem.secretBytes)) {
      expect(decapsulate({ secret: wrong })).toBe('KEY_MALFORMED');
      expect(codeOf(() => kem.publicKeyOf(engine, wrong))).toBe('KEY_MALFORMED');
    }
    for (const wrong of others(kem.seedBytes)) expect(codeOf(() => kem.keygen(engine, wrong))).toBe('KEY_MALFORMED');
    for (const wrong of others(kem.encapsulatedBytes)) {
      expect(decapsulate({ encapsulated: wrong })).toBe('DECRYPT_FAILED');
    }
  });
});

describe.each(['DHKEM-X25519', 'MLKEM768-X25519'] as const)('%s and shares of small order', (id) => {
  const kem = kemAlgorithm(id);
  const { secret, publicKey } = kem.keygen('noble', new Uint8Array(32).fill(4));
  const randomness = new Uint8Array(kem.randomnessBytes).fill(1);

  test.each(ENGINES)('are refused by %s, as a public key and in a ciphertext', (engine) => {
    const good = kem.encapsulate({ engine, publicKey, randomness }).encapsulated;
    for (const share of SMALL_ORDER_U) {
      const key = concatBytes(publicKey.subarray(0, -32), share);
      expect(codeOf(() => kem.encapsulate({ engine, publicKey: key, randomness }))).toBe('KEY_MALFORMED');
      expect(codeOf(() => kem.checkPublicKey(engine, key))).toBe('KEY_MALFORMED');
      const encapsulated = concatBytes(good.subarray(0, -32), share);
      expect(codeOf(() => kem.decapsulate({ engine, secret, encapsulated }))).toBe('DECRYPT_FAILED');
    }
  });
});

describe.each(['DHKEM-P256', 'MLKEM768-P256'] as const)('%s and points', (id) => {
  const kem = kemAlgorithm(id);
  const { secret, publicKey } = kem.keygen('noble', new Uint8Array(32).fill(4));
  const randomness = new Uint8Array(kem.randomnessBytes).fill(1);

  test.each(ENGINES)('that are no uncompressed points of the curve are refused by %s', (engine) => {
    const good = kem.encapsulate({ engine, publicKey, randomness }).encapsulated;
    const points = cryptoVectors<{ public: string }>('wycheproof-p256-invalid-points').cases.map((c) => hex(c.public));
    points.push(concatBytes(Uint8Array.of(6), good.subarray(-64)), concatBytes(Uint8Array.of(7), good.subarray(-64)));
    for (const point of points) {
      const key = concatBytes(publicKey.subarray(0, -65), point);
      expect(codeOf(() => kem.encapsulate({ engine, publicKey: key, randomness }))).toBe('KEY_MALFORMED');
      const encapsulated = concatBytes(good.subarray(0, -65), point);
      expect(codeOf(() => kem.decapsulate({ engine, secret, encapsulated }))).toBe('DECRYPT_FAILED');
    }
  });
});
