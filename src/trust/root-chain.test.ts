/** Roots: what a chain must be, who may change it, and recovery by it. */
import { describe, expect, test } from 'vitest';
import { parseVersion } from '../core/brands.ts';
import { simulateRepository, TEST_REPOSITORY } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { signBody } from '../testing/metadata-keys.ts';
import { sourceOf } from '../testing/trust-source.ts';
import { daysAfter, outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { nextRoot, pinRoot, rotatesOnlineKeys } from './root-chain.ts';

/** Puts root `version` in the tree as `body` says, signed by the root keys of these generations. */
function forge(simulator: Simulator, change: object, by: 'own' | 'before' | 'both' | 'nobody' = 'both'): void {
  const before = simulator.signers.get('root');
  const body = { ...simulator.bodies.root, version: parseVersion(2), ...change };
  const classical = by === 'nobody' ? [] : (before?.classical ?? []);
  simulator.files.set('2.root.json', signBody(body, { classical, postQuantum: before?.postQuantum ?? [] }));
}

describe('T2: the pinned root', () => {
  test('may be expired', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.edit('root', () => ({ expires: daysAfter(simulator.now, 800) }));
    simulator.publishRoot();
    for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
      simulator.edit(role, () => ({ expires: daysAfter(simulator.now, 800) }));
    }
    simulator.publish();
    expect(await outcomeOf(client.update({ now: daysAfter(simulator.now, 700) }))).toBe('done');
  });

  test('must meet its own threshold', async () => {
    const simulator = simulateRepository();
    const unsigned = signBody(simulator.bodies.root, { classical: [], postQuantum: [] });
    expect(await outcomeOf(trustingClient(simulator, unsigned).update())).toBe('TRUST_THRESHOLD');
  });

  test('of another repository, or of the other kind, leads nowhere', async () => {
    const simulator = simulateRepository();
    const other = simulateRepository({ label: 'other', repository: '00000000-0000-4000-8000-000000000000' });
    const client = trustingClient(simulator, other.files.get('1.root.json'));
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
    expect(await outcomeOf(trustingClient(simulator).update({ kind: 'director' }))).toBe('TRUST_WRONG_REPOSITORY');
    expect(await outcomeOf(trustingClient(simulator).update({ kind: 'image' }))).toBe('done');
  });
});

describe('T3 U30: the next root', () => {
  test('is signed by the threshold of the old one', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.rotate('root');
    forge(simulator, {});
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
  });

  test('is signed by its own threshold', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const old = simulator.signers.get('root');
    simulator.rotate('root');
    const body = { ...simulator.bodies.root, version: parseVersion(2) };
    simulator.files.set('2.root.json', signBody(body, { classical: old?.classical ?? [], postQuantum: [] }));
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
  });

  test('a threshold of two by one key under two ids is not met (TAP 12)', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const [key] = simulator.signers.get('root')?.classical ?? [];
    if (key === undefined) throw new Error('no key');
    const again = { ...key, publicKey: { ...key.publicKey, keyId: 'another-id' as typeof key.publicKey.keyId } };
    const keys = new Map(simulator.bodies.root.keys);
    keys.set(again.publicKey.keyId, { keyId: again.publicKey.keyId, publicKey: again.publicKey });
    const keyIds = [key.publicKey.keyId, again.publicKey.keyId];
    const roles = (threshold: number) => new Map(simulator.bodies.root.roles).set('root', { keyIds, threshold });
    const sign = (threshold: number) =>
      signBody(
        { ...simulator.bodies.root, version: parseVersion(2), keys, roles: roles(threshold) },
        { classical: [key, again], postQuantum: [] },
      );
    simulator.files.set('2.root.json', sign(2));
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
    simulator.files.set('2.root.json', sign(1));
    expect(await outcomeOf(client.update())).toBe('done');
  });

  test('is exactly one higher: equal or lower is a rollback, higher a gap', async () => {
    for (const [version, code] of [
      [1, 'TRUST_ROLLBACK'],
      [3, 'TRUST_ROOT_GAP'],
    ] as const) {
      const simulator = simulateRepository();
      const client = trustingClient(simulator);
      forge(simulator, { version: parseVersion(version) });
      expect(await outcomeOf(client.update())).toBe(code);
    }
  });

  test('is of the same repository and kind', async () => {
    for (const change of [{ repository: '00000000-0000-4000-8000-000000000000' }, { kind: 'director' }] as const) {
      const simulator = simulateRepository();
      const client = trustingClient(simulator);
      const extension = { repository: TEST_REPOSITORY, kind: 'image' as const, log: undefined, hybrid: undefined };
      forge(simulator, { extension: { ...extension, ...change } });
      expect(await outcomeOf(client.update())).toBe('TRUST_WRONG_REPOSITORY');
      forge(simulator, { extension: undefined });
      expect(await outcomeOf(client.update())).toBe('TRUST_WRONG_REPOSITORY');
      expect(client.store.done).toEqual(['save root']);
    }
  });

  test('a chain of 60 is walked; old ones may be expired, the last may not (T4)', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.edit('root', () => ({ expires: simulator.now }));
    for (let i = 0; i < 58; i++) {
      simulator.rotate('root');
      simulator.publishRoot();
    }
    expect(await outcomeOf(client.update())).toBe('TRUST_EXPIRED');
    simulator.edit('root', () => ({ expires: daysAfter(simulator.now, 365) }));
    simulator.publishRoot();
    const set = await client.update();
    expect(set.root.verified.signed.version).toBe(60);
    expect(client.store.done.filter((event) => event === 'save root')).toHaveLength(60);
  });

  test('a chain longer than the limit is refused', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    for (let i = 0; i < 5; i++) simulator.publishRoot();
    expect(await outcomeOf(client.update({ limits: { rootRotationsMax: 5 } }))).toBe('done');
    expect(await outcomeOf(trustingClient(simulator).update({ limits: { rootRotationsMax: 4 } }))).toBe('TRUST_LIMIT');
  });
});

