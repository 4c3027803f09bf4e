import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { failure, isFailure } from '../../core/errors.ts';
import { decodeShareText, encodeShareQr, encodeShareText, requireOneSet, shareKeyDigest } from './key-share.ts';
import type { KeyShare } from './key-share.ts';

const shareOf = (over: Partial<KeyShare> = {}): KeyShare => ({
  setId: new Uint8Array(8).fill(7),
  keyDigest: shareKeyDigest(['aa', 'bb']),
  threshold: 3,
  count: 5,
  number: 2,
  data: Uint8Array.from({ length: 91 }, (_, i) => i),
  ...over,
});

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  throw failure('INTERNAL', 'nothing was thrown');
};

const anyShare = fc
  .record({
    setId: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    keyDigest: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    threshold: fc.integer({ min: 2, max: 9 }),
    data: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  })
  .map((parts) => ({ ...parts, count: parts.threshold + 1, number: parts.threshold }));

describe('a share of a key', () => {
  test('reads back from its lines and from its QR payload', () => {
    fc.assert(
      fc.property(anyShare, (share) => {
        expect(decodeShareText(encodeShareText(share))).toEqual(share);
        expect(decodeShareText(encodeShareQr(share))).toEqual(share);
      }),
    );
  });

  test('reads what a person types: lower case, O for 0, l for 1, headings around', () => {
    const typed = encodeShareText(shareOf())
      .toLowerCase()
      .replaceAll('0', 'o')
      .replaceAll(/(?<=[ 1])1(?= )/g, 'l');
    const lines = typed.replaceAll(/^o(\d):/gm, '0$1:').replaceAll(/^1o:/gm, '10:');
    expect(decodeShareText(`Example Motors root key\nshare 2 of 5\n\n${lines}\nkeep safe`)).toEqual(shareOf());
  });

  test('the QR payload stays in the alphanumeric set, so that a hybrid key fits a small code', () => {
    expect(encodeShareQr(shareOf())).toMatch(/^[0-9A-Z:-]{1,230}$/);
  });

  test('a wrong character is found in its line', () => {
    const text = encodeShareText(shareOf());
    const lines = text.split('\n');
    for (let at = 4; at < (lines[1] ?? '').length; at++) {
      const old = lines[1]?.[at] ?? ' ';
      if (old === ' ' || old === '/') continue;
      const broken = [...lines];
      broken[1] = `${lines[1]?.slice(0, at)}${old === '7' ? '8' : '7'}${lines[1]?.slice(at + 1)}`;
      expect(codeOf(() => decodeShareText(broken.join('\n')))).toBe('SHARE_MALFORMED');
    }
  });

  test('a lost, doubled or swapped line is refused', () => {
    const [one = '', two = '', ...others] = encodeShareText(shareOf()).split('\n');
    for (const lines of [
      [two, one, ...others],
      [one, one, two, ...others],
      [one, ...others],
      [one, two],
    ]) {
      expect(codeOf(() => decodeShareText(lines.join('\n')))).toBe('SHARE_MALFORMED');
    }
  });

  test('any changed or missing character of a QR payload is refused', () => {
    const payload = encodeShareQr(shareOf());
    for (let at = 0; at < payload.length; at++) {
      const other = payload[at] === '7' ? '8' : '7';
      expect(codeOf(() => decodeShareText(payload.slice(0, at) + other + payload.slice(at + 1)))).toBe(
        'SHARE_MALFORMED',
      );
      expect(codeOf(() => decodeShareText(payload.slice(0, at)))).toBe('SHARE_MALFORMED');
    }
  });

  test('counts that cannot be are refused even with a right checksum', () => {
    for (const bad of [{ threshold: 1 }, { count: 2 }, { number: 0 }, { number: 6 }]) {
      expect(codeOf(() => decodeShareText(encodeShareText(shareOf(bad))))).toBe('SHARE_MALFORMED');
    }
  });

  test('shares of two sets, the same share twice, and too few are refused', () => {
    const [a, b, c] = [shareOf({ number: 1 }), shareOf({ number: 2 }), shareOf({ number: 3 })];
    requireOneSet([a, b, c]);
    expect(codeOf(() => requireOneSet([]))).toBe('SHARE_SHORT');
    expect(codeOf(() => requireOneSet([a, b]))).toBe('SHARE_SHORT');
    expect(codeOf(() => requireOneSet([a, b, b]))).toBe('SHARE_MIXED');
    expect(codeOf(() => requireOneSet([a, b, { ...c, setId: new Uint8Array(8) }]))).toBe('SHARE_MIXED');
    expect(codeOf(() => requireOneSet([a, b, { ...c, keyDigest: new Uint8Array(8) }]))).toBe('SHARE_MIXED');
  });
});
