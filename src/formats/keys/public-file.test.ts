import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { constantKey, keyFixture, keyVectors } from '../../testing/key-fixtures.ts';
import { derBitsOf, derNull, derOidOf, derSequenceOf, encodeDer } from './der.ts';
import type { DerNode } from './der.ts';
import { decodePublicJwk, encodePublicJwk } from './jwk.ts';
import { decodePem, encodePem } from './pem.ts';
import { decodePublicFile, encodePublicFile } from './public-file.ts';
import { encodePublicKey, tufKeyObject } from './public-key.ts';
import { canonicalJson } from '../json/canonical.ts';
import { decodeSpki, decodeSpkiPem, encodeSpki } from './spki.ts';

const text = (name: string): string => new TextDecoder().decode(keyFixture(name));
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};
const HYBRID = text('ours/hybrid.pub');
const [FIRST = '', SECOND = ''] = HYBRID.split(/(?<=-----END .*\n)/);
const P256 = text('ours/ecdsa-p256.pub');
const pem = (block: string): string => block.slice(block.indexOf('-----BEGIN'));

describe('public key files', () => {
  test.each(keyVectors().map(({ file }) => file))('%s: decode and encode are each other', (file) => {
    const bytes = keyFixture(`ours/${file}.pub`);
    expect(encodePublicFile(decodePublicFile(bytes))).toBe(text(`ours/${file}.pub`));
  });

  test.each(['openssl/p256', 'openssl/ed25519', 'openssl/rsa', 'node/ml-dsa-65', 'python/ml-dsa-65'])(
    'reads %s.pub of another tool as a signing key',
    (name) => {
      const { keys, purpose, holder } = decodePublicFile(keyFixture(`${name}.pub`));
      expect([keys.length, purpose, holder]).toEqual([1, 'signing', undefined]);
    },
  );

  test.each([
    ['the parts in the other order', SECOND + FIRST, 'KEY_FILE_MALFORMED'],
    ['the first part alone', FIRST, 'KEY_FILE_MALFORMED'],
    ['the second part alone', SECOND, 'KEY_FILE_MALFORMED'],
    ['two single keys', P256 + P256, 'KEY_FILE_MALFORMED'],
    ['three keys', FIRST + SECOND + SECOND, 'KEY_FILE_MALFORMED'],
    [
      'the key of another under this text',
      FIRST + SECOND.replace(pem(SECOND), pem(text('node/ml-dsa-65.pub'))),
      'KEY_FILE_MISMATCH',
    ],
    ['another algorithm in the text', P256.replace('algorithm: ecdsa-p256', 'algorithm: ed25519'), 'KEY_FILE_MISMATCH'],
    ['another purpose', P256.replace('purpose: signing', 'purpose: encryption'), 'KEY_FILE_MISMATCH'],
    ['a private key', text('openssl/p256-plain.key'), 'KEY_FILE_MALFORMED'],
    ['a certificate', encodePem('CERTIFICATE', new Uint8Array(9)), 'KEY_FILE_MALFORMED'],
    ['nothing', '', 'KEY_FILE_MALFORMED'],
    ['a compressed point', text('openssl/p256-compressed.pub'), 'KEY_MALFORMED'],
    ['a holder that reorders text', P256.replace(/holder: ./, 'holder: \u202e'), 'KEY_FILE_MALFORMED'],
  ])('refuses %s', (_, file, expected) => {
    expect(codeOf(() => decodePublicFile(utf8(file)))).toBe(expected);
  });

  test.each([
    ['a point that is not on the curve', 'ecdsa-p256', Uint8Array.of(4, ...new Uint8Array(64).fill(1))],
    ['an Ed25519 key of small order', 'ed25519', new Uint8Array(32)],
  ] as const)('refuses %s', (_, algorithm, bytes) => {
    const der = encodeSpki({ algorithm, bytes });
    expect(codeOf(() => decodePublicFile(utf8(encodePem('PUBLIC KEY', der))))).toBe('KEY_MALFORMED');
  });

  test('a flipped bit never gives another key', () => {
    const good = utf8(HYBRID);
    const ids = decodePublicFile(good).keys.map(({ keyId }) => keyId);
    const found = new Set<string>();
    for (let at = 0; at < good.length; at++) {
      const damaged = good.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 7));
      const outcome = codeOf(() =>
        found.add(
          decodePublicFile(damaged)
            .keys.map(({ keyId }) => keyId)
            .join(),
        ),
      );
      expect(outcome).toMatch(
        /^(?:accepted|KEY_FILE_MALFORMED|KEY_FILE_MISMATCH|KEY_MALFORMED|PEM_MALFORMED|ALGORITHM_UNKNOWN)$/,
      );
    }
    expect([...found]).toEqual([ids.join()]);
  });
});