describe('what is stored', () => {
  test('a newer stored root is where the next walk starts', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.publishRoot();
    simulator.publishRoot();
    await client.update();
    const source = sourceOf(simulator.files);
    await client.update({ source });
    expect(source.asked[0]).toBe('4.root.json');
  });

  test('a stored root of another repository is refused, a broken one passed over', async () => {
    const simulator = simulateRepository();
    const other = simulateRepository({ label: 'b', repository: '00000000-0000-4000-8000-000000000000' });
    const client = trustingClient(simulator);
    client.store.files.set('root', other.files.get('1.root.json') ?? new Uint8Array());
    expect(await outcomeOf(client.update())).toBe('TRUST_WRONG_REPOSITORY');
    client.store.files.set('root', new Uint8Array([0x7b]));
    expect(await outcomeOf(client.update())).toBe('done');
  });

  test('old keys are accepted only where the root still lists them', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    await client.update();
    simulator.rotate('timestamp');
    simulator.rotate('targets');
    simulator.publishRoot();
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_THRESHOLD');
    simulator.publish();
    expect(await outcomeOf(client.update())).toBe('done');
  });
});

test('a stored root of the pinned version never takes the place of the pinned one', async () => {
  const simulator = simulateRepository();
  const client = trustingClient(simulator);
  const body = { ...simulator.bodies.root, expires: daysAfter(simulator.now, 999) };
  client.store.files.set('root', simulator.sign(body, 'root'));
  const set = await client.update();
  expect(set.root.verified.bytes).toEqual(simulator.files.get('1.root.json'));
  expect(client.store.files.get('root')).toEqual(simulator.files.get('1.root.json'));
});

test('the size of a root is checked whoever brings it', async () => {
  const simulator = simulateRepository();
  const set = await trustingClient(simulator).update();
  const padded = new Uint8Array(set.terms.limits.rootBytesMax + 1).fill(0x20);
  expect(await outcomeOf(() => nextRoot(set, padded))).toBe('TRUST_ENDLESS_DATA');
  expect(await outcomeOf(() => pinRoot(padded, set.terms))).toBe('TRUST_ENDLESS_DATA');
});

