/** The search through delegations. */
import { describe, expect, test } from 'vitest';
import { instantOf, parseTargetName } from '../core/brands.ts';
import { simulateRepository } from '../testing/simulator.ts';
import type { Simulator } from '../testing/simulator.ts';
import { sourceOf } from '../testing/trust-source.ts';
import { outcomeOf, trustingClient } from '../testing/trusting-client.ts';
import { NAME, whoLists } from '../testing/who-lists.ts';
import { findTarget, requireTarget } from './find-target.ts';

/** A repository with delegations `from>name:pattern`, `!` for terminating. */
function delegating(...delegations: readonly string[]): Simulator {
  const simulator = simulateRepository();
  for (const text of delegations) {
    const [from = '', rest = ''] = text.split('>');
    const [name = '', pattern = 'a/*'] = rest.split(':');
    simulator.delegate(from, { name: name.replace('!', ''), paths: [pattern], terminating: name.endsWith('!') });
  }
  return simulator;
}

describe('T8 U35: pre-order', () => {
  test('Targets itself comes first', async () => {
    const simulator = delegating('targets>x');
    simulator.addTarget(NAME, 'of x', 'x');
    simulator.addTarget(NAME, 'of targets');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('targets');
  });

  test('the first delegation wins, and its own delegations come before the second', async () => {
    const simulator = delegating('targets>x', 'targets>y', 'x>deep');
    simulator.addTarget(NAME, 'of deep', 'deep');
    simulator.addTarget(NAME, 'of y', 'y');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('deep');
    simulator.addTarget(NAME, 'of x', 'x');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('x');
  });

  test('the order is that of the list, for names that look like integers too', async () => {
    const simulator = delegating('targets>9', 'targets>1');
    simulator.addTarget(NAME, 'of 1', '1');
    simulator.addTarget(NAME, 'of 9', '9');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('9');
  });

  test('a path must be allowed along the whole chain, and * does not cross /', async () => {
    const simulator = delegating('targets>x:b/*', 'x>deep:a/*', 'targets>y:*');
    for (const role of ['x', 'deep', 'y']) simulator.addTarget(NAME, `of ${role}`, role);
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
  });

  test('a role that is not asked for its paths is not even fetched', async () => {
    const simulator = delegating('targets>x:b/*', 'targets>y');
    simulator.addTarget(NAME, 'of y', 'y');
    simulator.publish();
    const source = sourceOf(simulator.files);
    await trustingClient(simulator).find(NAME, { source });
    expect(source.asked.slice(-2)).toEqual(['2.targets.json', '1.y.json']);
  });

  test('a cycle ends', async () => {
    const simulator = delegating('targets>x', 'x>y', 'y>x', 'y>z');
    simulator.addTarget(NAME, 'of z', 'z');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('z');
    expect(await whoLists(simulator, 'a/other.bin')).toBe('none');
  });

  test('no entry: no target, and the one that must be there is refused', async () => {
    const simulator = delegating('targets>x');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
    const client = trustingClient(simulator);
    const set = await client.update();
    const search = requireTarget({ source: sourceOf(simulator.files) }, set, { name: parseTargetName(NAME) });
    expect(await outcomeOf(search)).toBe('TRUST_TARGET_NOT_FOUND');
  });
});

describe('terminating delegations', () => {
  test('end the search when their subtree has no result', async () => {
    const simulator = delegating('targets>x!', 'targets>y');
    simulator.addTarget(NAME, 'of y', 'y');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
  });

  test('deep down, they end the search at the top, too', async () => {
    const simulator = delegating('targets>x', 'targets>y', 'x>deep!');
    simulator.addTarget(NAME, 'of y', 'y');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('none');
  });

  test('do not end the search for what they are not for', async () => {
    const simulator = delegating('targets>x!:b/*', 'targets>y');
    simulator.addTarget(NAME, 'of y', 'y');
    simulator.publish();
    expect(await whoLists(simulator)).toBe('y');
  });
});

describe('limits', () => {
  test('so many roles', async () => {
    const simulator = delegating(...Array.from({ length: 6 }, (_, i) => `targets>r${i}`));
    simulator.addTarget(NAME, 'last', 'r5');
    simulator.publish();
    const find = (delegationsMax: number) => trustingClient(simulator).find(NAME, { limits: { delegationsMax } });
    expect(await outcomeOf(find(6))).toBe('done');
    expect(await outcomeOf(find(5))).toBe('TRUST_LIMIT');
  });

  test('so deep', async () => {
    const simulator = delegating('targets>r0', ...Array.from({ length: 5 }, (_, i) => `r${i}>r${i + 1}`));
    simulator.addTarget(NAME, 'deepest', 'r5');
    simulator.publish();
    const find = (delegationDepthMax: number) =>
      trustingClient(simulator).find(NAME, { limits: { delegationDepthMax } });
    expect(await outcomeOf(find(6))).toBe('done');
    expect(await outcomeOf(find(5))).toBe('TRUST_LIMIT');
  });

  test('visits of agreeing roles count together, whatever branches they are in', async () => {
    const simulator = simulateRepository();
    let level = ['targets'];
    for (let depth = 0; depth < 4; depth++) {
      const pair = [`l${depth}`, `r${depth}`];
      for (const from of level) simulator.delegate(from, { name: `d${depth}`, paths: ['a/*'], roles: pair });
      level = pair;
    }
    simulator.publish();
    const find = (delegationsMax: number) => trustingClient(simulator).find(NAME, { limits: { delegationsMax } });
    expect(await outcomeOf(find(30))).toBe('done');
    expect(await outcomeOf(find(29))).toBe('TRUST_LIMIT');
  });
});

