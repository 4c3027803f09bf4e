import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { decodeShareText, encodeShareText } from './key-share.ts';
import { decodeShareSecret, encodeShareSecret } from './share-secret.ts';

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (thrown) {
    return isFailure(thrown) ? [thrown.code, thrown.message] : thrown;
  }
};

test('secrets are read as they were written, in order', () => {
  const keys = [
    { algorithm: 'ecdsa-p256', secret: new Uint8Array(32).fill(1) },
    { algorithm: 'ml-dsa-65', secret: new Uint8Array(32).fill(2) },
  ] as const;
  const bytes = encodeShareSecret(keys);
  expect(bytes).toHaveLength(92);
  expect(decodeShareSecret(bytes)).toEqual(keys);
});

test('a secret too long to be typed in is refused', () => {
  const keys = [{ algorithm: 'ml-dsa-65', secret: new Uint8Array(4032) }] as const;
  expect(codeOf(() => encodeShareSecret(keys))).toEqual(['KEY_UNSUITABLE', expect.stringContaining('too long')]);
});

test.each<[string, Cbor]>([
  ['no list', 'x'],
  ['no key', []],
  ['three keys', Array.from({ length: 3 }, () => ['ed25519', new Uint8Array(32)])],
  ['an unknown algorithm', [['rot13', new Uint8Array(32)]]],
  ['no secret', [['ed25519', new Uint8Array(0)]]],
  ['a secret that is text', [['ed25519', 'hunter2']]],
  ['something more', [['ed25519', new Uint8Array(32), 1]]],
])('%s is refused, and nothing of it is told', (_, value) => {
  const refused = codeOf(() => decodeShareSecret(encodeCbor(value)));
  expect(refused).toEqual(['SHARE_MALFORMED', 'the shares do not join to a key: one of them is wrong']);
});

test('bytes that are no deterministic CBOR are refused', () => {
  const bytes = encodeShareSecret([{ algorithm: 'ed25519', secret: new Uint8Array(32) }]);
  for (const wrong of [bytes.subarray(1), Uint8Array.of(...bytes, 0), Uint8Array.of(0x9f, 0xff)]) {
    expect(codeOf(() => decodeShareSecret(wrong))).toEqual(['SHARE_MALFORMED', expect.any(String)]);
  }
});

test('the example of FORMAT.md is what is written', () => {
  const format = readFileSync(new URL('./FORMAT.md', import.meta.url), 'utf8');
  const [, example = ''] = /```\n([^]*?)```/.exec(format) ?? [];
  const from = (start: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => start + i);
  const share = { setId: from(0, 8), keyDigest: from(8, 8), threshold: 2, count: 3, number: 1, data: from(0xa0, 33) };
  expect(encodeShareText(share)).toBe(example);
  expect(decodeShareText(example)).toEqual(share);
});
