/** Whole repositories that other software wrote and signed: `@tufjs/models`, and `@tufjs/repo-mock`, which sigstore-js tests with. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseInstant, parseTargetName } from '../core/brands.ts';
import { utf8 } from '../core/bytes.ts';
import { memoryStore, sourceOf } from '../testing/trust-source.ts';
import { outcomeOf } from '../testing/trusting-client.ts';
import { findTarget } from './find-target.ts';
import { checkTarget } from './target-check.ts';
import { updateFrom } from './update.ts';
import type { UpdateRequest } from './update.ts';

function filesOf(folder: string): Map<string, Uint8Array> {
  const place = new URL(`../../fixtures/vectors/tuf/${folder}/`, import.meta.url);
  return new Map(readdirSync(place).map((name) => [name, new Uint8Array(readFileSync(new URL(name, place)))] as const));
}

const MODELS = filesOf('tufjs-models');
const MOCK = filesOf('repo-mock');
const NOW = parseInstant('2026-11-21T12:00:00Z');

function requestFor(files: ReadonlyMap<string, Uint8Array>): UpdateRequest {
  return { engine: 'native', pinnedRoot: files.get('1.root.json') ?? new Uint8Array(), now: NOW };
}

/** Files with the text of one changed. */
function changed(name: string, change: (text: string) => string): Map<string, Uint8Array> {
  const text = new TextDecoder().decode(MODELS.get(name));
  const next = change(text);
  if (next === text) throw new Error('nothing changed');
  return new Map(MODELS).set(name, utf8(next));
}

describe('@tufjs/models 5.0.2: ECDSA, Ed25519 and RSA, a rotation, delegations, bins, consistent snapshots', () => {
  test.each(['noble', 'native'] as const)('T3 T5 T6 T7: is verified up to Targets by %s', async (engine) => {
    const store = memoryStore();
    const set = await updateFrom(sourceOf(MODELS), { ...requestFor(MODELS), engine, store });
    const versions = [set.root, set.timestamp, set.snapshot].map((file) => file?.verified.signed.version);
    expect(versions).toEqual([2, 7, 5]);
    expect([...store.files.keys()]).toEqual(['root', 'timestamp', 'snapshot', 'targets']);
  });

  test.each([
    ['a.bin', 'a', ['targets']],
    ['fw/b.bin', 'b', ['targets', 'firmware']],
    ['fw/deep/c.bin', 'c', ['targets', 'firmware', 'nested']],
    ['bin/x.bin', 'bin/x.bin', ['targets', 'binned', 'bin-']],
    ['bin/y.bin', 'bin/y.bin', ['targets', 'binned', 'bin-']],
    ['bin/z.bin', 'bin/z.bin', ['targets', 'binned', 'bin-']],
  ])('T8 T9: %s is found where it is listed, and both its hashes hold', async (name, content, chain) => {
    const source = sourceOf(MODELS);
    const set = await updateFrom(source, requestFor(MODELS));
    const { found } = await findTarget({ source }, set, { name: parseTargetName(name) });
    expect(found?.verified.chain.map((role) => role.replace(/^bin-[0-3]$/, 'bin-'))).toEqual(chain);
    if (found === undefined) throw new Error('not found');
    const { target } = found.verified;
    expect(target.hashes.size).toBe(2);
    expect(await outcomeOf(() => checkTarget({ engine: 'native', name, target }, utf8(content)))).toBe('done');
  });

  test('T8: what nobody lists is not found, and a terminating delegation ends the search', async () => {
    const source = sourceOf(MODELS);
    const set = await updateFrom(source, requestFor(MODELS));
    for (const name of ['fw/none.bin', 'bin/none.bin', 'none.bin']) {
      expect((await findTarget({ source }, set, { name: parseTargetName(name) })).found).toBeUndefined();
    }
  });

  test.each([
    ['2.root.json', (text: string) => text.replace('"threshold":2', '"threshold":1'), 'TRUST_THRESHOLD'],
    ['timestamp.json', (text: string) => text.replace('"version":7', '"version":8'), 'TRUST_THRESHOLD'],
    ['5.snapshot.json', (text: string) => text.replace('"version":5', '"version":6'), 'TRUST_MIX_AND_MATCH'],
    [
      '3.targets.json',
      (text: string) => text.replace('"releaseCounter":1', '"releaseCounter":2'),
      'TRUST_MIX_AND_MATCH',
    ],
  ])('T3 T6 T7: %s changed is refused', async (name, change, code) => {
    expect(await outcomeOf(updateFrom(sourceOf(changed(name, change)), requestFor(MODELS)))).toBe(code);
  });
});

describe('@tufjs/repo-mock 5.0.0', () => {
  test('T10: writes times with milliseconds, which is not the form of the specification, and is refused', async () => {
    expect(new TextDecoder().decode(MOCK.get('1.root.json'))).toMatch(/"expires":"[-0-9T:]+\.\d{3}Z"/);
    expect(await outcomeOf(updateFrom(sourceOf(MOCK), requestFor(MOCK)))).toBe('METADATA_MALFORMED');
  });
});
