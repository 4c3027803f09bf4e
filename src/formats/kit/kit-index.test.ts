import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { decodeKitIndex, encodeKitIndex } from './kit-index.ts';
import type { KitIndex } from './kit-index.ts';

const INDEX: KitIndex = {
  created: parseInstant('2026-11-21T00:00:00Z', 'time'),
  repository: '01234567-89ab-4cde-8f01-23456789abcd',
  release: '2026.4',
  vehicles: 3,
  files: ['image/metadata/1.root.json', 'image/targets/bundles/2026.4/ab.ZG.otap.sev', 'director/metadata/1.root.json'],
};

function isMalformed(bytes: Uint8Array): boolean {
  try {
    decodeKitIndex(bytes);
    return false;
  } catch (thrown) {
    return isFailure(thrown, 'KIT_MALFORMED');
  }
}

describe('the index of a kit', () => {
  test('is read back as it was written', () => {
    expect(decodeKitIndex(encodeKitIndex(INDEX))).toEqual(INDEX);
    expect(decodeKitIndex(encodeKitIndex({ ...INDEX, release: null, files: [] }))).toMatchObject({ release: null });
  });

  test('that leads out of the folder, names a file twice, or says something else is refused', () => {
    const paths = ['../x', '/etc/passwd', 'image', 'image/', 'image/../../x', 'image/.hidden', 'image//x', 'other/x'];
    for (const path of [...paths, 'image/a\\b', 'image/a b', `image/${'a'.repeat(300)}`, 'image/x\u0000']) {
      expect(isMalformed(encodeKitIndex({ ...INDEX, files: [path] }))).toBe(true);
    }
    expect(isMalformed(encodeKitIndex({ ...INDEX, files: ['image/a', 'image/a'] }))).toBe(true);
    expect(isMalformed(encodeKitIndex({ ...INDEX, vehicles: -1 }))).toBe(true);
    const text = new TextDecoder().decode(encodeKitIndex(INDEX));
    for (const [from, to] of [
      ['kit/1', 'kit/2'],
      ['"vehicles"', '"more":1,"vehicles"'],
      ['2026.4"', '../x"'],
      ['89ab', '89AB'],
    ] as const) {
      expect(isMalformed(utf8(text.replace(from, to)))).toBe(true);
    }
  });

  test('of any other bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(isMalformed(bytes)).toBe(true);
      }),
    );
  });
});
