import { describe, expect, it } from 'vitest';
import { parseKeyId } from '../../core/brands.ts';
import { equalBytes, toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { cborTag, decodeCbor, encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { COSE_ALGORITHMS, coseNumber, fromCoseNumber } from './algorithms.ts';
import { coseToBeSigned, decodeCoseSign, encodeCoseSign } from './cose-sign.ts';
import type { CoseSignature } from './cose-sign.ts';

const one: CoseSignature = {
  algorithm: 'ecdsa-p256',
  keyId: parseKeyId('01'.repeat(32)),
  signature: new Uint8Array(64).fill(7),
};
const two: CoseSignature = {
  algorithm: 'ml-dsa-65',
  keyId: parseKeyId('02'.repeat(32)),
  signature: new Uint8Array(3309).fill(8),
};

function code(value: Cbor): ErrorCode | undefined {
  try {
    decodeCoseSign(encodeCbor(value));
    return undefined;
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : undefined;
  }
}

const EMPTY = new Uint8Array(0);
const none: Cbor = new Map();

function header(entries: readonly [number, Cbor][]): Uint8Array {
  return encodeCbor(new Map(entries));
}

const good = header([
  [1, -9],
  [4, new Uint8Array(32)],
]);

/** A COSE_Sign with this list of signatures. */
function sign(list: Cbor): Cbor {
  return cborTag(98, [EMPTY, none, null, list]);
}

describe('COSE_Sign', () => {
  it('numbers its algorithms as the COSE registry does', () => {
    expect(COSE_ALGORITHMS.map(({ cose }) => cose)).toEqual([-9, -19, -48, -49, -50]);
    for (const { id } of COSE_ALGORITHMS) expect(fromCoseNumber(coseNumber(id))).toBe(id);
    expect(() => coseNumber('rsa-pss-sha256')).toThrow('does not sign in COSE');
  });

  it('reads what it writes, sorted by key id', () => {
    const bytes = encodeCoseSign([two, one]);
    expect(decodeCoseSign(bytes)).toEqual([one, two]);
    expect(equalBytes(encodeCoseSign([one, two]), bytes)).toBe(true);
  });

  it('signs the Sig_structure of RFC 9052 section 4.4', () => {
    const bytes = coseToBeSigned({ ...one, externalAad: utf8('aad'), payload: utf8('payload') });
    const protectedHeader = `a20128045820${'01'.repeat(32)}`;
    expect(toHex(bytes)).toBe(
      `8569${toHex(utf8('Signature'))}405826${protectedHeader}43${toHex(utf8('aad'))}47${toHex(utf8('payload'))}`,
    );
    expect(decodeCbor(bytes, { maxBytes: 1000 })).toHaveLength(5);
  });

  it('binds algorithm, key, label and payload', () => {
    const base = { ...one, externalAad: utf8('a'), payload: utf8('p') };
    const variants = [
      { ...base, algorithm: 'ed25519' as const },
      { ...base, keyId: two.keyId },
      { ...base, externalAad: utf8('b') },
      { ...base, payload: utf8('q') },
    ].map((variant) => toHex(coseToBeSigned(variant)));
    expect(new Set([...variants, toHex(coseToBeSigned(base))]).size).toBe(5);
  });

  it('refuses two signatures of one key, and none', () => {
    expect(() => encodeCoseSign([one, one])).toThrow('two are of key');
    expect(() => encodeCoseSign([])).toThrow('no signature');
  });

  it.each<[string, Cbor, ErrorCode]>([
    ['no tag', [EMPTY, none, null, [[good, none, EMPTY]]], 'COSE_MALFORMED'],
    ['an outer header', cborTag(98, [good, none, null, [[good, none, EMPTY]]]), 'COSE_MALFORMED'],
    [
      'an outer unprotected header',
      cborTag(98, [EMPTY, new Map([[1, 1]]), null, [[good, none, EMPTY]]]),
      'COSE_MALFORMED',
    ],
    ['an attached payload', cborTag(98, [EMPTY, none, EMPTY, [[good, none, EMPTY]]]), 'COSE_MALFORMED'],
    ['no signatures', sign([]), 'COSE_MALFORMED'],
    ['too many signatures', sign(Array.from({ length: 65 }, () => [good, none, EMPTY])), 'COSE_MALFORMED'],
    ['an unprotected key id', sign([[good, new Map([[4, EMPTY]]), EMPTY]]), 'COSE_MALFORMED'],
    ['a missing algorithm', sign([[header([[4, new Uint8Array(32)]]), none, EMPTY]]), 'COSE_MALFORMED'],
    ['a missing key id', sign([[header([[1, -9]]), none, EMPTY]]), 'COSE_MALFORMED'],
    [
      'a short key id',
      sign([
        [
          header([
            [1, -9],
            [4, new Uint8Array(31)],
          ]),
          none,
          EMPTY,
        ],
      ]),
      'COSE_MALFORMED',
    ],
    [
      'an unknown header',
      sign([
        [
          header([
            [1, -9],
            [2, 1],
            [4, new Uint8Array(32)],
          ]),
          none,
          EMPTY,
        ],
      ]),
      'COSE_MALFORMED',
    ],
    [
      'ES256, the ambiguous number',
      sign([
        [
          header([
            [1, -7],
            [4, new Uint8Array(32)],
          ]),
          none,
          EMPTY,
        ],
      ]),
      'COSE_ALGORITHM_UNKNOWN',
    ],
    ['a signature that is too long', sign([[good, none, new Uint8Array(8193)]]), 'COSE_MALFORMED'],
    [
      'one key twice',
      sign([
        [good, none, EMPTY],
        [good, none, EMPTY],
      ]),
      'COSE_MALFORMED',
    ],
    ['four items in a signature', sign([[good, none, EMPTY, EMPTY]]), 'COSE_MALFORMED'],
  ])('refuses %s', (_, value, expected) => {
    expect(code(value)).toBe(expected);
  });
});
