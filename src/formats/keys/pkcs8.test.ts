import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { equalBytes, fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { KEMS } from '../../crypto/kems/index.ts';
import { SIGNATURES, signatureAlgorithm } from '../../crypto/signatures/index.ts';
import { constantKey, keyFixture } from '../../testing/key-fixtures.ts';
import type { KeyAlgorithm, KeyPurpose } from './algorithms.ts';
import { purposeOf } from './algorithms.ts';
import {
  derBitsOf,
  derImplicitOf,
  derIntegerOf,
  derOctetsOf,
  derOidOf,
  derSequenceOf,
  derTaggedOf,
  encodeDer,
} from './der.ts';
import type { DerNode } from './der.ts';
import { hasJwk } from './jwk.ts';
import { decodePem } from './pem.ts';
import { decodePkcs8, encodePkcs8 } from './pkcs8.ts';
import type { PrivateKey } from './pkcs8.ts';
import { makePublicKey } from './public-key.ts';
import { algorithmOf, publicKeyOfSecret } from './secret.ts';
import { algorithmNode } from './algorithm-identifier.ts';
import { encodeSpki, encodeSpkiPem, identifierOf } from './spki.ts';

const ALGORITHMS: readonly KeyAlgorithm[] = [
  ...SIGNATURES.filter(({ secretBytes }) => secretBytes > 0).map(({ id }) => id),
  ...KEMS.map(({ id }) => id).filter((id) => !hasJwk(id)),
];
const ML: readonly KeyAlgorithm[] = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024'];

const decode = (der: Uint8Array, purpose: KeyPurpose): PrivateKey => decodePkcs8(der, { engine: 'native', purpose });
const fixture = (name: string, purpose: KeyPurpose = 'signing'): PrivateKey =>
  decode(decodePem(keyFixture(name))[0]?.bytes ?? new Uint8Array(), purpose);
const publicFixture = (name: string): string => new TextDecoder().decode(keyFixture(name));
const code = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};

/** A PrivateKeyInfo of any parts. */
const info = (algorithm: KeyAlgorithm, inner: DerNode | Uint8Array, more: DerNode[] = [], version = 0): Uint8Array =>
  encodeDer(
    derSequenceOf(
      derIntegerOf(version),
      algorithmNode(identifierOf(algorithm)),
      derOctetsOf(inner instanceof Uint8Array ? inner : encodeDer(inner)),
      ...more,
    ),
  );

const expandedOf = (algorithm: KeyAlgorithm, secret: Uint8Array): Uint8Array =>
  algorithmOf(algorithm).expanded?.of(secret) ?? new Uint8Array();

describe('PKCS#8', () => {
  test.each(ALGORITHMS)('%s: what is written is read', (algorithm) => {
    const purpose = purposeOf(algorithm);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 250 }), (byte) => {
        const key = constantKey(algorithm, byte);
        const der = encodePkcs8(key);
        expect(decode(der, purpose)).toEqual(key);
        expect(encodePkcs8(decode(der, purpose))).toEqual(der);
      }),
      { numRuns: 5 },
    );
  });

  test('both engines derive the same public keys', () => {
    for (const algorithm of ALGORITHMS) {
      const der = encodePkcs8(constantKey(algorithm));
      const purpose = purposeOf(algorithm);
      expect(decodePkcs8(der, { engine: 'noble', purpose })).toEqual(decodePkcs8(der, { engine: 'native', purpose }));
    }
  });

  const B64 = {
    seed: 'AABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f',
    more: 'ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=',
  };
  test.each([
    // RFC 9881 appendix C.1, RFC 9935 appendix C.1, draft-connolly-cfrg-xwing-kem-10 appendix D
    [
      'ml-dsa-44',
      `MDQCAQAwCwYJYIZIAWUDBAMRBCKAI${B64.seed}`,
      'MIIFMjALBglghkgBZQMEAxEDggUhANeytHJUquDbReeTDUqY0sl9jxOX0Xidr6Fw',
    ],
    ['ml-dsa-65', `MDQCAQAwCwYJYIZIAWUDBAMSBCKAI${B64.seed}`, 'MIIHsjALBglghkgB'],
    ['ml-dsa-87', `MDQCAQAwCwYJYIZIAWUDBAMTBCKAI${B64.seed}`, 'l5K87C8kMGhqgvzPPC9f9mXncderQbkCWM+n6Q7JcSSn'],
    ['ML-KEM-512', `MFQCAQAwCwYJYIZIAWUDBAQBBEKAQ${B64.seed}${B64.more}`, ''],
    ['ML-KEM-768', `MFQCAQAwCwYJYIZIAWUDBAQCBEKAQ${B64.seed}${B64.more}`, ''],
    ['ML-KEM-1024', `MFQCAQAwCwYJYIZIAWUDBAQDBEKAQ${B64.seed}${B64.more}`, ''],
    [
      'MLKEM768-X25519',
      `MDQCAQAwDQYLKwYBBAGD5i2ByHoEI${B64.seed}`,
      'MIIE1DANBgsrBgEEAYPmLYHIegOCBMEAb1QJigoOZBFGYUtpYLpg2GA9YvRH+atJ',
    ],
  ] as const)('%s: the published example of its RFC or draft', (algorithm, base64, publicBeginning) => {
    const der = new Uint8Array(Buffer.from(base64, 'base64'));
    const key = decode(der, purposeOf(algorithm));
    expect(toHex(key.secret)).toBe(toHex(Uint8Array.from(key.secret, (_, i) => i)));
    expect(encodePkcs8(key)).toEqual(der);
    const forms = [encodeSpki(key.publicKey), key.publicKey.bytes].map((bytes) =>
      Buffer.from(bytes).toString('base64'),
    );
    expect(forms.some((form) => form.startsWith(publicBeginning))).toBe(true);
  });

  test('the seed form of ML-DSA is 54 bytes', () => {
    expect(encodePkcs8(constantKey('ml-dsa-65'))).toHaveLength(54);
  });
});

