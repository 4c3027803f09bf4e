/** What lint finds in trees that verify, and that it finds nothing in a good one. */
import { expect, test } from 'vitest';
import { instantOf, parseKeyId } from '../../core/brands.ts';
import { jsonMap } from '../../formats/json/json.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import type { Simulator } from '../../testing/simulator.ts';
import { sourceOf } from '../../testing/trust-source.ts';
import { trustingClient } from '../../testing/trusting-client.ts';
import { loadDelegated } from '../../trust/find-target.ts';
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

test('a file over what known clients accept', async () => {
  const found = await findings((simulator) => {
    simulator.edit('targets', () => ({ custom: jsonMap({ padding: 'x'.repeat(5_000_000) }) }));
  });
  expect(found).toEqual(['lint-sizes targets']);
});

test('names unsafe as paths, or alike but for case', async () => {
  const found = await findings((simulator) => {
    simulator.addTarget('a/B.bin', 'one');
    simulator.addTarget('A/b.bin', 'two');
    simulator.delegate('targets', { name: '../up' });
  });
  expect(found).toEqual(['lint-paths targets', 'lint-paths ../up']);
});
