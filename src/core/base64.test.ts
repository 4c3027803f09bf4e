import { base64, base64urlnopad } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromBase64, fromBase64Url, toBase64, toBase64Url } from './base64.ts';
import { isFailure } from './errors.ts';

function read(text: string, decode = fromBase64): string {
  try {
    return Array.from(decode(text)).join();
  } catch (thrown) {
    if (isFailure(thrown, 'VALUE_MALFORMED')) return 'refused';
    throw thrown;
  }
}

function readByLibrary(text: string, library = base64): string {
  try {
    return Array.from(library.decode(text)).join();
  } catch {
    return 'refused';
  }
}

describe('base64', () => {
  test('the vectors of RFC 4648 section 10', () => {
    const vectors = {
      '': '',
      f: 'Zg==',
      fo: 'Zm8=',
      foo: 'Zm9v',
      foob: 'Zm9vYg==',
      fooba: 'Zm9vYmE=',
      foobar: 'Zm9vYmFy',
    };
    for (const [text, encoded] of Object.entries(vectors)) {
      expect(toBase64(new TextEncoder().encode(text))).toBe(encoded);
      expect(new TextDecoder().decode(fromBase64(encoded))).toBe(text);
    }
  });

  test('what is written is read again, and is what another implementation writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(toBase64(bytes)).toBe(base64.encode(bytes));
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(toBase64Url(bytes)).toBe(base64urlnopad.encode(bytes));
        expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
      }),
    );
    const large = new Uint8Array(100_000).fill(0xa7);
    expect(fromBase64(toBase64(large))).toEqual(large);
  });

  test('any text is read or refused as another strict implementation does', () => {
    const character = fc.constantFrom(...'AQgwEIMc048/+zZ9=- \n_é'.split(''));
    fc.assert(
      fc.property(fc.array(character, { maxLength: 12 }), (characters) => {
        const text = characters.join('');
        expect(read(text)).toBe(readByLibrary(text));
        expect(read(text, fromBase64Url)).toBe(readByLibrary(text, base64urlnopad));
      }),
      { numRuns: 3000 },
    );
  });

  test.each(['Zg', 'Zg=', 'Zh==', 'Zm9=', 'Zg==\n', ' Zg==', 'Zg==Zg==', 'Z-_=', '===='])('%j is refused', (text) => {
    expect(read(text)).toBe('refused');
  });
});