describe('PKCS#8 of others', () => {
  test.each([
    ['p256-plain', 'p256'],
    ['ed25519-plain', 'ed25519'],
  ])('openssl: %s', (name, pub) => {
    expect(encodeSpkiPem(fixture(`openssl/${name}.key`).publicKey)).toBe(publicFixture(`openssl/${pub}.pub`));
  });

  test('openssl: RSA, written again byte for byte', () => {
    const key = fixture('openssl/rsa.key');
    expect(key.publicKey.algorithm).toBe('rsa-pss-sha256');
    expect(decode(encodePkcs8(key), 'signing')).toEqual(key);
  });

  test('openssl: X25519, and P-256 for key agreement', () => {
    const x25519 = fixture('openssl/x25519-plain.key', 'encryption').publicKey;
    expect([x25519.algorithm, encodeSpkiPem(x25519)]).toEqual(['DHKEM-X25519', publicFixture('openssl/x25519.pub')]);
    const p256 = fixture('openssl/p256-plain.key', 'encryption').publicKey;
    expect([p256.algorithm, encodeSpkiPem(p256)]).toEqual(['DHKEM-P256', publicFixture('openssl/p256.pub')]);
    expect(p256.keyId).not.toBe(fixture('openssl/p256-plain.key').publicKey.keyId);
  });

  test.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ml-kem-512', 'ml-kem-768', 'ml-kem-1024'])(
    'node:crypto: %s, seed and expanded key together',
    (name) => {
      const key = fixture(`node/${name}.key`, name.startsWith('ml-dsa') ? 'signing' : 'encryption');
      expect(encodeSpkiPem(key.publicKey)).toBe(publicFixture(`node/${name}.pub`));
    },
  );

  test.each([
    ['p384.key', 'KEY_MALFORMED'],
    ['p256-explicit.key', 'KEY_MALFORMED'],
  ])('refuses openssl/%s: %s', (name, expected) => {
    expect(code(() => fixture(`openssl/${name}`))).toBe(expected);
  });

  test('a signing algorithm is none for encryption, and the reverse', () => {
    expect(code(() => fixture('openssl/ed25519-plain.key', 'encryption'))).toBe('ALGORITHM_UNKNOWN');
    expect(code(() => fixture('openssl/x25519-plain.key'))).toBe('ALGORITHM_UNKNOWN');
  });
});

