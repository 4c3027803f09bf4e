/**
 * Real roots that others made and signed: those of the Sigstore public-good instance, versions 7 to 10 and 12 to 16, as
 * the releases of an npm package carry them (sources in `fixtures/vectors/tuf/README.md`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../core/brands.ts';
import { utf8 } from '../core/bytes.ts';
import { memoryStore, sourceOf } from '../testing/trust-source.ts';
import { outcomeOf } from '../testing/trusting-client.ts';
import type { TrustStore } from './source.ts';
import type { TrustedSet } from './state.ts';
import { updateRoot } from './update.ts';

const FOLDER = new URL('../../fixtures/vectors/tuf/sigstore/', import.meta.url);
const ROOTS: ReadonlyMap<string, Uint8Array> = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.root.json'))
    .map((name) => [name, new Uint8Array(readFileSync(new URL(name, FOLDER)))] as const),
);

interface Walk {
  readonly pinned: number;
  readonly now: string;
  readonly engine?: 'noble' | 'native';
  readonly store?: TrustStore;
}

function rootFile(version: number): Uint8Array {
  const bytes = ROOTS.get(`${version}.root.json`);
  if (bytes === undefined) throw new Error(`no root ${version}`);
  return bytes;
}

/** Walks from a pinned version over the files as they are, or as they are changed. */
async function walk(
  { pinned, now, engine = 'native', store }: Walk,
  changes: Readonly<Record<string, Uint8Array>> = {},
): Promise<TrustedSet> {
  const files = new Map([...ROOTS, ...Object.entries(changes)]);
  const request = { engine, pinnedRoot: rootFile(pinned), now: parseInstant(now), store };
  return await updateRoot(sourceOf(files), request);
}

function textOf(version: number): string {
  return new TextDecoder().decode(rootFile(version));
}

const THEN = '2025-01-01T00:00:00Z';
const NOW = '2026-11-21T00:00:00Z';

describe('the chain is walked', () => {
  test.each(['noble', 'native'] as const)('T3 T4: from 7 to 10, and from 12 to 16, by %s', async (engine) => {
    expect((await walk({ pinned: 7, now: THEN, engine })).root.verified.signed.version).toBe(10);
    expect((await walk({ pinned: 12, now: NOW, engine })).root.verified.signed.version).toBe(16);
  });

  test('T3 T10: each root is kept exactly as received, and the next walk starts at the last', async () => {
    const store = memoryStore();
    await walk({ pinned: 12, now: NOW, store });
    expect(store.done).toEqual(Array.from({ length: 5 }, () => 'save root'));
    expect(store.files.get('root')).toEqual(rootFile(16));
    expect((await walk({ pinned: 12, now: NOW, store })).root.verified.signed.version).toBe(16);
  });

  test('T4: the last root must not have expired, those before it may', async () => {
    expect(await outcomeOf(walk({ pinned: 7, now: NOW }))).toBe('TRUST_EXPIRED');
    expect(await outcomeOf(walk({ pinned: 12, now: '2027-04-22T19:27:31Z' }))).toBe('TRUST_EXPIRED');
    expect(await outcomeOf(walk({ pinned: 12, now: '2027-04-22T19:27:30Z' }))).toBe('done');
  });

  test('T10: an entry with an empty signature, which these have for who did not sign, counts for nothing', async () => {
    expect(textOf(14)).toMatch(/"sig": ""/);
    expect(await outcomeOf(walk({ pinned: 13, now: NOW }))).toBe('done');
  });
});

describe('and is refused', () => {
  test('T3: a root that is skipped, doubled or replayed under the next number', async () => {
    const run = (pinned: number, name: string, version: number) =>
      outcomeOf(walk({ pinned, now: THEN }, { [name]: rootFile(version) }));
    expect([
      await run(10, '11.root.json', 12),
      await run(13, '14.root.json', 15),
      await run(9, '10.root.json', 9),
      await run(14, '15.root.json', 13),
    ]).toEqual(['TRUST_ROOT_GAP', 'TRUST_ROOT_GAP', 'TRUST_ROLLBACK', 'TRUST_ROLLBACK']);
    // Version 10 carries no signature under the key ids of version 8.
    expect(await run(8, '9.root.json', 10)).toBe('TRUST_THRESHOLD');
  });

  test('T3: signatures below the threshold of three, or under which a digit changed', async () => {
    const first = /"sig": ?"([0-9a-f]{8,})"/;
    let text = textOf(15);
    const outcomes: string[] = [];
    for (let broken = 1; broken <= 3; broken++) {
      text = text.replace(first, '"sig": "00"');
      outcomes.push(await outcomeOf(walk({ pinned: 14, now: NOW }, { '15.root.json': utf8(text) })));
    }
    expect(outcomes).toEqual(['done', 'done', 'TRUST_THRESHOLD']);
    const later = textOf(15).replace('"expires": "2026', '"expires": "2036');
    expect(later).not.toBe(textOf(15));
    expect(await outcomeOf(walk({ pinned: 14, now: NOW }, { '15.root.json': utf8(later) }))).toBe('TRUST_THRESHOLD');
  });

  test('T3: a root of the chain pinned under too few of its own signatures', async () => {
    const text = textOf(16).replaceAll(/"sig": ?"([0-9a-f]{8,})"/g, '"sig": ""');
    const files = sourceOf(ROOTS);
    const pin = updateRoot(files, { engine: 'native', pinnedRoot: utf8(text), now: parseInstant(NOW) });
    expect(await outcomeOf(pin)).toBe('TRUST_THRESHOLD');
  });
});