describe('T4: recovery from a fast-forward attack', () => {
  test.each(['timestamp', 'snapshot'] as const)('by new keys of %s', async (role) => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const high = parseVersion(2 ** 40);
    simulator.edit('snapshot', () => ({ version: role === 'snapshot' ? high : parseVersion(2) }));
    simulator.edit('timestamp', () => ({ version: role === 'timestamp' ? high : parseVersion(2) }));
    simulator.publishSnapshot();
    await client.update();

    simulator.edit('snapshot', () => ({ version: parseVersion(3) }));
    simulator.edit('timestamp', () => ({ version: parseVersion(3) }));
    simulator.publishSnapshot();
    expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');

    simulator.rotate(role);
    simulator.publishRoot();
    simulator.publishSnapshot();
    const set = await client.update();
    expect(set.timestamp?.verified.signed.version).toBe(3);
    expect(set.snapshot?.verified.signed.version).toBe(3);
  });

  test('a root that only adds a key keeps what was seen', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    simulator.edit('timestamp', () => ({ version: parseVersion(7) }));
    simulator.publishTimestamp();
    await client.update();
    const old = simulator.signers.get('timestamp');
    simulator.rotate('timestamp');
    const fresh = simulator.signers.get('timestamp');
    const classical = [...(old?.classical ?? []), ...(fresh?.classical ?? [])];
    const keys = new Map(simulator.bodies.root.keys);
    for (const { publicKey } of classical) keys.set(publicKey.keyId, { keyId: publicKey.keyId, publicKey });
    const keyIds = classical.map(({ publicKey }) => publicKey.keyId);
    const roles = new Map(simulator.bodies.root.roles).set('timestamp', { keyIds, threshold: 1 });
    simulator.edit('root', () => ({ keys, roles }));
    simulator.publishRoot();
    simulator.edit('timestamp', () => ({ version: parseVersion(6) }));
    simulator.publishTimestamp();
    expect(await outcomeOf(client.update())).toBe('TRUST_ROLLBACK');
  });

  test('works where a key that is kept had signed the old file, too', async () => {
    const simulator = simulateRepository();
    const client = trustingClient(simulator);
    const [stolen] = simulator.signers.get('timestamp')?.classical ?? [];
    simulator.rotate('timestamp');
    const kept = simulator.signers.get('timestamp');
    if (stolen === undefined || kept === undefined) throw new Error('no keys');
    simulator.signers.set('timestamp', { ...kept, classical: [...kept.classical, stolen] });
    const both = [...kept.classical, stolen].map(({ publicKey }) => publicKey);
    const keys = new Map(simulator.bodies.root.keys);
    for (const publicKey of both) keys.set(publicKey.keyId, { keyId: publicKey.keyId, publicKey });
    const role = { keyIds: both.map(({ keyId }) => keyId), threshold: 1 };
    simulator.edit('root', ({ roles }) => ({ keys, roles: new Map(roles).set('timestamp', role) }));
    simulator.publishRoot();
    simulator.edit('timestamp', () => ({ version: parseVersion(2 ** 50) }));
    simulator.publishTimestamp();
    await client.update();

    const ids = kept.classical.map(({ publicKey }) => publicKey.keyId);
    simulator.edit('root', ({ roles }) => ({ roles: new Map(roles).set('timestamp', { keyIds: ids, threshold: 1 }) }));
    simulator.publishRoot();
    simulator.edit('timestamp', () => ({ version: parseVersion(2) }));
    simulator.publishTimestamp();
    client.store.done.length = 0;
    expect((await client.update()).timestamp?.verified.signed.version).toBe(2);
    expect(client.store.done).toEqual([
      'remove timestamp',
      'remove snapshot',
      'save root',
      'save timestamp',
      'save snapshot',
    ]);
  });

  test('a key taken away counts in either family; a key added does not', async () => {
    const simulator = simulateRepository({ hybrid: true });
    const before = (await trustingClient(simulator).update()).root;
    const changed = async (family: 'classical' | 'postQuantum'): Promise<boolean> => {
      const fresh = simulateRepository({ hybrid: true });
      fresh.rotate('snapshot');
      const { roles, keys, extension } = fresh.bodies.root;
      fresh.bodies.root = { ...simulator.bodies.root };
      const hybrid = simulator.bodies.root.extension?.hybrid;
      if (extension?.hybrid === undefined || hybrid === undefined) throw new Error('not hybrid');
      const ring = { keys: new Map([...hybrid.keys, ...extension.hybrid.keys]), roles: extension.hybrid.roles };
      if (family === 'postQuantum') fresh.edit('root', () => ({ extension: { ...extension, hybrid: ring } }));
      else fresh.edit('root', (body) => ({ keys: new Map([...body.keys, ...keys]), roles }));
      fresh.publishRoot();
      const set = await trustingClient(simulator).update();
      return rotatesOnlineKeys(before, nextRoot(set, fresh.files.get('2.root.json') ?? new Uint8Array()).root);
    };
    expect(rotatesOnlineKeys(before, before)).toBe(false);
    expect(await changed('classical')).toBe(true);
    expect(await changed('postQuantum')).toBe(true);
  });
});
