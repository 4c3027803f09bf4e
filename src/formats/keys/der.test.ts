import { describe, expect, test } from 'vitest';
import { fromHex } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { DER_BYTES_MAX, decodeDer, derSequence, derSmallInteger, encodeDer } from './der.ts';

const code = (hex: string): string => {
  try {
    decodeDer(fromHex(hex), 'value');
    return 'accepted';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};

describe('strict DER', () => {
  test.each(['0500', '020100', '02020080', '0403020001', '03020001', '0603550403', '30020500', 'a003020105', '800105'])(
    'accepts %s and writes it back',
    (hex) => {
      expect(encodeDer(decodeDer(fromHex(hex), 'value'))).toEqual(fromHex(hex));
    },
  );

  test.each([
    ['nothing', ''],
    ['a length in more bytes than it needs', '3081020500'],
    ['a length with a leading zero', '308200020500'],
    ['an indefinite length', '308005000000'],
    ['a needless zero in an INTEGER', '02020001'],
    ['a needless ff in an INTEGER', '0202ff80'],
    ['an empty INTEGER', '0200'],
    ['a BIT STRING with unused bits', '0303070180'],
    ['a constructed OCTET STRING', '240404020001'],
    ['a constructed BIT STRING', '2304030200ff'],
    ['a padded object identifier', '06028001'],
    ['an object identifier that does not end', '0603550483'],
    ['a NULL with content', '050100'],
    ['a BOOLEAN, which no key has', '0101ff'],
    ['a UTF8String, which no key has', '0c0141'],
    ['a SET, which no key has', '31020500'],
    ['a tag in two bytes', '1f100100'],
    ['bytes after the value', '05000500'],
    ['a value cut short', '0402ff'],
    ['a length beyond the file', '3084ffffffff0500'],
  ])('refuses %s', (_, hex) => {
    expect(code(hex)).toBe('KEY_MALFORMED');
  });

  test('bounds size and depth', () => {
    expect(code('00'.repeat(DER_BYTES_MAX + 1))).toBe('KEY_MALFORMED');
    let nested = '0500';
    for (let depth = 0; depth < 12; depth++) nested = `30${(nested.length / 2).toString(16).padStart(2, '0')}${nested}`;
    expect(code(nested)).toBe('KEY_MALFORMED');
  });

  test('small integers are not negative and of 48 bits at most', () => {
    const integer = (hex: string) => derSmallInteger(decodeDer(fromHex(hex), 'value'), 'value');
    expect(integer('0203010000')).toBe(65_536);
    expect(integer('0206' + '7f'.repeat(6))).toBe(0x7f7f7f7f7f7f);
    for (const hex of ['0201ff', '0207' + '7f'.repeat(7), '0500']) {
      expect(() => integer(hex)).toThrow(expect.objectContaining({ code: 'KEY_MALFORMED' }));
    }
  });

  test('counts the members of a SEQUENCE', () => {
    const node = decodeDer(fromHex('30040500 0500'.replace(' ', '')), 'value');
    expect(derSequence(node, { min: 2, max: 2, what: 'value' })).toHaveLength(2);
    expect(() => derSequence(node, { min: 3, max: 4, what: 'value' })).toThrow('not the SEQUENCE');
  });
});
