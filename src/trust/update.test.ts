/** The client workflow against an honest repository and against one that misbehaves. */
import { describe, expect, test } from 'vitest';
import { instantOf, parseVersion } from '../core/brands.ts';
import { toHex } from '../core/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { simulateRepository } from '../testing/simulator.ts';
import { daysAfter, failingStore, outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { sourceOf } from '../testing/trust-source.ts';

const version = parseVersion;

describe('an honest repository', () => {
  test.each([
    { hybrid: false },
    { hybrid: true },
    { consistent: false },
    { classical: 'ecdsa-p256' },
    { repository: null },
  ] as const)('is followed from the pinned root to Targets: %o', async (setup) => {
    const set = await trustingClient(simulateRepository(setup)).update();
    expect(set.targets.get('targets')?.file.verified.signed.targets.size).toBe(2);
  });

  test('T3 T10 U30: roots one by one by name, then the others; each saved before the next is fetched', async () => {
    const simulator = simulateRepository({ hybrid: true });
    simulator.rotate('root');
    simulator.publishRoot();
    const client = trustingClient(simulator);
    const events: string[] = [];
    const source = sourceOf(simulator.files, (name) => {
      events.push(name);
      return simulator.files.get(name);
    });
    const save = client.store.save.bind(client.store);
    const store = {
      ...client.store,
      save: (role: string, bytes: Uint8Array) => (events.push(`save ${role}`), save(role, bytes)),
    };
    await client.update({ source, store });
    expect(events.join(', ')).toBe(
      'save root, 2.root.json, save root, 3.root.json, timestamp.json, save timestamp, ' +
        '1.snapshot.json, save snapshot, 1.targets.json, save targets',
    );
    expect(client.store.files.get('root')).toEqual(simulator.files.get('2.root.json'));
  });

  test('U29: a second update with nothing new fetches the next root and the Timestamp, and saves nothing', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    await client.update();
    client.store.done.length = 0;
    const source = sourceOf(simulator.files);
    await client.update({ source });
    expect(source.asked).toEqual(['2.root.json', 'timestamp.json']);
    expect(client.store.done).toEqual([]);
  });

  test('files exactly as received are what is stored', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    await client.update();
    expect(client.store.files.get('targets')).toEqual(simulator.files.get('1.targets.json'));
    expect(client.store.files.get('timestamp')).toEqual(simulator.files.get('timestamp.json'));
  });

  test('T10: killed at any write, the next update succeeds and ends at the same state', async () => {
    for (let failAt = 1; failAt < 9; failAt++) {
      const simulator = simulateRepository();
      const client = trustingClient(simulator);
      await client.update();
      simulator.rotate('timestamp');
      simulator.publishRoot();
      simulator.publish();
      await client.update({ store: failingStore(client.store, failAt) }).catch(() => undefined);
      await client.update();
      expect(client.store.files.get('timestamp')).toEqual(simulator.files.get('timestamp.json'));
    }
  });
});

describe('T5 U31: Timestamp', () => {
  test('a lower version is a rollback, and nothing is stored', async () => {
    const simulator = simulateRepository();
    const old = simulator.files.get('timestamp.json') ?? new Uint8Array();
    const client = trustingClient(simulator);
    simulator.publish();
    await client.update();
    const stored = client.store.files.get('timestamp');
    simulator.files.set('timestamp.json', old);
    expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
    expect(client.store.files.get('timestamp')).toBe(stored);
  });

  test('one that points to a lower Snapshot is a rollback and is not stored', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.publish();
    await client.update();
    const stored = client.store.files.get('timestamp');
    simulator.edit('timestamp', ({ snapshot }) => ({
      version: version(9),
      snapshot: { ...snapshot, version: version(1) },
    }));
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
    expect(client.store.files.get('timestamp')).toBe(stored);
  });

  test('an expired one is a freeze attack and is not stored; T1: now is what was given', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    expect(await outcomeOf(client.update({ now: daysAfter(simulator.now, 1) }))).toBe('TRUST_EXPIRED');
    expect(client.store.files.has('timestamp')).toBe(false);
    expect(await outcomeOf(client.update({ now: instantOf(daysAfter(simulator.now, 1) - 1) }))).toBe('done');
  });

  test('an old stored one still guards against rollback after it expired', async () => {
    const simulator = simulateRepository();
    const old = simulator.files.get('timestamp.json') ?? new Uint8Array();
    const client = trustingClient(simulator);
    simulator.publish();
    await client.update();
    simulator.files.set('timestamp.json', old);
    expect(await outcomeOf(client.update({ now: daysAfter(simulator.now, 2) }))).toBe('TRUST_ROLLBACK');
  });

  test('signed by nobody, by a stranger, or missing', async () => {
    const simulator = simulateRepository();
    const stranger = simulateRepository({ label: 'stranger' });
    simulator.files.set(
      'timestamp.json',
      simulator.sign(simulator.bodies.timestamp, { classical: [], postQuantum: [], threshold: 1 }),
    );
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_THRESHOLD');
    simulator.files.set('timestamp.json', stranger.files.get('timestamp.json') ?? new Uint8Array());
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_THRESHOLD');
    simulator.files.delete('timestamp.json');
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_FILE_MISSING');
  });

  test('of another repository or kind, signed by the same key', async () => {
    for (const change of [{ repository: '00000000-0000-4000-8000-000000000000' }, { kind: 'director' }] as const) {
      for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
        const simulator = simulateRepository();
        simulator.edit(role, ({ extension }) => ({ extension: extension && { ...extension, ...change } }));
        simulator.publish();
        expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_WRONG_REPOSITORY');
      }
    }
  });

  test('metadata of another role in its place', async () => {
    const simulator = simulateRepository();
    simulator.files.set('timestamp.json', simulator.sign(simulator.bodies.snapshot, 'timestamp'));
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('METADATA_WRONG_ROLE');
  });
});

