/** Delegations by hardware, by hash, to bins, to several roles at once, and under hybrid delegators. */
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import { jsonMap } from '../formats/json/json.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { sourceOf } from '../testing/trust-source.ts';
import { trustingClient } from '../testing/trusting-client.ts';
import { NAME, whoLists } from '../testing/who-lists.ts';
import { binOf } from '../formats/metadata/path-pattern.ts';

describe('U13 U35: hardware ids', () => {
  test('a delegation for some hardware lists targets for that hardware only', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'x', paths: ['a/*'], hardwareIds: ['HW-1'] });
    simulator.delegate('targets', { name: 'y', paths: ['a/*'], hardwareIds: ['HW-2'] });
    simulator.addTarget(NAME, 'for HW-1', 'y');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
    simulator.addTarget(NAME, 'for HW-1', 'x');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('x');
    expect(await whoLists(simulator, NAME, 'HW-1')).toBe('x');
    expect(await whoLists(simulator, NAME, 'HW-2')).toBe('none');
  });

  test('a target without hardware ids, or with one too many, is passed over', async () => {
    for (const hardwareIds of [undefined, [], ['HW-1', 'HW-3']]) {
      const simulator = simulateRepository();
      simulator.delegate('targets', { name: 'x', paths: ['a/*'], hardwareIds: ['HW-1', 'HW-2'] });
      const target = simulator.addTarget(NAME, 'bytes', 'x');
      const changed = { ...target, custom: jsonMap({ hardwareIds }) };
      simulator.editDelegated('x', ({ targets }) => ({ targets: new Map(targets).set(NAME, changed) }));
      simulator.publish();
      expect(await whoLists(simulator)).toBe('none');
    }
  });

  test('restrictions add up along the chain', async () => {
    const simulator = simulateRepository();
    simulator.delegate('targets', { name: 'x', paths: ['a/*'], hardwareIds: ['HW-2'] });
    simulator.delegate('x', { name: 'deep', paths: ['a/*'], hardwareIds: ['HW-1', 'HW-2'] });
    simulator.addTarget(NAME, 'for HW-1', 'deep');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
  });
});

describe('TAP 15: hashed bins', () => {
  test.each([1, 3, 4, 8])('2^%i bins: the right one alone is fetched, and found in', async (bitLength) => {
    const simulator = simulateRepository({ hybrid: bitLength === 3 });
    const bins = { namePrefix: 'bin', bitLength };
    simulator.delegateBins('targets', bins);
    const bin = binOf('native', bins, parseTargetName(NAME));
    simulator.addTarget(NAME, 'in a bin', bin);
    simulator.publish();
    const source = sourceOf(simulator.files);
    const { found } = await trustingClient(simulator).find(NAME, { source });
    expect(found?.verified.chain).toEqual(['targets', bin]);
    expect(source.asked.at(-1)).toBe(`1.${bin}.json`);
    expect(source.asked.filter((name) => name.includes('bin-'))).toHaveLength(1);
    expect(await whoLists(simulator, 'a/absent.bin')).toBe('none');
  });

  test('a target in another bin than its own is not found', async () => {
    const simulator = simulateRepository();
    const bins = { namePrefix: 'bin', bitLength: 1 };
    simulator.delegateBins('targets', bins);
    const wrong = binOf('native', bins, parseTargetName(NAME)) === 'bin-0' ? 'bin-1' : 'bin-0';
    simulator.addTarget(NAME, 'misplaced', wrong);
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
  });
});

describe('path_hash_prefixes', () => {
  test('match by the hash of the name', async () => {
    const simulator = simulateRepository();
    const prefixes = Array.from({ length: 8 }, (_, i) => i.toString(16));
    const others = Array.from({ length: 8 }, (_, i) => (i + 8).toString(16));
    simulator.delegate('targets', { name: 'low', scope: { hashPrefixes: prefixes } });
    simulator.delegate('targets', { name: 'high', scope: { hashPrefixes: others } });
    for (const role of ['low', 'high']) simulator.addTarget(NAME, `of ${role}`, role);
    simulator.publish();
    const index = Number.parseInt(
      binOf('native', { namePrefix: 'b', bitLength: 1 }, parseTargetName(NAME)).slice(2),
      16,
    );
    expect(await whoLists(simulator)).toBe(index === 0 ? 'low' : 'high');
  });
});

