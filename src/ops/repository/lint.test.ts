/** What lint finds in trees that verify, and that it finds nothing in a good one. */
import { describe, expect, test } from 'vitest';
import { instantOf, parseKeyId } from '../../core/brands.ts';
import type { Verified } from '../../core/verified.ts';
import { jsonMap } from '../../formats/json/json.ts';
import type { Envelope } from '../../formats/metadata/types.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import type { Simulator } from '../../testing/simulator.ts';
import { sourceOf } from '../../testing/trust-source.ts';
import { trustingClient } from '../../testing/trusting-client.ts';
import { loadDelegated } from '../../trust/find-target.ts';
import type { TrustedSet } from '../../trust/state.ts';
import { lintTree } from './lint.ts';

async function findings(change: (simulator: Simulator) => void): Promise<readonly string[]> {
  const simulator = simulateRepository();
  change(simulator);
  simulator.publishRoot();
  simulator.publish();
  const set = await trustingClient(simulator).update();
  return lintTree(await loadDelegated({ source: sourceOf(simulator.files) }, set)).map(
    ({ id, role }) => `${id} ${role}`,
  );
}

test('nothing in a good tree, delegations included', async () => {
  expect(await findings((simulator) => simulator.delegate('targets', { name: 'brakes' }))).toEqual([]);
});

test('expiries near, and a Timestamp that lives long', async () => {
  const near = await findings((simulator) => {
    simulator.edit('root', () => ({ expires: instantOf(simulator.now + 86_400) }));
    simulator.edit('timestamp', () => ({ expires: instantOf(simulator.now + 60 * 86_400) }));
  });
  expect(near).toEqual(['lint-expiry root', 'lint-expiry timestamp']);
});

test('a threshold of two with one key under two ids', async () => {
  const simulator = simulateRepository();
  simulator.delegate('targets', { name: 'brakes' });
  const other = parseKeyId('ab'.repeat(32));
  simulator.edit('targets', ({ delegations }) => {
    const [key] = delegations?.keys.values() ?? [];
    if (delegations === undefined || key === undefined) throw new Error('no key');
    const keys = new Map([...delegations.keys, [other, { ...key, keyId: other }] as const]);
    const twice = { name: 'brakes', keyIds: [key.keyId, other], threshold: 2 };
    return {
      delegations: { ...delegations, keys, roles: delegations.roles.map((one) => ({ ...one, roles: [twice] })) },
    };
  });
  simulator.publish();
  const found = lintTree(await trustingClient(simulator).update());
  expect(found.map(({ id, role }) => `${id} ${role}`)).toEqual(['lint-thresholds brakes']);
});

test('keys that serve no role', async () => {
  const found = await findings((simulator) => {
    simulator.delegate('targets', { name: 'brakes' });
    simulator.rotate('brakes', 2);
    simulator.edit('targets', ({ delegations }) => ({
      delegations: delegations && { ...delegations, roles: [] },
    }));
  });
  expect(found).toEqual(['lint-orphan-keys targets', 'lint-orphan-keys targets']);
});

test('a key that two roles share, a delegated one among them', async () => {
  const found = await findings((simulator) => {
    const timestamp = simulator.signers.get('timestamp');
    if (timestamp !== undefined) simulator.signers.set('brakes', timestamp);
    simulator.delegate('targets', { name: 'brakes' });
  });
  expect(found).toEqual(['lint-shared-keys timestamp']);
});

test('targets without a release counter or hardware ids, in delegated roles too', async () => {
  const found = await findings((simulator) => {
    simulator.delegate('targets', { name: 'brakes' });
    simulator.addTarget('pads.bin', 'pads', 'brakes');
    simulator.editDelegated('brakes', ({ targets }) => ({
      targets: new Map([...targets].map(([name, target]) => [name, { ...target, custom: undefined }])),
    }));
  });
  expect(found).toEqual(['lint-targets brakes']);
});

test('nothing in a good tree of dialect aktualizr, whose targets say nothing but hardware ids', async () => {
  const simulator = simulateRepository({ dialect: 'aktualizr' });
  simulator.delegate('targets', { name: 'brakes' });
  simulator.addTarget('pads.bin', 'pads', 'brakes');
  simulator.publish();
  const set = await trustingClient(simulator).update();
  const loaded = await loadDelegated({ source: sourceOf(simulator.files) }, set);
  expect(loaded.targets.size).toBe(2);
  expect(lintTree(loaded)).toEqual([]);
  const bare = simulator.bodies.targets.targets.keys().next().value ?? '';
  simulator.edit('targets', ({ targets }) => ({
    targets: new Map([...targets].map(([name, one]) => [name, name === bare ? { ...one, custom: undefined } : one])),
  }));
  simulator.publish();
  const found = lintTree(await trustingClient(simulator).update());
  expect(found.map(({ detail }) => detail)).toEqual([`${bare} has no hardware id`]);
});

test('a file over what known clients accept', async () => {
  const found = await findings((simulator) => {
    simulator.edit('targets', () => ({ custom: jsonMap({ padding: 'x'.repeat(5_000_000) }) }));
  });
  expect(found).toEqual(['lint-sizes targets']);
});

describe('what each known client accepts, to the byte', () => {
  const limits = [
    ['tuf', 'image', 'root', [65_536, 512_000]],
    ['tuf', 'image', 'timestamp', [16_384, 65_536]],
    ['tuf', 'image', 'snapshot', [65_536, 2_000_000]],
    ['tuf', 'image', 'targets', [5_000_000, 8_388_608]],
    ['tuf', 'director', 'targets', [65_536, 5_000_000]],
    ['aktualizr', 'image', 'root', [65_536]],
    ['aktualizr', 'image', 'timestamp', [65_536]],
    ['aktualizr', 'image', 'snapshot', [65_536]],
    ['aktualizr', 'image', 'targets', [8_388_608]],
    ['aktualizr', 'director', 'targets', [65_536]],
  ] as const;

  test.each(limits)('%s, %s, %s: %j', async (dialect, kind, role, accepted) => {
    const simulator = simulateRepository({ kind });
    const set = await trustingClient(simulator).update();
    const sized = (length: number): TrustedSet => {
      const resized = <T extends Envelope>(file: Verified<T>): Verified<T> => {
        const bytes = file.verified.signed.role === role ? new Uint8Array(length) : file.verified.bytes;
        return { ...file, verified: { ...file.verified, dialect, bytes } };
      };
      const targets = [...set.targets].map(([name, one]) => [name, { ...one, file: resized(one.file) }] as const);
      const { timestamp, snapshot } = set;
      const files = { timestamp: timestamp && resized(timestamp), snapshot: snapshot && resized(snapshot) };
      return { ...set, ...files, root: resized(set.root), targets: new Map(targets) };
    };
    const told = (length: number) => lintTree(sized(length)).filter(({ id }) => id === 'lint-sizes').length;
    for (const [index, limit] of accepted.entries()) {
      expect([told(limit), told(limit + 1)]).toEqual([index, index + 1]);
    }
  });
});

test('names unsafe as paths, or alike but for case', async () => {
  const found = await findings((simulator) => {
    simulator.addTarget('a/B.bin', 'one');
    simulator.addTarget('A/b.bin', 'two');
    simulator.delegate('targets', { name: '../up' });
  });
  expect(found).toEqual(['lint-paths targets', 'lint-paths ../up']);
});