describe('T6 U32: Snapshot', () => {
  test('another length, another hash or another version than Timestamp lists is mix-and-match', async () => {
    const simulator = simulateRepository();
    const good = simulator.files.get('1.snapshot.json') ?? new Uint8Array();
    simulator.files.set('1.snapshot.json', good.slice(0, -1));
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_MIX_AND_MATCH');
    simulator.files.set(
      '1.snapshot.json',
      good.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    );
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_MIX_AND_MATCH');
    simulator.edit('snapshot', () => ({ version: version(2) }));
    const second = simulator.sign(simulator.bodies.snapshot, 'snapshot');
    simulator.files.set('1.snapshot.json', second);
    const hashes = new Map([['sha256', toHex(sha256('native', second))]]);
    simulator.edit('timestamp', () => ({ snapshot: { version: version(1), length: second.length, hashes } }));
    simulator.publishTimestamp();
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_MIX_AND_MATCH');
  });

  test('a Targets version below what was seen, or a role no longer listed, is a rollback', async () => {
    for (const change of ['lower', 'dropped']) {
      const simulator = simulateRepository();
      simulator.delegate('targets', { name: 'supplier', paths: ['supplier/*'] });
      simulator.publish();
      simulator.publish();
      const client = trustingClient(simulator);
      await client.update();
      simulator.edit('snapshot', (body) => {
        const meta = new Map(body.meta);
        if (change === 'dropped') meta.delete('supplier.json');
        else meta.set('supplier.json', { version: version(1), length: undefined, hashes: undefined });
        return { version: version(body.version + 1), meta };
      });
      simulator.edit('timestamp', (body) => ({ version: version(body.version + 1) }));
      simulator.publishSnapshot();
      expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
      expect(toHex(client.store.files.get('snapshot') ?? new Uint8Array())).toBe(
        toHex(simulator.files.get('3.snapshot.json') ?? new Uint8Array()),
      );
    }
  });

  test('an expired one is a freeze attack, below its threshold it is refused, missing it is named', async () => {
    const simulator = simulateRepository();
    simulator.edit('snapshot', () => ({ expires: simulator.now }));
    simulator.publish();
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_EXPIRED');
    const unsigned = simulateRepository();
    unsigned.signers.set('snapshot', { classical: [], postQuantum: [], threshold: 1 });
    unsigned.publish();
    expect(await outcomeOf(trustingClient(unsigned).update())).toBe('TRUST_THRESHOLD');
    const missing = simulateRepository();
    missing.files.delete('1.snapshot.json');
    expect(await outcomeOf(trustingClient(missing).update())).toBe('TRUST_FILE_MISSING');
  });
});

