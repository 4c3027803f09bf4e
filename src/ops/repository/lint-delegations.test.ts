/** What lint says of delegations. */
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../../core/brands.ts';
import { binOf } from '../../formats/metadata/path-pattern.ts';
import { simulateRepository } from '../../testing/simulator.ts';
import type { Simulator } from '../../testing/simulator.ts';
import { sourceOf } from '../../testing/trust-source.ts';
import { trustingClient } from '../../testing/trusting-client.ts';
import { loadDelegated } from '../../trust/find-target.ts';
import { lintDelegations } from './lint-delegations.ts';

async function linted(simulator: Simulator): Promise<readonly string[]> {
  simulator.publish();
  const source = sourceOf(simulator.files);
  const set = await loadDelegated({ source }, await trustingClient(simulator).update({ source }));
  return lintDelegations(set).map(({ role, detail }) => `${role} ${detail}`);
}

describe('delegations', () => {
  test('in order: nothing is said', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'fw', paths: ['fw/*'] });
    simulator.addTarget('fw/a.bin', 'a', 'fw');
    expect(await linted(simulator)).toEqual([]);
  });

  test('a target that stayed with the delegator', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'fw', paths: ['fw/*'] });
    simulator.addTarget('fw/a.bin', 'a');
    expect(await linted(simulator)).toEqual(['targets lists fw/a.bin, whose path it delegates to fw']);
  });

  test('the same beside bins', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'fw', paths: ['fw/*'] });
    const bins = { namePrefix: 'bins', bitLength: 1 };
    simulator.delegateBins('fw', bins);
    simulator.addTarget('fw/a.bin', 'a', 'fw');
    const own = binOf('native', bins, parseTargetName('fw/a.bin'));
    expect(await linted(simulator)).toEqual([`fw lists fw/a.bin, whose path it delegates to ${own}`]);
  });

  test('a target outside what was delegated, and a delegation behind a terminating one', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'fw', paths: ['fw/*'], terminating: true });
    simulator.delegate('targets', { name: 'late', paths: ['fw/*'] });
    simulator.addTarget('other/a.bin', 'a', 'fw');
    expect(await linted(simulator)).toEqual([
      'targets never asks late: a terminating delegation has its paths',
      'fw lists other/a.bin, which is not delegated to it',
    ]);
  });
});
