import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalBytes, fromHex, toHex } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import { cborTag, decodeCbor, decodeCborFirst, encodeCbor, isCborTag } from './cbor.ts';
import type { Cbor } from './cbor.ts';

const LIMITS = { maxBytes: 1 << 20 };

function refusal(hex: string, limits: Parameters<typeof decodeCbor>[1] = LIMITS): unknown {
  try {
    decodeCbor(fromHex(hex), limits);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

const values = fc.letrec<{ value: Cbor }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.maxSafeInteger(), fc.string()), tie('value')), {
        maxLength: 5,
        selector: ([key]) => key,
        comparator: 'SameValueZero',
      })
      .map((entries) => new Map(entries)),
  ),
})).value;

// RFC 8949 appendix A, those of our subset.
const APPENDIX_A: readonly [string, Cbor][] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['20', -1],
  ['3863', -100],
  ['3903e7', -1000],
  ['f4', false],
  ['f6', null],
  ['40', new Uint8Array(0)],
  ['4401020304', Uint8Array.of(1, 2, 3, 4)],
  ['6449455446', 'IETF'],
  ['62c3bc', 'ü'],
  ['64f0908591', '\u{10151}'],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  [
    'a201020304',
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  [
    'a26161016162820203',
    new Map<string, Cbor>([
      ['a', 1],
      ['b', [2, 3]],
    ]),
  ],
];

describe('deterministic CBOR', () => {
  it.each(APPENDIX_A)('reads and writes RFC 8949 appendix A: %s', (hex, value) => {
    expect(decodeCbor(fromHex(hex), LIMITS)).toEqual(value);
    expect(toHex(encodeCbor(value))).toBe(hex);
  });

  it('sorts map keys by their encoded bytes (RFC 8949 section 4.2.1)', () => {
    const map = new Map<number | string, Cbor>([
      ['aa', 7],
      ['z', 5],
      [-1, 3],
      [100, 2],
      [10, 1],
    ]);
    expect(toHex(encodeCbor(map))).toBe('a50a0118640220036 17a05626161 07'.replaceAll(' ', ''));
  });

  it('decodes what it encodes, and encodes it to the same bytes', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encodeCbor(value);
        expect(decodeCbor(bytes, LIMITS)).toEqual(value);
        expect(encodeCbor(decodeCbor(bytes, LIMITS))).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('accepts no second encoding of anything: random bytes decode only when they re-encode to themselves', () => {
    const property = fc.check(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 24 }), (bytes) => {
        const thrown = refusal(toHex(bytes));
        if (thrown !== undefined) return isFailure(thrown, 'CBOR_MALFORMED');
        return equalBytes(encodeCbor(decodeCbor(bytes, LIMITS)), bytes);
      }),
      { numRuns: 2000 },
    );
    expect(property.failed).toBe(false);
  });

  it.each([
    ['1817', 'an integer in a longer form'],
    ['5f4101ff', 'an indefinite byte string'],
    ['9f01ff', 'an indefinite array'],
    ['a20102 0103', 'a key twice'],
    ['a203000100', 'keys out of order'],
    ['f7', 'undefined'],
    ['f93c00', 'a float'],
    ['fb3ff0000000000000', 'a double'],
    ['1b0020000000000000', 'an integer of 2^53'],
    ['c11a00000000', 'a tag we do not know'],
    ['62c328', 'text that is not UTF-8'],
    ['8201', 'an array that ends early'],
    ['0000', 'bytes after the item'],
    ['', 'nothing'],
    ['9b7fffffffffffffff', 'an array of 2^63 items'],
    ['5affffffff00', 'a byte string longer than the input'],
    ['f818', 'an unassigned simple value'],
    ['a18000', 'an array as a map key'],
    ['a1a000', 'a map as a map key'],
    ['a1410000', 'a byte string as a map key'],
    ['a1f600', 'null as a map key'],
  ])('refuses %s: %s', (hex) => {
    expect(isFailure(refusal(hex.replaceAll(' ', '')), 'CBOR_MALFORMED')).toBe(true);
  });

  it('bounds depth, items and size whatever the input claims', () => {
    expect(isFailure(refusal('81'.repeat(17) + '00'), 'CBOR_MALFORMED')).toBe(true);
    expect(refusal('81'.repeat(16) + '00')).toBeUndefined();
    expect(isFailure(refusal('81'.repeat(100_000)), 'CBOR_MALFORMED')).toBe(true);
    expect(isFailure(refusal('83010203', { maxBytes: 9, maxItems: 3 }), 'CBOR_MALFORMED')).toBe(true);
    expect(isFailure(refusal('420102', { maxBytes: 2 }), 'CBOR_MALFORMED')).toBe(true);
    expect(refusal('8281008100', { maxBytes: 9, maxDepth: 2 })).toBeUndefined();
  });

  it('reads a sequence item by item', () => {
    const first = decodeCborFirst(fromHex('8101f6'), LIMITS);
    expect(first).toEqual({ value: [1], sizeBytes: 2 });
  });

  it('keeps the COSE_Sign tag', () => {
    const tagged = decodeCbor(encodeCbor(cborTag(98, [1])), LIMITS);
    expect(isCborTag(tagged) && tagged.tag === 98).toBe(true);
    expect(toHex(encodeCbor(tagged))).toBe('d8628101');
  });

  it('keeps a __proto__ key as a key', () => {
    const value = new Map<string, Cbor>([['__proto__', 1]]);
    expect(decodeCbor(encodeCbor(value), LIMITS)).toEqual(value);
  });

  it('refuses to write a number that is no safe integer', () => {
    for (const number of [0.5, Number.NaN, 2 ** 53]) expect(() => encodeCbor(number)).toThrow('out of range');
  });
});
