/**
 * Mistakes that known TUF and Uptane clients have made, each with its own test: the whole workflow of a client against a
 * repository that provokes it, and the honest run beside it.
 */
import { describe, expect, test } from 'vitest';
import { instantOf, parseTargetName, parseVersion } from '../core/brands.ts';
import { toHex, utf8 } from '../core/bytes.ts';
import { sha256, sha512 } from '../crypto/hash.ts';
import { treeSource } from '../ops/repository/tree-source.ts';
import { downloadTarget } from '../ops/repository/download-target.ts';
import { fakeIo } from '../testing/fake-io.ts';
import { signBody } from '../testing/metadata-keys.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { sourceOf } from '../testing/trust-source.ts';
import { tamper, updated } from '../testing/tampered-files.ts';
import { checkTarget } from './target-check.ts';

const BRAKE = 'EV-1/BRAKE/1.0/brake.bin';
const CONTENT = utf8('brake firmware 1.0');

async function searched(simulator: Simulator, name = BRAKE): Promise<string> {
  const client = trustingClient(simulator);
  return await outcomeOf(async () => {
    if ((await client.find(name)).found === undefined) throw new RangeError('not found');
  });
}

describe('length of metadata files', () => {
  test('T6: Timestamp lists the length of Snapshot: a longer or shorter one is refused before it is parsed', async () => {
    for (const change of [(text: string) => `${text} `, (text: string) => text.trimEnd().slice(0, -1)]) {
      const simulator = simulateRepository();
      expect(await updated(simulator)).toBe('done');
      tamper(simulator, '1.snapshot.json', change);
      expect(await updated(simulator)).toMatch(/^TRUST_(?:MIX_AND_MATCH|ENDLESS_DATA)$/);
    }
  });

  test('T7: Snapshot lists the length of Targets and of a delegated role', async () => {
    for (const role of ['targets', 'brakes']) {
      const simulator = simulateRepository();
      simulator.delegate('targets', { name: 'brakes', paths: ['x/*'] });
      simulator.addTarget('x/a', 'a', 'brakes');
      simulator.publish();
      const length = simulator.files.get(role === 'targets' ? '2.targets.json' : '1.brakes.json')?.length ?? 0;
      const list = (listed: number): void => {
        simulator.edit('snapshot', ({ meta, version }) => {
          const before = meta.get(`${role}.json`);
          if (before === undefined) throw new Error('not listed');
          const next = new Map(meta).set(`${role}.json`, { ...before, length: listed });
          return { meta: next, version: parseVersion(version + 1) };
        });
        simulator.publishSnapshot();
      };
      list(length);
      expect(await searched(simulator, 'x/a')).toBe('done');
      list(length + 1);
      expect(await searched(simulator, 'x/a')).toBe('TRUST_MIX_AND_MATCH');
    }
  });
});

describe('length of targets, and the cap while downloading', () => {
  test('T9: shorter and longer targets are refused, whatever their hashes', async () => {
    const { found } = await trustingClient(simulateRepository()).find(BRAKE);
    if (found === undefined) throw new Error('not found');
    const { name, target } = found.verified;
    const short = { ...target, hashes: new Map([['sha256', toHex(sha256('native', CONTENT.subarray(1)))]]) };
    expect(await outcomeOf(() => checkTarget({ engine: 'native', name, target }, CONTENT))).toBe('done');
    const check = (bytes: Uint8Array) => outcomeOf(() => checkTarget({ engine: 'native', name, target: short }, bytes));
    expect(await check(CONTENT.subarray(1))).toBe('TRUST_ARBITRARY_SOFTWARE');
  });

  test('T9: a download without an end stops at the first byte too many, and nothing is left', async () => {
    const simulator = simulateRepository();
    const { found } = await trustingClient(simulator).find(BRAKE);
    if (found === undefined) throw new Error('not found');
    let served = 0;
    const io = fakeIo();
    const tree = {
      ...treeSource(io, 'tree'),
      async readTarget(_: string, { sink }: { sink: (bytes: Uint8Array) => Promise<void> }): Promise<boolean> {
        for (; served < 1000; served++) await sink(new Uint8Array(10));
        return true;
      },
    };
    const download = downloadTarget({ tree, found, isConsistent: true, out: 'got' }, io);
    expect(await outcomeOf(download)).toBe('TRUST_ENDLESS_DATA');
    expect(served).toBe(1);
    expect(await io.files.list('got/EV-1/BRAKE/1.0')).toEqual([]);
  });

  test('T6: a file of listed length is asked for up to that length', async () => {
    const simulator = simulateRepository();
    const caps = new Map<string, number>();
    const source = sourceOf(simulator.files, (name, maxBytes) => {
      caps.set(name, maxBytes);
      return simulator.files.get(name);
    });
    await trustingClient(simulator).update({ source });
    expect(caps.get('1.snapshot.json')).toBe(simulator.files.get('1.snapshot.json')?.length);
    expect(caps.get('timestamp.json')).toBeLessThanOrEqual(65_536);
  });
});

