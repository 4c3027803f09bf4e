/** Every limit of a metadata file: at it, and one over it. */
import { describe, expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import { decodeMetadata } from './envelope.ts';
import * as limits from './limits.ts';

const simulator = simulateRepository();
simulator.delegate('targets', { name: 'x', paths: ['x/*'] });
simulator.publish();

/** Decodes the file with `"MARK"` (put there by `place`) replaced by `text`. */
function codeWith(file: string, place: (json: string) => string, text: string): string {
  const before = fromUtf8(simulator.files.get(file) ?? new Uint8Array());
  const marked = place(before);
  expect(marked).not.toBe(before);
  try {
    decodeMetadata(utf8(marked.replace('"MARK"', () => text)));
    return 'accepted';
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

const list = (count: number, item: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => item(index)).join(',');
const KEY = '{"keytype":"other","scheme":"other","keyval":{}}';
const RSA = /"keyids":\["[0-9a-f]{64}"\]/;

/** The limit's name, its value, the file, where the many go, and the many. */
type Case = readonly [string, number, string, (json: string) => string, (count: number) => string];

const CASES: readonly Case[] = [
  [
    'signatures',
    limits.SIGNATURES_MAX,
    'timestamp.json',
    (json) => json.replace(/"signatures":\[.*?\]/, '"signatures":"MARK"'),
    (count) => `[${list(count, (i) => `{"keyid":"k${i}","sig":""}`)}]`,
  ],
  [
    'characters of a signature',
    limits.SIGNATURE_CHARS_MAX,
    'timestamp.json',
    (json) => json.replace(/"sig":"[0-9a-f]*"/, '"sig":"MARK"'),
    (count) => `"${'0'.repeat(count)}"`,
  ],
  [
    'keys',
    limits.KEYS_MAX,
    '2.targets.json',
    (json) => json.replace(RSA, '"keyids":[]').replace(/"keys":\{.*?\}\}(?=,"roles")/, '"keys":"MARK"'),
    (count) => `{${list(count, (i) => `"k${i}":${KEY}`)}}`,
  ],
  [
    'key ids of a role',
    limits.ROLE_KEYS_MAX,
    '2.targets.json',
    (json) =>
      json
        .replace(/"keys":\{.*?\}\}(?=,"roles")/, `"keys":{${list(1100, (i) => `"k${i}":${KEY}`)}}`)
        .replace(RSA, '"keyids":"MARK"'),
    (count) => `[${list(count, (i) => `"k${i}"`)}]`,
  ],
  [
    'paths of a delegation',
    limits.PATHS_MAX,
    '2.targets.json',
    (json) => json.replace('"paths":["x/*"]', '"paths":"MARK"'),
    (count) => `[${list(count, (i) => `"a/${i}"`)}]`,
  ],
  [
    'characters of a role name',
    limits.ROLE_NAME_CHARS_MAX,
    '2.targets.json',
    (json) => json.replace('"name":"x"', '"name":"MARK"'),
    (count) => `"${'r'.repeat(count)}"`,
  ],
  [
    'delegations',
    limits.DELEGATIONS_MAX,
    '2.targets.json',
    (json) => json.replace(/"roles":\[\{.*?\}\]/, '"roles":"MARK"'),
    (count) => `[${list(count, (i) => `{"name":"r${i}","keyids":[],"threshold":1,"paths":[],"terminating":false}`)}]`,
  ],
  [
    'bits of bins',
    limits.BIT_LENGTH_MAX,
    '2.targets.json',
    (json) =>
      json.replace(
        /"roles":\[\{.*?\}\]/,
        '"succinct_roles":{"keyids":[],"threshold":1,"name_prefix":"bin","bit_length":"MARK"}',
      ),
    String,
  ],
  [
    'hashes of a target',
    limits.HASHES_MAX,
    '2.targets.json',
    (json) => json.replace(/"hashes":\{.*?\}/, '"hashes":"MARK"'),
    (count) => `{${list(count, (i) => `"h${i}":"${'ab'.repeat(32)}"`)}}`,
  ],
  [
    'characters of a target name',
    limits.TARGET_NAME_CHARS_MAX,
    '2.targets.json',
    (json) => json.replace('"bundles/1.0/ZG.otap":', '"MARK":'),
    (count) => `"${'n'.repeat(count)}"`,
  ],
  [
    'files of a Snapshot',
    limits.SNAPSHOT_FILES_MAX,
    '2.snapshot.json',
    (json) => json.replace(/"meta":\{.*?\}\}/, '"meta":"MARK"'),
    (count) => `{"targets.json":{"version":1},${list(count - 1, (i) => `"r${i}.json":{"version":1}`)}}`,
  ],
];

describe('limits', () => {
  test.each(CASES)('%s: %i', (_, limit, file, place, many) => {
    expect(codeWith(file, place, many(limit))).toBe('accepted');
    expect(codeWith(file, place, many(limit + 1))).toBe('METADATA_MALFORMED');
  });

  test('targets, and what is too large for the parser', () => {
    const place = (json: string): string => json.replace(/"targets":\{.*?\}\}(?=,"version")/, '"targets":"MARK"');
    const over = `{${list(limits.TARGETS_MAX + 1, (i) => `"t${i}":1`)}}`;
    expect(codeWith('2.targets.json', place, over)).toBe('METADATA_MALFORMED');
    expect(codeWith('2.targets.json', place, `${' '.repeat(64 * 1024 * 1024)}{}`)).toBe('JSON_TOO_LARGE');
  });
});
