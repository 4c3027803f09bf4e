import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { decodeManifest, encodeManifest, objectEntryName, objectOfEntry } from './manifest.ts';
import { decodeTarHeader, encodeTarHeader, tarPadding } from './tar.ts';

const MODIFIED = parseInstant('2026-11-21T00:00:00Z', 'time');
const entry = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/),
  sizeBytes: fc.maxSafeNat(),
  modified: fc.integer({ min: 0, max: 2 ** 31 }),
});

function isMalformed(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (thrown) {
    return isFailure(thrown, 'BACKUP_MALFORMED');
  }
}

describe('a header', () => {
  test('is read back as it was written, from nothing to beyond 8 GiB', () => {
    fc.assert(
      fc.property(entry, (one) => {
        expect(decodeTarHeader(encodeTarHeader(one), 0)).toEqual(one);
        expect((one.sizeBytes + tarPadding(one.sizeBytes)) % 512).toBe(0);
      }),
    );
  });

  test('with any other byte is refused', () => {
    fc.assert(
      fc.property(entry, fc.nat(511), fc.integer({ min: 1, max: 255 }), (one, at, flip) => {
        const block = encodeTarHeader(one);
        block[at] = (block[at] ?? 0) ^ flip;
        expect(isMalformed(() => decodeTarHeader(block, 0))).toBe(true);
      }),
    );
  });

  test('of any other bytes or length is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(isMalformed(() => decodeTarHeader(bytes, 0))).toBe(true);
      }),
    );
  });

  test('is the one of the worked example', () => {
    const page = readFileSync(new URL('./FORMAT.md', import.meta.url), 'utf8');
    const block = encodeTarHeader({ name: objectEntryName('0'.repeat(64)), sizeBytes: 5, modified: MODIFIED });
    const shown = [...page.matchAll(/^ *(\d+) {2}((?:[0-9a-f]{2} {1,2})+)/gm)];
    expect(shown).toHaveLength(7);
    for (const [, offset = '', hex = ''] of shown) {
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      expect(Buffer.from(block.subarray(Number(offset), Number(offset) + bytes.length))).toEqual(bytes);
    }
  });
});

describe('a manifest', () => {
  const manifest = {
    created: MODIFIED,
    repository: '01234567-89ab-4cde-8f01-23456789abcd',
    name: 'Example Motors',
    schema: 2,
    database: { sizeBytes: 4096, sha256: new Uint8Array(32).fill(7) },
    objects: { count: 2, sizeBytes: 99 },
  };

  test('is read back as it was written', () => {
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
  });

  test('of another format, with other members, or with values out of range is refused', () => {
    const text = new TextDecoder().decode(encodeManifest(manifest));
    const others = [
      text.replace('backup/1', 'backup/2'),
      text.replace('"schema":2', '"schema":2,"more":1'),
      text.replace('"schema":2', '"schema":0'),
      text.replace('"length":4096', '"length":-1'),
      text.replace('"length":4096', '"length":4096,"path":"/etc"'),
      text.replace('07', '0x'),
      text.replace('2026', '26'),
      text.replace('89ab', '89AB'),
      text.slice(0, -3),
      `${text}${' '.repeat(5000)}`,
      '[]',
    ];
    for (const other of others) expect(isMalformed(() => decodeManifest(utf8(other)))).toBe(true);
  });

  test('names of objects are their hashes in their folders, and nothing else', () => {
    const hash = 'ab'.repeat(32);
    expect(objectOfEntry(objectEntryName(hash))).toBe(hash);
    for (const name of [
      `objects/ac/${hash}`,
      `objects/ab/${hash}/`,
      `objects/../${hash}`,
      `objects/ab/${hash.toUpperCase()}`,
    ]) {
      expect(objectOfEntry(name)).toBeUndefined();
    }
  });
});
