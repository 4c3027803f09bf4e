import { expect, test } from 'vitest';
import { instantOf } from '../../core/brands.ts';
import { toHex } from '../../core/bytes.ts';
import { auditEntryHash, EMPTY_LOG } from './entry.ts';
import type { AuditEntry } from './entry.ts';

const FIRST: AuditEntry = {
  position: 1,
  time: instantOf(1_795_255_200),
  actor: 'ada',
  job: '',
  command: 'init',
  summary: 'made the repository Example Motors',
  subjects: [],
};

test('the worked example of FORMAT.md', () => {
  const first = auditEntryHash('noble', FIRST, EMPTY_LOG.hash);
  expect(toHex(first)).toBe('cf2386c6971521044973573bd2175c169c74f7c52cd1259833ce9119057d682e');
  const second: AuditEntry = {
    ...FIRST,
    position: 2,
    time: instantOf(1_795_255_260),
    job: 'https://ci.example/1',
    command: 'hold',
    summary: 'put on hold: key lost',
    subjects: ['key:0a', 'role:targets'],
  };
  expect(toHex(auditEntryHash('native', second, first))).toBe(
    '48fc5cb2b43347c3ad9fa60093e7e9422190e37a99555b9d5b27da4a0350d606',
  );
});

test('every field of an entry, and the entry before, changes its hash', () => {
  const variants: readonly AuditEntry[] = [
    FIRST,
    { ...FIRST, position: 2 },
    { ...FIRST, time: instantOf(1_795_255_201) },
    { ...FIRST, actor: 'bob' },
    { ...FIRST, job: 'x' },
    { ...FIRST, command: 'hold' },
    { ...FIRST, summary: '' },
    { ...FIRST, subjects: [''] },
    { ...FIRST, actor: '', job: 'ada' },
  ];
  const previous = [EMPTY_LOG.hash, new Uint8Array(32).fill(1)];
  const hashes = variants.flatMap((entry) => previous.map((hash) => toHex(auditEntryHash('native', entry, hash))));
  expect(new Set(hashes).size).toBe(2 * variants.length);
});