describe('the three forms of ML-DSA and ML-KEM (RFC 9881 and RFC 9935 section 6)', () => {
  const forms = (algorithm: KeyAlgorithm) => {
    const { secret, publicKey } = constantKey(algorithm);
    const expanded = expandedOf(algorithm, secret);
    return {
      publicKey,
      secret,
      expanded,
      seed: info(algorithm, derImplicitOf(0, secret)),
      expandedOnly: info(algorithm, derOctetsOf(expanded)),
      both: info(algorithm, derSequenceOf(derOctetsOf(secret), derOctetsOf(expanded))),
    };
  };

  test.each(ML)('%s: all three give the same public key, and Node reads all three', (algorithm) => {
    const { seed, both, expandedOnly, publicKey, secret, expanded } = forms(algorithm);
    const purpose = purposeOf(algorithm);
    expect(decode(seed, purpose)).toEqual({ publicKey, secret });
    expect(decode(both, purpose)).toEqual({ publicKey, secret });
    expect(decode(expandedOnly, purpose)).toEqual({ publicKey, secret: expanded });
    for (const der of [seed, both, expandedOnly]) {
      const node = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
      const spki = createPublicKey(node).export({ format: 'der', type: 'spki' });
      expect(equalBytes(spki, encodeSpki(publicKey))).toBe(true);
    }
  });

  test.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const)(
    '%s: an expanded key alone signs, and Node agrees',
    (id) => {
      const { expandedOnly, publicKey } = forms(id);
      const { secret } = decode(expandedOnly, 'signing');
      const message = utf8('message');
      const signature = signatureAlgorithm(id).sign({
        engine: 'native',
        secret,
        message,
        randomness: new Uint8Array(32),
      });
      expect(verify(null, message, createPublicKey(encodeSpkiPem(publicKey)), signature)).toBe(true);
      const fromNode = createPrivateKey({ key: Buffer.from(expandedOnly), format: 'der', type: 'pkcs8' });
      signatureAlgorithm(id).verify({
        engine: 'noble',
        publicKey: publicKey.bytes,
        message,
        signature: sign(null, message, fromNode),
      });
    },
  );

  test.each(['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024'] as const)('%s: an expanded key alone decapsulates', (id) => {
    const { expandedOnly, publicKey } = forms(id);
    const kem = KEMS.find((candidate) => candidate.id === id);
    const { secret } = decode(expandedOnly, 'encryption');
    const made = kem?.encapsulate({ engine: 'native', publicKey: publicKey.bytes, randomness: new Uint8Array(32) });
    const encapsulated = made?.encapsulated ?? new Uint8Array();
    expect(kem?.decapsulate({ engine: 'native', secret, encapsulated })).toEqual(made?.sharedSecret);
  });

  test.each(ML)('%s: a seed beside the expanded key of another is refused', (algorithm) => {
    const other = expandedOf(algorithm, constantKey(algorithm, 8).secret);
    const { secret } = constantKey(algorithm);
    const der = info(algorithm, derSequenceOf(derOctetsOf(secret), derOctetsOf(other)));
    expect(code(() => decode(der, purposeOf(algorithm)))).toBe('KEY_PARTS_DISAGREE');
  });

  test.each(ML)('%s: a flipped bit anywhere in an expanded key never gives the same key', (algorithm) => {
    const { expanded, publicKey } = forms(algorithm);
    for (let at = 0; at < expanded.length; at += 509) {
      const damaged = expanded.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      const outcome = code(() => decode(info(algorithm, derOctetsOf(damaged)), purposeOf(algorithm)));
      const harmless = outcome === 'accepted' && keepsPublicKey(algorithm, { damaged, publicKey });
      expect(harmless ? 'KEY_PARTS_DISAGREE' : outcome).toMatch(/^KEY_(?:PARTS_DISAGREE|MALFORMED)$/);
    }
  });

  /** K of ML-DSA and z of ML-KEM are plain randomness: no reader can see a change, and none changes the public key. */
  const keepsPublicKey = (
    algorithm: KeyAlgorithm,
    { damaged, publicKey }: { damaged: Uint8Array; publicKey: { bytes: Uint8Array } },
  ) => equalBytes(publicKeyOfSecret(algorithm, { engine: 'noble', secret: damaged }), publicKey.bytes);

  test.each([
    ['a seed of 31 bytes', derImplicitOf(0, new Uint8Array(31))],
    ['a seed of 33 bytes', derImplicitOf(0, new Uint8Array(33))],
    ['an expanded key in the place of the seed', derImplicitOf(0, new Uint8Array(4032))],
    ['an expanded key of another parameter set', derOctetsOf(new Uint8Array(2560))],
    ['a seed under another tag', derImplicitOf(1, new Uint8Array(32))],
    ['both, the other way round', derSequenceOf(derOctetsOf(new Uint8Array(4032)), derOctetsOf(new Uint8Array(32)))],
    ['three parts', derSequenceOf(derOctetsOf(new Uint8Array(32)), derOctetsOf(new Uint8Array(4032)), derIntegerOf(1))],
    ['an integer', derIntegerOf(7)],
  ])('refuses %s', (_, inner) => {
    expect(code(() => decode(info('ml-dsa-65', inner), 'signing'))).toBe('KEY_MALFORMED');
  });
});

