import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { PEM_BYTES_MAX, decodePem, encodePem } from './pem.ts';

const BLOCK = encodePem('PUBLIC KEY', new Uint8Array(60).fill(9));

const code = (text: string | Uint8Array): string => {
  try {
    decodePem(typeof text === 'string' ? utf8(text) : text);
    return 'accepted';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};

describe('strict PEM', () => {
  test('decode and encode are each other, in lines of 64 characters', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 400 }), (bytes) => {
        const text = encodePem('PRIVATE KEY', bytes);
        const [block] = decodePem(utf8(text));
        expect(block?.bytes).toEqual(bytes);
        expect(text.split('\n').every((line) => line.length <= 64)).toBe(true);
      }),
    );
  });

  test('keeps the text before each block, and reads Windows line ends', () => {
    const blocks = decodePem(utf8(`a: 1\n${BLOCK}b: 2\n${BLOCK}after`.replaceAll('\n', '\r\n')));
    expect(blocks.map(({ before }) => before)).toEqual([['a: 1'], ['b: 2']]);
  });

  test.each([
    ['no end', BLOCK.replace(/-----END.*\n/, '')],
    ['the end of another label', BLOCK.replace('END PUBLIC', 'END PRIVATE')],
    ['an end alone', BLOCK.replace(/-----BEGIN.*\n/, '')],
    ['a broken begin', BLOCK.replace('KEY-----', 'KEY----')],
    ['a header inside', BLOCK.replace('KEY-----\n', 'KEY-----\nProc-Type: 4,ENCRYPTED\n\n')],
    ['a blank line inside', BLOCK.replace('KEY-----\n', 'KEY-----\n\n')],
    ['a space at the end of a line', BLOCK.replace(/(\w)\n/, '$1 \n')],
    ['padding in the middle', BLOCK.replace(/(\w\w)\n/, '==\n')],
    ['a missing digit', BLOCK.replace(/(\w)\n-----END/, '\n-----END')],
    ['stray bits in the last digit', '-----BEGIN X-----\nAB==\n-----END X-----\n'],
    ['url-safe digits', '-----BEGIN X-----\n_-AA\n-----END X-----\n'],
    ['a line of 77 digits', `-----BEGIN X-----\n${'A'.repeat(80)}\n-----END X-----\n`],
    ['nine blocks', BLOCK.repeat(9)],
    ['a label in small letters', BLOCK.replaceAll('PUBLIC', 'public')],
  ])('refuses %s', (_, text) => {
    expect(code(text)).toBe('PEM_MALFORMED');
  });

  test('bounds the size before reading, and refuses what is not UTF-8', () => {
    expect(code(' '.repeat(PEM_BYTES_MAX + 1))).toBe('PEM_MALFORMED');
    expect(code(Uint8Array.of(0xff, 0xfe))).toBe('PEM_MALFORMED');
  });
});
