/** Targets against what is listed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256, sha512 } from '../crypto/hash.ts';
import { outcomeOf } from '../testing/trusting-client.ts';
import { targetFileName } from './file-names.ts';
import { checkTarget, compareTarget, startTargetCheck } from './target-check.ts';

const CONTENT = utf8('firmware');
const GOOD256 = toHex(sha256('noble', CONTENT));
const GOOD512 = toHex(sha512('noble', CONTENT));

function check(hashes: Readonly<Record<string, string>>, content = CONTENT, length = CONTENT.length): Promise<string> {
  const target = { length, hashes: new Map(Object.entries(hashes)), custom: undefined };
  return outcomeOf(() => checkTarget({ engine: 'noble', name: 'a/b', target }, content));
}

describe('T9 U38: length and every hash', () => {
  test('the right bytes', async () => {
    expect(await check({ sha256: GOOD256 })).toBe('done');
    expect(await check({ sha512: GOOD512 })).toBe('done');
    expect(await check({ sha256: GOOD256, sha512: GOOD512 })).toBe('done');
  });

  test('each of several hashes counts, whichever is wrong', async () => {
    expect(await check({ sha256: GOOD256, sha512: GOOD512.replace(/^./, '') + '0' })).toBe('TRUST_ARBITRARY_SOFTWARE');
    expect(await check({ sha256: GOOD512.slice(0, 64), sha512: GOOD512 })).toBe('TRUST_ARBITRARY_SOFTWARE');
  });

  test('an unknown hash is passed over beside a known one, and refused alone', async () => {
    expect(await check({ sha256: GOOD256, 'blake2b-256': 'ab'.repeat(32) })).toBe('done');
    expect(await check({ sha256: GOOD512.slice(0, 64), 'blake2b-256': 'ab'.repeat(32) })).toBe(
      'TRUST_ARBITRARY_SOFTWARE',
    );
    expect(await check({ 'blake2b-256': 'ab'.repeat(32) })).toBe('TRUST_HASH_UNKNOWN');
    expect(await check({ SHA256: GOOD256 })).toBe('TRUST_HASH_UNKNOWN');
    expect(await check({ toString: GOOD256 })).toBe('TRUST_HASH_UNKNOWN');
  });

  test('too long is refused as it arrives, too short at the end', async () => {
    expect(await check({ sha256: GOOD256 }, CONTENT, CONTENT.length - 1)).toBe('TRUST_ENDLESS_DATA');
    expect(await check({ sha256: GOOD256 }, CONTENT, CONTENT.length + 1)).toBe('TRUST_ARBITRARY_SOFTWARE');
  });

  test('chunking changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
        const hashes = new Map([
          ['sha256', toHex(sha256('noble', whole))],
          ['sha512', toHex(sha512('noble', whole))],
        ]);
        const target = { length: whole.length, hashes, custom: undefined };
        const streaming = startTargetCheck({ engine: 'native', name: 'a/b', target });
        for (const chunk of chunks) streaming.update(chunk);
        expect(() => streaming.finish()).not.toThrow();
      }),
      { numRuns: 50 },
    );
  });

  test('what was measured elsewhere must cover every known hash', async () => {
    const target = {
      length: 8,
      hashes: new Map([
        ['sha256', GOOD256],
        ['sha512', GOOD512],
      ]),
      custom: undefined,
    };
    const compare = (hashes: Readonly<Record<string, string>>, length = 8): Promise<string> =>
      outcomeOf(() => compareTarget('a/b', target, { length, hashes: new Map(Object.entries(hashes)) }));
    expect(await compare({ sha256: GOOD256, sha512: GOOD512 })).toBe('done');
    expect(await compare({ sha256: GOOD256 })).toBe('TRUST_ARBITRARY_SOFTWARE');
    expect(await compare({ sha256: GOOD256, sha512: GOOD512 }, 9)).toBe('TRUST_ARBITRARY_SOFTWARE');
  });
});

test('T9: the hash stands before the last segment on the wire only', () => {
  const target = {
    length: 1,
    hashes: new Map([
      ['sha512', 'b'],
      ['sha256', 'a'],
    ]),
    custom: undefined,
  };
  expect(targetFileName('x/y.bin', target, true)).toBe('x/a.y.bin');
  expect(targetFileName('y.bin', target, true)).toBe('a.y.bin');
  expect(targetFileName('x/y.bin', target, false)).toBe('x/y.bin');
});