describe('PKCS#8 whose parts do not fit', () => {
  const { secret, publicKey } = constantKey('ecdsa-p256');
  const ec = (...parts: DerNode[]): DerNode => derSequenceOf(derIntegerOf(1), derOctetsOf(secret), ...parts);
  const point = derTaggedOf(1, derBitsOf(publicKey.bytes));
  const curve = (oid: string): DerNode => derTaggedOf(0, derOidOf(oid));
  const P256 = '1.2.840.10045.3.1.7';

  test.each([
    ['without a public key', ec()],
    ['with curve and public key', ec(curve(P256), point)],
  ])('P-256 %s is read', (_, inner) => {
    expect(decode(info('ecdsa-p256', inner), 'signing')).toEqual({ secret, publicKey });
  });

  test('the public key after the private one (RFC 5958 version 2) is read and compared', () => {
    const ed = constantKey('ed25519');
    const other = constantKey('ed25519', 9);
    const with_ = (bytes: Uint8Array, version = 1): Uint8Array =>
      info('ed25519', derOctetsOf(ed.secret), [derImplicitOf(1, Uint8Array.of(0, ...bytes))], version);
    expect(decode(with_(ed.publicKey.bytes), 'signing')).toEqual(ed);
    expect(code(() => decode(with_(other.publicKey.bytes), 'signing'))).toBe('KEY_PARTS_DISAGREE');
    expect(code(() => decode(with_(ed.publicKey.bytes, 0), 'signing'))).toBe('KEY_MALFORMED');
    expect(code(() => decode(info('ed25519', derOctetsOf(ed.secret), [], 1), 'signing'))).toBe('KEY_MALFORMED');
    const attributes = [derTaggedOf(0, derSequenceOf())];
    expect(code(() => decode(info('ed25519', derOctetsOf(ed.secret), attributes), 'signing'))).toBe('KEY_MALFORMED');
  });

  const wrongPoint = derTaggedOf(1, derBitsOf(constantKey('ecdsa-p256', 9).publicKey.bytes));
  test.each([
    ['the point of another key', info('ecdsa-p256', ec(wrongPoint)), 'KEY_PARTS_DISAGREE'],
    ['another curve inside', info('ecdsa-p256', ec(curve('1.3.132.0.34'), point)), 'KEY_MALFORMED'],
    ['point before curve', info('ecdsa-p256', ec(point, curve(P256))), 'KEY_MALFORMED'],
    ['two points', info('ecdsa-p256', ec(point, point)), 'KEY_MALFORMED'],
    [
      'version 2 of ECPrivateKey',
      info('ecdsa-p256', derSequenceOf(derIntegerOf(2), derOctetsOf(secret))),
      'KEY_MALFORMED',
    ],
    [
      'the scalar zero',
      info('ecdsa-p256', derSequenceOf(derIntegerOf(1), derOctetsOf(new Uint8Array(32)))),
      'KEY_MALFORMED',
    ],
    [
      'a scalar over the order',
      info('ecdsa-p256', derSequenceOf(derIntegerOf(1), derOctetsOf(fromHex('ff'.repeat(32))))),
      'KEY_MALFORMED',
    ],
    [
      'a scalar of 31 bytes',
      info('ecdsa-p256', derSequenceOf(derIntegerOf(1), derOctetsOf(new Uint8Array(31).fill(1)))),
      'KEY_MALFORMED',
    ],
    ['an X-Wing seed in an OCTET STRING', info('MLKEM768-X25519', derOctetsOf(new Uint8Array(32))), 'KEY_MALFORMED'],
    ['an X-Wing seed of 31 bytes', info('MLKEM768-X25519', new Uint8Array(31)), 'KEY_MALFORMED'],
    ['an Ed25519 seed of 33 bytes', info('ed25519', derOctetsOf(new Uint8Array(33))), 'KEY_MALFORMED'],
  ])('refuses %s', (_, der, expected) => {
    const results = (['signing', 'encryption'] as const).map((each) => code(() => decode(der, each)));
    expect(results).toContain(expected);
    expect(results).not.toContain('accepted');
  });

  test('no error holds the secret', () => {
    const der = info('ecdsa-p256', ec(wrongPoint));
    const thrown = ((): unknown => {
      try {
        return decode(der, 'signing');
      } catch (error) {
        return error;
      }
    })();
    const told = JSON.stringify([thrown, String(thrown), isFailure(thrown) ? thrown.details : 'no failure']);
    expect(told).toContain('KEY_PARTS_DISAGREE');
    expect(told).not.toContain(toHex(secret).slice(0, 16));
  });

  test('the same scalar under two purposes has two ids', () => {
    expect(makePublicKey('DHKEM-P256', publicKey.bytes).keyId).not.toBe(publicKey.keyId);
  });
});