describe('TAP 3 U36: roles that must agree', () => {
  /** Roles `qa`, `dev`, `ci` list these contents (`-` for nothing); so many must agree. */
  function agreeing(contents: readonly string[], minRolesInAgreement: number, terminating = false): Simulator {
    const simulator = simulateRepository();
    const roles = ['qa', 'dev', 'ci'].slice(0, contents.length);
    simulator.delegate('targets', { name: 'both', paths: ['a/*'], roles, minRolesInAgreement, terminating });
    simulator.delegate('targets', { name: 'after', paths: ['a/*'] });
    simulator.addTarget(NAME, 'of after', 'after');
    for (const [index, role] of roles.entries()) {
      if (contents[index] !== '-') simulator.addTarget(NAME, contents[index] ?? '', role);
    }
    simulator.publish();
    return simulator;
  }

  test('all agree: found, with the policy of each', async () => {
    const { found } = await trustingClient(agreeing(['same', 'same'], 2)).find(NAME);
    expect(found?.verified.policies.map(({ role }) => role)).toEqual(['qa', 'dev']);
  });

  test('two of three agree: the most prior content with enough votes wins', async () => {
    const { found } = await trustingClient(agreeing(['lonely', 'same', 'same'], 2)).find(NAME);
    expect(found?.verified.policies.map(({ role }) => role)).toEqual(['dev', 'ci']);
  });

  test('too few agree, or one is silent: refused, and no later delegation steps in', async () => {
    expect(await whoLists(agreeing(['one', 'two'], 2))).toBe('TRUST_TARGET_DISAGREEMENT');
    expect(await whoLists(agreeing(['one', '-'], 2))).toBe('TRUST_TARGET_DISAGREEMENT');
  });

  test('none lists it: the search goes on, unless the delegation is terminating', async () => {
    expect(await whoLists(agreeing(['-', '-'], 2))).toBe('after');
    expect(await whoLists(agreeing(['-', '-'], 2, true))).toBe('none');
  });

  test('one that cannot be verified stops the search, even where the others agree', async () => {
    const simulator = agreeing(['same', 'same', 'same'], 2);
    simulator.signers.set('ci', simulator.signers.get('timestamp') ?? never());
    simulator.publish();
    expect(await whoLists(simulator)).toBe('TRUST_THRESHOLD');
  });
});

describe('hybrid delegations', () => {
  test('classical keys of a delegated role alone do not sign it, of bins neither', async () => {
    for (const bins of [false, true]) {
      const simulator = simulateRepository({ hybrid: true });
      const shape = { namePrefix: 'bin', bitLength: 1 };
      if (bins) simulator.delegateBins('targets', shape);
      else simulator.delegate('targets', { name: 'x', paths: ['a/*'] });
      const role = bins ? binOf('native', shape, parseTargetName(NAME)) : 'x';
      simulator.addTarget(NAME, 'bytes', role);
      simulator.publish();
      expect(await whoLists(simulator)).toBe(role);
      const { classical = [] } = simulator.signers.get(role) ?? {};
      simulator.signers.set(role, { classical, postQuantum: [], threshold: 1 });
      simulator.publish();
      expect(await whoLists(simulator)).toBe('TRUST_HYBRID_THRESHOLD');
    }
  });

  test('a hybrid delegator that gives no post-quantum keys is refused', async () => {
    const simulator = simulateRepository({ hybrid: true });
    simulator.delegate('targets', { name: 'x', paths: ['a/*'] });
    simulator.addTarget(NAME, 'bytes', 'x');
    simulator.edit('targets', ({ extension }) => ({ extension: extension && { ...extension, hybrid: undefined } }));
    simulator.publish();
    expect(await whoLists(simulator)).toBe('TRUST_HYBRID_MISSING');
  });

  test('one delegation dropped from the section is refused', async () => {
    const simulator = simulateRepository({ hybrid: true });
    simulator.delegate('targets', { name: 'x', paths: ['a/*'] });
    simulator.delegate('targets', { name: 'y', paths: ['a/*'] });
    simulator.edit('targets', ({ extension }) => {
      const roles = new Map(extension?.hybrid?.roles);
      roles.delete('y');
      return { extension: extension?.hybrid && { ...extension, hybrid: { ...extension.hybrid, roles } } };
    });
    simulator.publish();
    expect(await whoLists(simulator)).toBe('METADATA_HYBRID_INCOMPLETE');
  });
});

function never(): never {
  throw new Error('not there');
}
