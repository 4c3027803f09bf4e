/** The strict JSON parser. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import { isJsonList, isJsonMap } from './json.ts';
import type { Json } from './json.ts';
import { parseJson } from './parse.ts';
import { writeJson, writeJsonText } from './write.ts';

const LIMITS = { bytesMax: 1000, depthMax: 4, valuesMax: 10 };

function refusal(text: string | Uint8Array, limits?: typeof LIMITS): SecureevError | undefined {
  try {
    parseJson(typeof text === 'string' ? utf8(text) : text, limits);
    return undefined;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown;
    throw thrown;
  }
}

/** As plain objects, for comparing with `JSON.parse`. */
function plain(value: Json): unknown {
  if (isJsonMap(value)) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return isJsonList(value) ? value.map(plain) : value;
}

describe('refused', () => {
  test.each([
    ['duplicate members', '{"a":1,"a":1}'],
    ['duplicate members by escape', '{"a":1,"\\u0061":1}'],
    ['duplicate __proto__', '{"__proto__":1,"__proto__":1}'],
    ['a fraction', '1.5'],
    ['a fraction of zero', '1.0'],
    ['an exponent', '1e2'],
    ['an exponent too large for a double', '1e400'],
    ['minus zero', '-0'],
    ['2^53', '9007199254740992'],
    ['-2^53', '-9007199254740992'],
    ['a hundred digits', '9'.repeat(100)],
    ['a leading zero', '01'],
    ['a plus sign', '+1'],
    ['a bare minus', '-'],
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['hexadecimal', '0x10'],
    ['a lone high surrogate', '"\\ud800"'],
    ['a lone low surrogate', '"\\udc00"'],
    ['surrogates the wrong way round', '"\\udc00\\ud800"'],
    ['a surrogate before a letter', '"\\ud800a"'],
    ['a raw newline in a string', '"a\nb"'],
    ['a raw NUL', '"a\u0000b"'],
    ['an escaped NUL', '"\\u0000"'],
    ['an escaped control character', '"\\u001b[31m"'],
    ['an escaped backspace', '"\\b"'],
    ['a C1 control character', '"\u0085"'],
    ['DEL', '"\u007f"'],
    ['a single quote', "'a'"],
    ['an unquoted name', '{a:1}'],
    ['a comment', '1 // one'],
    ['a trailing comma in a list', '[1,]'],
    ['a trailing comma in an object', '{"a":1,}'],
    ['a leading comma', '[,1]'],
    ['a missing colon', '{"a" 1}'],
    ['an unknown escape', '"\\x41"'],
    ['a short \\u escape', '"\\u12"'],
    ['half hex in a \\u escape', '"\\u12g4"'],
    ['an unfinished string', '"a'],
    ['an unfinished list', '[1'],
    ['an unfinished object', '{"a":1'],
    ['nothing', ''],
    ['space alone', '  '],
    ['two values', '1 2'],
    ['a letter after a value', 'truex'],
    ['a byte order mark', '\ufeff1'],
    ['a no-break space', '\u00a01'],
    ['a form feed', '\f1'],
  ])('%s', (_, text) => {
    expect(refusal(text)?.code).toBe('JSON_MALFORMED');
  });

  test('bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x22, 0xc3],
    ]) {
      expect(refusal(Uint8Array.from(bytes))?.code).toBe('JSON_MALFORMED');
    }
  });

  test('more than the limits allow', () => {
    expect(refusal(`"${'a'.repeat(998)}"`, LIMITS)?.code).toBeUndefined();
    expect(refusal(`"${'a'.repeat(999)}"`, LIMITS)?.code).toBe('JSON_TOO_LARGE');
    expect(refusal('[[[[]]]]', LIMITS)?.code).toBeUndefined();
    expect(refusal('[[[[[]]]]]', LIMITS)?.code).toBe('JSON_TOO_LARGE');
    expect(refusal('{"a":{"a":{"a":{"a":{}}}}}', LIMITS)?.code).toBe('JSON_TOO_LARGE');
    expect(refusal(`[${'1,'.repeat(8)}1]`, LIMITS)?.code).toBeUndefined();
    expect(refusal(`[${'1,'.repeat(9)}1]`, LIMITS)?.code).toBe('JSON_TOO_LARGE');
    expect(refusal('['.repeat(1_000_000))?.code).toBe('JSON_TOO_LARGE');
  });

  test('says where: byte offset and path', () => {
    const error = refusal('{"ä":[{"b":1,"c":1.5}]}');
    expect(error?.details).toEqual({ offset: 18, path: '$.?[0].c' });
    expect(error?.message).toContain('byte 18');
  });
});

describe('accepted', () => {
  test('names of the object prototype are members like others', () => {
    const value = parseJson(utf8('{"__proto__":{"isAdmin":true},"constructor":{"prototype":1},"toString":2}'));
    expect(isJsonMap(value) && [...value.keys()]).toEqual(['__proto__', 'constructor', 'toString']);
    expect(isJsonMap(value) && value.get('hasOwnProperty')).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
  });

  test('line ends and tabs of PEM, escaped', () => {
    expect(parseJson(utf8('"a\\nb\\r\\n\\u000a\\t"'))).toBe('a\nb\r\n\n\t');
  });

  test('the largest integers, pairs of surrogates, any space of JSON', () => {
    expect(parseJson(utf8(' [9007199254740991,\t-9007199254740991,\r\n0,"\\ud83d\\ude00","\\/"] '))).toEqual([
      9007199254740991,
      -9007199254740991,
      0,
      '😀',
      '/',
    ]);
  });

  test('whatever JSON.parse reads of what we write, we read alike', () => {
    const text = fc
      .string({ unit: 'grapheme' })
      .filter((s) => s.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(s));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger().map((n) => n + 0),
        text,
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(text, tie('value'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        const written = JSON.stringify(any);
        const parsed = parseJson(utf8(written));
        expect(plain(parsed)).toEqual(JSON.parse(written));
        expect(JSON.parse(writeJsonText(parsed))).toEqual(JSON.parse(written));
        expect(writeJson(parseJson(writeJson(parsed)))).toEqual(writeJson(parsed));
      }),
    );
  });

  test('whatever we accept at all, JSON.parse accepts', () => {
    const soup = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '-', '0', '\\', 'u', 'n', 'true', ' '),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(soup, (parts) => {
        const text = parts.join('');
        if (refusal(text) !== undefined) return;
        expect(plain(parseJson(utf8(text)))).toEqual(JSON.parse(text));
      }),
      { numRuns: 20_000 },
    );
  });
});
