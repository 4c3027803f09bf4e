import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant, parseKeyId, parseRoleName } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import type { SigningAnswer } from './answer.ts';
import { decodeRequest, encodeRequest } from './request.ts';
import type { SigningRequest } from './request.ts';

const request: SigningRequest = {
  subject: 'role',
  repository: '123e4567-e89b-12d3-a456-426614174000',
  kind: 'image',
  role: parseRoleName('targets'),
  created: parseInstant('2026-12-01T09:00:00Z'),
  payload: utf8('{"_type":"targets"}'),
  roots: [utf8('root 1'), utf8('root 2')],
  last: utf8('targets 1'),
  delegators: [],
  target: undefined,
};
const answer: SigningAnswer = {
  request: new Uint8Array(32).fill(1),
  signatures: [
    { section: 'post-quantum', keyId: parseKeyId('bb'.repeat(32)), signature: new Uint8Array(3309) },
    { section: 'classical', keyId: parseKeyId('aa'.repeat(32)), signature: new Uint8Array(64) },
  ],
};

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'accepted';
};

const changed = (bytes: Uint8Array, key: number, value: Cbor | undefined): Uint8Array => {
  const map = new Map(decodeCbor(bytes, { maxBytes: 1e6 }) as ReadonlyMap<number, Cbor>);
  if (value === undefined) map.delete(key);
  else map.set(key, value);
  return encodeCbor(map);
};

describe('a signing request', () => {
  test('reads back as it was written', () => {
    for (const one of [
      request,
      { ...request, subject: 'bundle' as const, target: 'bundles/r/g.otap', last: undefined },
    ]) {
      const bytes = encodeRequest(one);
      expect(decodeRequest(bytes).unverified).toEqual(one);
      expect(encodeRequest(decodeRequest(bytes).unverified)).toEqual(bytes);
    }
  });

  test.each<[string, number, Cbor | undefined]>([
    ['another format', 1, 'secureev/sigreq/2'],
    ['an unknown subject', 2, 'key'],
    ['no UUID', 3, 'x'],
    ['an unknown kind', 4, 'map'],
    ['a role with a path', 5, '../root'],
    ['another spelling of time', 6, '2026-12-01 09:00'],
    ['no payload', 7, undefined],
    ['an empty payload', 7, new Uint8Array()],
    ['roots that are no list', 8, 'root'],
    ['too many roots', 8, Array.from({ length: 1025 }, () => Uint8Array.of(1))],
    ['a target with a space', 11, 'bundles/a b'],
    ['an unknown key', 12, 1],
  ])('with %s is refused', (_, key, value) => {
    expect(codeOf(() => decodeRequest(changed(encodeRequest(request), key, value)))).toMatch(
      /^(REQUEST|CBOR)_MALFORMED$/,
    );
  });

  test('cut off or with a byte more is refused', () => {
    const bytes = encodeRequest(request);
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeRequest(bytes.subarray(0, length)))).not.toBe('accepted');
    }
    expect(codeOf(() => decodeRequest(Uint8Array.from([...bytes, 0])))).toBe('CBOR_MALFORMED');
  });
});

describe('an answer to a request', () => {
  test('reads back sorted, and the same signatures give the same bytes in any order', () => {
    const bytes = encodeAnswer(answer);
    expect(decodeAnswer(bytes).unverified.signatures.map((one) => one.section)).toEqual(['classical', 'post-quantum']);
    expect(encodeAnswer({ ...answer, signatures: answer.signatures.toReversed() })).toEqual(bytes);
  });

  test('of random bytes is refused with a code', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(() => decodeAnswer(bytes))).toMatch(/MALFORMED$/);
        expect(codeOf(() => decodeRequest(bytes))).toMatch(/MALFORMED$/);
      }),
    );
  });

  test.each<[string, number, Cbor]>([
    ['another format', 1, 'secureev/sigreq/1'],
    ['a short digest', 2, new Uint8Array(31)],
    ['no signature', 3, []],
    [
      'the same key twice',
      3,
      [
        ['classical', 'aa', new Uint8Array(64)],
        ['classical', 'aa', new Uint8Array(64)],
      ],
    ],
    ['an unknown section', 3, [['quantum', 'aa', new Uint8Array(64)]]],
    ['a huge signature', 3, [['classical', 'aa', new Uint8Array(8193)]]],
  ])('with %s is refused', (_, key, value) => {
    expect(codeOf(() => decodeAnswer(changed(encodeAnswer(answer), key, value)))).toBe('REQUEST_ANSWER_MALFORMED');
  });
});