describe('T8 U35: delegated roles', () => {
  function delegating(): Simulator {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'brakes', paths: ['x/*'] });
    simulator.addTarget('x/a', 'a', 'brakes');
    return simulator;
  }

  test('expiry of a delegated role, on first load and from the store', async () => {
    const simulator = delegating();
    simulator.editDelegated('brakes', () => ({ expires: instantOf(simulator.now + 60) }));
    simulator.publish();
    const client = trustingClient(simulator);
    expect((await client.find('x/a')).found?.verified.role).toBe('brakes');
    const now = instantOf(simulator.now + 60);
    expect(await outcomeOf(client.find('x/a', { now }))).toBe('TRUST_EXPIRED');
    expect(await outcomeOf(trustingClient(simulator).find('x/a', { now }))).toBe('TRUST_EXPIRED');
  });

  test('signature of a delegated role on first load: by none, by a stranger, by its delegator', async () => {
    for (const keys of ['none', 'timestamp', 'targets']) {
      const simulator = delegating();
      simulator.publish();
      expect(await searched(simulator, 'x/a')).toBe('done');
      const body = simulator.delegated.get('brakes');
      if (body === undefined) throw new Error('no brakes');
      const signers = simulator.signers.get(keys) ?? { classical: [], postQuantum: [] };
      simulator.files.set('1.brakes.json', signBody(body, signers));
      expect(await searched(simulator, 'x/a')).toBe('TRUST_THRESHOLD');
    }
  });

  test('a cached delegated role met again under another delegator is verified again, in one run and the next', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'one', paths: ['a/*'] });
    simulator.delegate('targets', { name: 'two', paths: ['b/*'] });
    simulator.delegate('one', { name: 'shared', paths: ['a/*'] });
    const own = simulator.signers.get('shared');
    const other = simulator.signers.get('timestamp');
    if (own === undefined || other === undefined) throw new Error('no keys');
    simulator.signers.set('shared', other);
    simulator.delegate('two', { name: 'shared', paths: ['b/*'] });
    simulator.signers.set('shared', own);
    simulator.addTarget('a/1', 'one', 'shared');
    simulator.addTarget('b/1', 'two', 'shared');
    simulator.publish();
    const client = trustingClient(simulator);
    expect((await client.find('a/1')).found?.verified.role).toBe('shared');
    expect(client.store.files.has('shared')).toBe(true);
    expect(await outcomeOf(client.find('b/1'))).toBe('TRUST_THRESHOLD');
  });

  test('a long delegation search ends, and a role at its end is still found', async () => {
    const simulator = simulateRepository();
    for (let index = 0; index < 40; index++) simulator.delegate('targets', { name: `wide-${index}`, paths: ['w/*'] });
    for (let depth = 0; depth < 20; depth++) {
      simulator.delegate(depth === 0 ? 'wide-39' : `deep-${depth - 1}`, { name: `deep-${depth}`, paths: ['w/*'] });
    }
    simulator.addTarget('w/last', 'found', 'deep-19');
    simulator.publish();
    const client = trustingClient(simulator);
    expect((await client.find('w/last')).found?.verified.role).toBe('deep-19');
    expect(await outcomeOf(client.find('w/last', { limits: { delegationsMax: 59 } }))).toBe('TRUST_LIMIT');
  });

  test.each(['?', '#', '/a', '../a'])(
    'the unusual role name %s is one file below metadata and in the store',
    async (role) => {
      const simulator = simulateRepository();
      simulator.delegate('targets', { name: role, paths: ['a/*'] });
      simulator.addTarget('a/b', 'bytes', role);
      simulator.publish();
      const source = sourceOf(simulator.files);
      expect((await trustingClient(simulator).find('a/b', { source })).found?.verified.role).toBe(role);
      expect(source.asked.filter((name) => !/^[A-Za-z0-9%._~-]+$/.test(name))).toEqual([]);
    },
  );
});