describe('U34 U35: a delegated role is verified like Targets', () => {
  const attacks: readonly (readonly [string, string, (simulator: Simulator) => void])[] = [
    ['expired', 'TRUST_EXPIRED', (s) => s.editDelegated('x', () => ({ expires: s.now }))],
    ['signed by others', 'TRUST_THRESHOLD', (s) => s.signers.set('x', s.signers.get('timestamp') ?? never())],
    ['of another repository', 'TRUST_WRONG_REPOSITORY', (s) => s.editDelegated('x', () => ({ extension: undefined }))],
  ];

  test.each(attacks)('%s: %s, on first load', async (_, code, change) => {
    const simulator = delegating('targets>x');
    simulator.addTarget(NAME, 'of x', 'x');
    change(simulator);
    simulator.publish();
    expect(await whoLists(simulator)).toBe(code);
  });

  test('missing from the tree, or from Snapshot', async () => {
    const simulator = delegating('targets>x');
    simulator.publish();
    simulator.files.delete('1.x.json');
    expect(await whoLists(simulator)).toBe('TRUST_FILE_MISSING');
    simulator.edit('snapshot', ({ meta }) => ({ meta: new Map([...meta].filter(([name]) => name !== 'x.json')) }));
    simulator.publishSnapshot();
    expect(await whoLists(simulator)).toBe('TRUST_FILE_MISSING');
  });

  test('another version than Snapshot lists', async () => {
    const simulator = delegating('targets>x');
    simulator.publish();
    simulator.publish();
    simulator.files.set('2.x.json', simulator.files.get('1.x.json') ?? never());
    expect(await whoLists(simulator)).toBe('TRUST_MIX_AND_MATCH');
  });

  test('a stored one that expired since is refused', async () => {
    const simulator = delegating('targets>x');
    simulator.addTarget(NAME, 'of x', 'x');
    simulator.editDelegated('x', () => ({ expires: parseSoon(simulator) }));
    simulator.publish();
    const client = trustingClient(simulator);
    expect((await client.find(NAME)).found?.verified.role).toBe('x');
    const later = parseSoon(simulator);
    expect(await outcomeOf(client.find(NAME, { now: later }))).toBe('TRUST_EXPIRED');
  });

  test('a cached role met again under another delegator is verified again', async () => {
    const simulator = delegating('targets>x:a/*', 'targets>y:b/*', 'x>shared:a/*', 'y>shared:b/*');
    const [own] = [simulator.signers.get('shared') ?? never()];
    simulator.signers.set('shared', simulator.signers.get('timestamp') ?? never());
    simulator.delegate('y', { name: 'other', paths: ['b/*'] });
    simulator.signers.set('shared', own);
    simulator.addTarget('a/1', 'one', 'shared');
    simulator.addTarget('b/1', 'two', 'shared');
    simulator.publish();
    const source = sourceOf(simulator.files);
    const client = trustingClient(simulator);
    const { set, found } = await client.find('a/1', { source });
    expect(found?.verified.role).toBe('shared');
    const again = findTarget({ source }, set, { name: parseTargetName('b/1') });
    expect(await outcomeOf(again)).toBe('TRUST_THRESHOLD');
  });
});

describe('unusual role names', () => {
  test.each(['?', '#', '/a', '../a', 'a%2Fb', 'naïve ✓', "it's(*)!", '.', '__proto__', 'constructor'])(
    '%s is one percent-encoded file, on the wire and in the store',
    async (role) => {
      const simulator = simulateRepository();
      simulator.delegate('targets', { name: role, paths: ['a/*'] });
      simulator.addTarget(NAME, 'bytes', role);
      simulator.publish();
      const source = sourceOf(simulator.files);
      const client = trustingClient(simulator);
      expect((await client.find(NAME, { source })).found?.verified.role).toBe(role);
      expect(source.asked.at(-1)).toMatch(/^1\.[A-Za-z0-9%._~-]+\.json$/);
      expect(client.store.files.has(role)).toBe(true);
    },
  );
});

function parseSoon(simulator: Simulator): Simulator['now'] {
  return instantOf(simulator.now + 3600);
}

function never(): never {
  throw new Error('not there');
}
