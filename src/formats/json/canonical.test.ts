/** Canonical JSON against published vectors and the implementation of tuf-js. */
import { readFileSync } from 'node:fs';
import { canonicalize } from '@tufjs/canonical-json';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { canonicalJson, compareCodePoints } from './canonical.ts';
import { parseJson } from './parse.ts';

interface Vectors {
  readonly accepted: readonly { readonly input: string; readonly canonical: string }[];
  readonly refused: readonly string[];
}

const FILE = new URL('../../../fixtures/vectors/tuf/canonical.json', import.meta.url);
const VECTORS = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;

describe('published vectors', () => {
  test.each(VECTORS.accepted)('$input', ({ input, canonical }) => {
    expect(fromUtf8(canonicalJson(parseJson(utf8(input))))).toBe(canonical);
  });

  test.each(VECTORS.refused)('refused: %s', (input) => {
    expect(() => canonicalJson(parseJson(utf8(input)))).toThrow(expect.objectContaining({ code: 'JSON_MALFORMED' }));
  });
});

describe('form', () => {
  test('only quote and backslash are escaped; the rest is UTF-8 as it is', () => {
    expect(fromUtf8(canonicalJson('a"b\\c\nd\t/é😀'))).toBe('"a\\"b\\\\c\nd\t/é😀"');
  });

  test('members are sorted by code point, beyond U+FFFF too', () => {
    const names = ['z', 'a', '\u{1f600}', '\uffee', 'A', '', 'aa', 'é'];
    const sorted = fromUtf8(canonicalJson(new Map(names.map((name) => [name, 1]))));
    expect(sorted).toBe('{"":1,"A":1,"a":1,"aa":1,"z":1,"é":1,"\uffee":1,"\u{1f600}":1}');
    expect([...names].sort(compareCodePoints)).toEqual(
      [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });

  test('no number but a safe integer', () => {
    for (const number of [1.5, Number.NaN, 2 ** 53, -0, Infinity]) {
      const thrown = (() => {
        try {
          return canonicalJson(number);
        } catch (error) {
          return error;
        }
      })();
      expect(isFailure(thrown, 'JSON_MALFORMED')).toBe(true);
    }
  });

  test('orders names as UTF-8 bytes do', () => {
    const name = fc.string({ unit: 'binary', maxLength: 4 });
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  test('equals that of tuf-js', () => {
    const text = fc.string({ maxLength: 8 });
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(null, true, false),
        fc.maxSafeInteger().map((n) => n + 0),
        text,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        expect(fromUtf8(canonicalJson(parseJson(utf8(JSON.stringify(any)))))).toBe(canonicalize(any));
      }),
    );
  });
});
