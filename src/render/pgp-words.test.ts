import { expect, test } from 'vitest';
import { fromHex } from '../core/bytes.ts';
import { pgpWords } from './pgp-words.ts';

test('the published example reads as published (PGP word list, Zimmermann and Juola)', () => {
  expect(pgpWords(fromHex('e58294f2e9a227486e8b061b31cc528fd7fa3f19'))).toBe(
    'topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa ' +
      'afflict bravado chatter revolver dupont midsummer stopwatch whimsical cowbell bottomless',
  );
});

test('every byte has its own word at even and at odd positions', () => {
  const even = new Set(Array.from({ length: 256 }, (_, byte) => pgpWords(Uint8Array.of(byte))));
  const odd = new Set(Array.from({ length: 256 }, (_, byte) => pgpWords(Uint8Array.of(0, byte)).split(' ')[1]));
  expect([even.size, odd.size, even.has(''), odd.has(undefined)]).toEqual([256, 256, false, false]);
});