describe('T10: hashes', () => {
  const both = new Map([
    ['sha256', toHex(sha256('native', CONTENT))],
    ['sha512', toHex(sha512('native', CONTENT))],
  ]);
  test.each([
    ['both right', {}, 'done'],
    ['the second wrong', { sha512: '00'.repeat(64) }, 'TRUST_ARBITRARY_SOFTWARE'],
    ['the first wrong', { sha256: '00'.repeat(32) }, 'TRUST_ARBITRARY_SOFTWARE'],
    ['an unknown one beside them', { blake9: '00'.repeat(32) }, 'done'],
  ])('every listed hash of a target counts: %s', async (_, change, expected) => {
    const hashes = new Map([...both, ...Object.entries(change)]);
    const target = { length: CONTENT.length, hashes, custom: undefined };
    expect(await outcomeOf(() => checkTarget({ engine: 'native', name: BRAKE, target }, CONTENT))).toBe(expected);
  });

  test('an unknown hash alone is refused, for a target and for Snapshot', async () => {
    const target = { length: CONTENT.length, hashes: new Map([['blake9', '00'.repeat(32)]]), custom: undefined };
    const check = (): void => checkTarget({ engine: 'native', name: BRAKE, target }, CONTENT);
    expect(await outcomeOf(check)).toBe('TRUST_HASH_UNKNOWN');
    const simulator = simulateRepository();
    simulator.edit('timestamp', ({ snapshot }) => ({ snapshot: { ...snapshot, hashes: target.hashes } }));
    simulator.publishTimestamp();
    expect(await updated(simulator)).toBe('TRUST_HASH_UNKNOWN');
  });

  test('every hash that Timestamp lists for Snapshot counts', async () => {
    const simulator = simulateRepository();
    const bytes = simulator.files.get('1.snapshot.json') ?? new Uint8Array();
    const list = (sha512Hex: string): void => {
      const hashes = new Map([
        ['sha256', toHex(sha256('native', bytes))],
        ['sha512', sha512Hex],
      ]);
      simulator.edit('timestamp', ({ snapshot }) => ({ snapshot: { ...snapshot, hashes } }));
      simulator.publishTimestamp();
    };
    list(toHex(sha512('native', bytes)));
    expect(await updated(simulator)).toBe('done');
    list('00'.repeat(64));
    expect(await updated(simulator)).toBe('TRUST_MIX_AND_MATCH');
  });
});

describe('what a client remembers', () => {
  test('T4: fast-forward recovery after a rotation of the online keys', async () => {
    for (const role of ['timestamp', 'snapshot'] as const) {
      const simulator = simulateRepository();
      const client = trustingClient(simulator);
      simulator.edit(role, () => ({ version: parseVersion(1_000_000) }));
      simulator.publishSnapshot();
      await client.update();
      simulator.edit('timestamp', () => ({ version: parseVersion(role === 'timestamp' ? 2 : 3) }));
      simulator.edit('snapshot', () => ({ version: parseVersion(2) }));
      simulator.publishSnapshot();
      expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
      simulator.rotate(role);
      simulator.publishRoot();
      simulator.publishSnapshot();
      expect(await outcomeOf(client.update())).toBe('done');
    }
  });

  test('T5: a Timestamp that points to a lower Snapshot is not stored', async () => {
    const simulator = simulateRepository();
    simulator.publish();
    const client = trustingClient(simulator);
    await client.update();
    const before = client.store.files.get('timestamp');
    simulator.edit('timestamp', ({ version, snapshot }) => ({
      version: parseVersion(version + 1),
      snapshot: { ...snapshot, version: parseVersion(1) },
    }));
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
    expect(client.store.files.get('timestamp')).toBe(before);
  });

  test('T3: a long root chain is walked to its end, each root stored on the way', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    for (let rotation = 0; rotation < 100; rotation++) {
      simulator.rotate('root');
      simulator.publishRoot();
    }
    const set = await client.update();
    expect(set.root.verified.signed.version).toBe(101);
    expect(client.store.done.filter((one) => one === 'save root')).toHaveLength(101);
  });

  test('T3: old keys are accepted only where the root still lists them', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const old = simulator.signers.get('targets');
    if (old === undefined) throw new Error('no keys');
    simulator.rotate('targets');
    simulator.publishRoot();
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
    simulator.signers.set('targets', old);
    const [key] = old.classical;
    if (key === undefined) throw new Error('no key');
    const { keyId } = key.publicKey;
    simulator.edit('root', ({ keys, roles }) => ({
      keys: new Map(keys).set(keyId, { keyId, publicKey: key.publicKey }),
      roles: new Map(roles).set('targets', { keyIds: [keyId], threshold: 1 }),
    }));
    simulator.publishRoot();
    expect(await outcomeOf(client.update())).toBe('done');
    expect((await client.find(parseTargetName(BRAKE))).found?.verified.role).toBe('targets');
  });
});
