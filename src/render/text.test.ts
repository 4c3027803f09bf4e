import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SecureevError } from '../core/errors.ts';
import { failureDocument, successDocument } from './failure.ts';
import { fingerprint, shortId } from './fingerprint.ts';
import { progressBar, progressLine } from './progress.ts';
import { fields, indented, table } from './table.ts';
import { count, duration, printable, printableLine, size } from './text.ts';

describe('text that is shown', () => {
  test('has no control or invisible character, whatever was put in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*(?:\n[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*)*$/u);
        expect(printableLine(text)).not.toContain('\n');
      }),
    );
  });

  test.each([
    ['plain text, äöü, 日本', 'plain text, äöü, 日本'],
    ['\u001b[2J', '\\u001b[2J'],
    ['a\u202eb', 'a\\u202eb'],
    ['tag \u{e0041}', 'tag \\u{e0041}'],
    ['half \ud800', 'half \ufffd'],
  ])('%j is %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

test('JSON documents have no control or invisible character either, and mean the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = successDocument('hold', { reason: text, [text]: 'name' });
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(shown)).toEqual(
        JSON.parse(JSON.stringify({ ok: true, command: 'hold', result: { reason: text, [text]: 'name' } })),
      );
    }),
  );
  const error = new SecureevError('USAGE', { message: '\u009b31m', details: { path: 'a\u202eb\u{e0041}' } });
  expect(failureDocument('hold', error)).toContain('"\\u009b31m"');
  expect(failureDocument('hold', error)).toContain('"a\\u202eb\\udb40\\udc41"');
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [400 * 2 ** 20, '400 MiB'],
  [2 ** 50, '1024 TiB'],
])('%i bytes are %s', (bytes, shown) => {
  expect(size(bytes)).toBe(shown);
});

test.each([
  [0.4, '0 s'],
  [59.4, '59 s'],
  [185, '3 min 5 s'],
  [7200, '2 h'],
  [14 * 86_400 + 3600, '14 d 1 h'],
])('%d seconds are %s', (seconds, shown) => {
  expect(duration(seconds)).toBe(shown);
});

test('counts', () => {
  expect([count(1, 'file'), count(0, 'file'), count(2, 'key entry', 'key entries')]).toEqual([
    '1 file',
    '0 files',
    '2 key entries',
  ]);
});

test('a table has columns as wide as their widest cell, numbers to the right, and one line per row', () => {
  const rows = [
    ['a', '5'],
    ['long name', '1234'],
    ['x\ny', ''],
  ];
  expect(table({ head: ['name', 'size'], rows, right: [1] })).toBe(
    ['name       size', 'a             5', 'long name  1234', 'x\\u000ay'].join('\n'),
  );
});

test('fields leave out what is empty; indenting leaves empty lines alone', () => {
  expect(
    fields([
      ['name', 'x'],
      ['holder', ''],
      ['key id', 'y'],
    ]),
  ).toBe('name:    x\nkey id:  y');
  expect(indented('a\n\nb')).toBe('  a\n\n  b');
});

test('fingerprints are grouped by four digits; other key ids are left as they are', () => {
  expect(fingerprint('0123456789ab')).toBe('0123 4567 89ab');
  expect(fingerprint('root key 1')).toBe('root key 1');
  expect([shortId('0123456789abcdef'), shortId('abc')]).toEqual(['0123456789ab', 'abc']);
});

test('progress tells how much, how fast and how long still', () => {
  const state = {
    title: 'package',
    total: 400 * 2 ** 20,
    unit: 'bytes',
    startedMs: 1000,
    done: 100 * 2 ** 20,
  } as const;
  expect(progressLine(state, 3000)).toBe('package: 25%  100 MiB of 400 MiB, 50.0 MiB/s, 6 s left');
  expect(progressBar(state)).toBe('██████░░░░░░░░░░░░░░░░░░');
  expect(progressLine({ ...state, done: state.total }, 3000)).toBe('package: 100%  400 MiB of 400 MiB, 200 MiB/s');
  expect(progressLine({ ...state, unit: 'items', total: 0, done: 0 }, 1000)).toBe('package: 0%  0 of 0, 0/s');
});