describe('T7 U34: Targets', () => {
  test('an older version than Snapshot lists is mix-and-match, even well signed', async () => {
    const simulator = simulateRepository();
    simulator.publish();
    simulator.files.set('2.targets.json', simulator.files.get('1.targets.json') ?? new Uint8Array());
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_MIX_AND_MATCH');
  });

  test('length and hashes where Snapshot lists them', async () => {
    const simulator = simulateRepository();
    const bytes = simulator.files.get('1.targets.json') ?? new Uint8Array();
    const list = (hash: Uint8Array, length: number): void => {
      const hashes = new Map([
        ['sha512', 'ab'.repeat(64)],
        ['sha256', toHex(hash)],
      ]);
      const meta = new Map([['targets.json', { version: version(1), length, hashes }]]);
      simulator.edit('snapshot', () => ({ meta }));
      simulator.publishSnapshot();
    };
    list(sha256('native', bytes), bytes.length);
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_MIX_AND_MATCH');
    const withOne = {
      version: version(1),
      length: bytes.length,
      hashes: new Map([['sha256', toHex(sha256('native', bytes))]]),
    };
    simulator.edit('snapshot', () => ({ meta: new Map([['targets.json', withOne]]) }));
    simulator.publishSnapshot();
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('done');
    const unknown = { ...withOne, hashes: new Map([['blake2b-256', toHex(sha256('native', bytes))]]) };
    simulator.edit('snapshot', () => ({ meta: new Map([['targets.json', unknown]]) }));
    simulator.publishSnapshot();
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_HASH_UNKNOWN');
    const longer = { version: version(1), length: bytes.length + 1, hashes: undefined };
    simulator.edit('snapshot', () => ({ meta: new Map([['targets.json', longer]]) }));
    simulator.publishSnapshot();
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_MIX_AND_MATCH');
    simulator.edit('snapshot', () => ({ meta: new Map([['targets.json', { ...withOne, length: bytes.length - 1 }]]) }));
    simulator.publishSnapshot();
    expect(await outcomeOf(trustingClient(simulator).update())).toBe('TRUST_ENDLESS_DATA');
  });

  test('expired, below threshold, missing', async () => {
    const expired = simulateRepository();
    expired.edit('targets', () => ({ expires: expired.now }));
    expired.publish();
    expect(await outcomeOf(trustingClient(expired).update())).toBe('TRUST_EXPIRED');
    const below = simulateRepository();
    below.rotate('targets', 2);
    below.publishRoot();
    const [first] = below.signers.get('targets')?.classical ?? [];
    below.signers.set('targets', { classical: first === undefined ? [] : [first], postQuantum: [], threshold: 2 });
    below.publish();
    expect(await outcomeOf(trustingClient(below).update())).toBe('TRUST_THRESHOLD');
    const missing = simulateRepository();
    missing.files.delete('1.targets.json');
    expect(await outcomeOf(trustingClient(missing).update())).toBe('TRUST_FILE_MISSING');
  });

  test('a stored file that is no longer what Snapshot lists is fetched again', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    await client.update();
    client.store.files.set('targets', new TextEncoder().encode('{}'));
    client.store.files.set('snapshot', new TextEncoder().encode('not JSON'));
    const source = sourceOf(simulator.files);
    await client.update({ source });
    expect(source.asked).toEqual(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json']);
  });
});

describe('endless data', () => {
  const limits = { rootBytesMax: 9000, timestampBytesMax: 2000, snapshotBytesMax: 2000, targetsBytesMax: 4000 };

  test.each(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'])('%s', async (name) => {
    const simulator = simulateRepository();
    const caps: number[] = [];
    const source = sourceOf(simulator.files, (asked, maxBytes) => {
      if (asked !== name) return simulator.files.get(asked);
      caps.push(maxBytes);
      return new Uint8Array(maxBytes + 1).fill(0x20);
    });
    expect(await outcomeOf(trustingClient(simulator).update({ source, limits }))).toBe('TRUST_ENDLESS_DATA');
    expect(caps[0]).toBeLessThanOrEqual(9000);
  });

  test('the cap of a listed file is its listed length', async () => {
    const simulator = simulateRepository();
    const caps = new Map<string, number>();
    const source = sourceOf(simulator.files, (asked, maxBytes) => {
      caps.set(asked, maxBytes);
      return simulator.files.get(asked);
    });
    await trustingClient(simulator).update({ source });
    expect(caps.get('1.snapshot.json')).toBe(simulator.files.get('1.snapshot.json')?.length);
  });
});

describe('staleness of kits', () => {
  test('passes for Timestamp and Snapshot when asked for, never for Targets or root', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const now = daysAfter(simulator.now, 40);
    expect(await outcomeOf(client.update({ now }))).toBe('TRUST_EXPIRED');
    expect(await outcomeOf(client.update({ now, maxStalenessSeconds: 40 * 86_400 }))).toBe('done');
    const later = daysAfter(simulator.now, 91);
    expect(await outcomeOf(client.update({ now: later, maxStalenessSeconds: 400 * 86_400 }))).toBe('TRUST_EXPIRED');
  });
});