describe('key ids', () => {
  test('of signing keys are those of TUF (requirement U2)', () => {
    const { publicKey } = constantKey('ed25519');
    const json = `{"keytype":"ed25519","keyval":{"public":"${toHex(publicKey.bytes)}"},"scheme":"ed25519"}`;
    expect(publicKey.keyId).toBe(toHex(sha256('noble', utf8(json))));
  });

  test('ECDSA has a PEM with one final newline, ML-DSA the scheme of TAP 21', () => {
    const ecdsa = new TextDecoder().decode(canonicalJson(tufKeyObject(constantKey('ecdsa-p256').publicKey)));
    expect(ecdsa).toMatch(
      /^\{"keytype":"ecdsa","keyval":\{"public":"-----BEGIN PUBLIC KEY-----\n[^"]*-----END PUBLIC KEY-----\n"\},"scheme":"ecdsa-sha2-nistp256"\}$/,
    );
    const mlDsa = new TextDecoder().decode(canonicalJson(tufKeyObject(constantKey('ml-dsa-65').publicKey)));
    expect(mlDsa).toMatch(/^\{"keytype":"ml-dsa",.*"scheme":"ml-dsa-65\/1"\}$/s);
  });

  test('of encryption keys are SHA-256 of SPKI or JWK', () => {
    const { publicKey } = constantKey('MLKEM768-X25519');
    expect(publicKey.keyId).toBe(toHex(sha256('noble', encodeSpki(publicKey))));
    const jwk = constantKey('MLKEM768-P256').publicKey;
    expect(jwk.keyId).toBe(toHex(sha256('noble', encodePublicKey(jwk))));
    expect(new TextDecoder().decode(encodePublicKey(jwk))).toMatch(
      /^\{"alg":"MLKEM768-P256","kty":"AKP","pub":"[\w-]+"\}$/,
    );
  });
});

describe('SPKI', () => {
  const spki = (algorithm: readonly DerNode[], bits: Uint8Array) =>
    encodeDer(derSequenceOf(derSequenceOf(...algorithm), derBitsOf(bits)));
  const ED25519 = derOidOf('1.3.101.112');
  const RSA = [derOidOf('1.2.840.113549.1.1.1'), derNull()];
  const rsaBits = encodeDer(derSequenceOf());

  test.each([
    ['parameters where none belong', spki([ED25519, derNull()], new Uint8Array(32)), 'KEY_MALFORMED'],
    ['a key of 31 bytes', spki([ED25519], new Uint8Array(31)), 'KEY_MALFORMED'],
    ['a key of 33 bytes', spki([ED25519], new Uint8Array(33)), 'KEY_MALFORMED'],
    ['an unknown algorithm', spki([derOidOf('1.2.3')], new Uint8Array(32)), 'ALGORITHM_UNKNOWN'],
    ['P-256 without its curve', spki([derOidOf('1.2.840.10045.2.1')], new Uint8Array(65)), 'KEY_MALFORMED'],
    ['RSA without numbers', spki(RSA, rsaBits), 'KEY_MALFORMED'],
    ['RSA that is not DER inside', spki(RSA, new Uint8Array(300)), 'KEY_MALFORMED'],
    ['nothing', new Uint8Array(), 'KEY_MALFORMED'],
  ])('refuses %s', (_, der, expected) => {
    expect(codeOf(() => decodeSpki(der))).toBe(expected);
  });

  test('one PEM block, and no other label', () => {
    const [block] = decodePem(keyFixture('openssl/p256.pub'));
    expect(codeOf(() => decodeSpkiPem(text('openssl/p256.pub').repeat(2)))).toBe('PEM_MALFORMED');
    expect(codeOf(() => decodeSpkiPem(encodePem('KEY', block?.bytes ?? new Uint8Array())))).toBe('PEM_MALFORMED');
  });
});

describe('JWK of type AKP', () => {
  const { publicKey } = constantKey('MLKEM1024-P384');
  const good = new TextDecoder().decode(encodePublicJwk(publicKey));

  test('decode and encode are each other', () => {
    expect(decodePublicJwk(utf8(good))).toEqual({ algorithm: publicKey.algorithm, bytes: publicKey.bytes });
  });

  test.each([
    ['another member', good.replace('{', '{"a":1,'), 'KEY_MALFORMED'],
    ['a missing member', good.replace('"kty":"AKP",', ''), 'KEY_MALFORMED'],
    ['another key type', good.replace('AKP', 'OKP'), 'KEY_MALFORMED'],
    ['an unknown algorithm', good.replace('MLKEM1024-P384', 'X'), 'ALGORITHM_UNKNOWN'],
    ['a key that is too short', good.replace(/....","?\}?$|.{8}"\}$/, '"}'), 'KEY_MALFORMED'],
    ['padding', good.replace('"}', '="}'), 'KEY_MALFORMED'],
    ['spaces', good.replace(':', ': '), 'KEY_MALFORMED'],
    ['the same member twice', good.replace('{', '{"alg":"MLKEM1024-P384",'), 'KEY_MALFORMED'],
    ['no JSON', 'x', 'KEY_MALFORMED'],
    ['a list', '[]', 'KEY_MALFORMED'],
  ])('refuses %s', (_, json, expected) => {
    expect(codeOf(() => decodePublicJwk(utf8(json)))).toBe(expected);
  });
});
