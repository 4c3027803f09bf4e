/** Path patterns and bins. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../crypto/hash.ts';
import { binName, binOf, isInScope, matchesPattern } from './path-pattern.ts';

describe('T10: patterns', () => {
  test.each([
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['*', '', true],
    ['a/*', 'a/b', true],
    ['a/*', 'a/b/c', false],
    ['a/*', 'b/b', false],
    ['a/*/c', 'a/b/c', true],
    ['a/*.bin', 'a/x.bin', true],
    ['a/*.bin', 'a/x.bin.sev', false],
    ['a/?.bin', 'a/x.bin', true],
    ['a/?.bin', 'a/xy.bin', false],
    ['a?b', 'a/b', false],
    ['a*b', 'a/b', false],
    ['**', 'a/b', false],
    ['*a*b*', 'xaxbx', true],
    ['*a*b', 'xaxbx', false],
    ['a.b', 'axb', false],
    ['[ab]', 'a', false],
    ['[ab]', '[ab]', true],
    ['{a,b}', 'a', false],
    ['!a', 'b', false],
    ['A', 'a', false],
    ['bundles/*/*', 'bundles/2026.1/ZG.otap', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected);
  });

  test('agrees with a regular expression on random segments', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '.', '/'), { maxLength: 8 });
    const patterns = fc.array(fc.constantFrom('a', 'b', '.', '/', '*', '?'), { maxLength: 8 });
    fc.assert(
      fc.property(letters, patterns, (name, pattern) => {
        const source = pattern.map((c) => (c === '*' ? '[^/]*' : c === '?' ? '[^/]' : c === '.' ? '\\.' : c)).join('');
        expect(matchesPattern(name.join(''), pattern.join(''))).toBe(new RegExp(`^${source}$`).test(name.join('')));
      }),
      { numRuns: 2000 },
    );
  });

  test('takes no time to speak of on hostile patterns', () => {
    const start = performance.now();
    expect(matchesPattern('a'.repeat(20_000), `${'*a'.repeat(500)}b`)).toBe(false);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('TAP 15: bins', () => {
  test('are named by the first bits of SHA-256, zero-padded', () => {
    const name = parseTargetName('EV-1/BRAKE/1.0/brake.bin');
    const hash = toHex(sha256('noble', utf8(name)));
    expect(binOf('noble', { namePrefix: 'bin', bitLength: 4 }, name)).toBe(`bin-${hash.slice(0, 1)}`);
    expect(binOf('noble', { namePrefix: 'bin', bitLength: 8 }, name)).toBe(`bin-${hash.slice(0, 2)}`);
    expect(binOf('noble', { namePrefix: 'bin', bitLength: 32 }, name)).toBe(`bin-${hash.slice(0, 8)}`);
    expect(binOf('noble', { namePrefix: 'b', bitLength: 10 }, name)).toBe(
      `b-${(Number.parseInt(hash.slice(0, 3), 16) >> 2).toString(16).padStart(3, '0')}`,
    );
    expect(binName({ namePrefix: 'bin', bitLength: 14 }, 16_383)).toBe('bin-3fff');
  });

  test('every name has exactly one bin', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{1,20}$/), fc.integer({ min: 1, max: 32 }), (text, bitLength) => {
        const bins = { namePrefix: 'x', bitLength };
        const bin = Number.parseInt(binOf('noble', bins, parseTargetName(text)).slice(2), 16);
        expect(bin).toBeGreaterThanOrEqual(0);
        expect(bin).toBeLessThan(2 ** bitLength);
        expect(binName(bins, bin)).toBe(binOf('native', bins, parseTargetName(text)));
      }),
    );
  });

  test('a hash prefix is of the hash of the name alone', () => {
    const name = parseTargetName('a/b');
    const hash = toHex(sha256('noble', utf8('a/b')));
    expect(isInScope('noble', { hashPrefixes: ['0', hash.slice(0, 5)] }, name)).toBe(true);
    expect(isInScope('noble', { hashPrefixes: [hash] }, name)).toBe(true);
    expect(isInScope('noble', { hashPrefixes: [] }, name)).toBe(false);
  });
});
