import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf } from '../core/brands.ts';
import { isFailure } from '../core/errors.ts';
import { testKey } from '../testing/signer-keys.ts';
import { defaultLifetimeSeconds, expiryOf, isDue } from './lifetime.ts';
import { reasonsFor, sameListing, signingOrder } from './next-version.ts';
import type { RoleSituation } from './next-version.ts';
import { isComplete, maySign, thresholdStates } from './quorum.ts';
import type { Authority, SignedBy } from './quorum.ts';
import { changedDefinition, definitionOf, definitionValue, firstDefinition, keyIdsOf } from './role-definition.ts';
import type { PublicFile } from './role-definition.ts';

const KEYS = ['a', 'b', 'c', 'd'] as const;
const SIGNED: fc.Arbitrary<SignedBy> = fc.record({
  section: fc.constantFrom('classical', 'post-quantum'),
  keyId: fc.constantFrom(...KEYS, 'stranger'),
});

function authority(name: string, needed: number, keyIds: readonly string[]): Authority {
  const threshold = { needed, keyIds };
  return {
    name,
    thresholds: [
      { section: 'classical', ...threshold },
      { section: 'post-quantum', ...threshold },
    ],
  };
}

describe('thresholds', () => {
  test('are met exactly when enough distinct keys of the role signed, in both sections', () => {
    const property = fc.property(fc.array(SIGNED), fc.integer({ min: 1, max: 3 }), (signatures, needed) => {
      const states = thresholdStates([authority('root 1', needed, ['a', 'b', 'c'])], signatures);
      const distinct = (section: string): number =>
        new Set(signatures.filter((s) => s.section === section && 'abc'.includes(s.keyId)).map((s) => s.keyId)).size;
      expect(isComplete(states)).toBe(distinct('classical') >= needed && distinct('post-quantum') >= needed);
      for (const state of states) {
        const met = state.signed.length >= state.needed;
        expect(state.missing.length === 0 || !met).toBe(true);
        expect(met || state.missing.length + state.signed.length === 3).toBe(true);
      }
    });
    fc.assert(property);
  });

  test('more signatures never make a version incomplete', () => {
    const property = fc.property(fc.array(SIGNED), fc.array(SIGNED), (some, more) => {
      const authorities = [authority('root 1', 2, ['a', 'b']), authority('root 2', 1, ['b', 'c'])];
      const before = isComplete(thresholdStates(authorities, some));
      expect(isComplete(thresholdStates(authorities, [...some, ...more])) || !before).toBe(true);
    });
    fc.assert(property);
  });

  test('of no authority at all are never met', () => {
    expect(isComplete(thresholdStates([], []))).toBe(false);
    expect(maySign([], { section: 'classical', keyId: 'a' })).toBe(false);
    expect(maySign([authority('root 1', 1, ['a'])], { section: 'post-quantum', keyId: 'a' })).toBe(true);
  });
});

describe('lifetimes', () => {
  test('default to 365, 90, 30 and 1 days; a delegation lives as long as Targets', () => {
    const days = ['root', 'targets', 'snapshot', 'timestamp', 'bundles'].map(
      (role) => defaultLifetimeSeconds(role) / 86_400,
    );
    expect(days).toEqual([365, 90, 30, 1, 90]);
  });

  test('are due under half of them, or within what is asked', () => {
    const from = instantOf(1_000_000);
    const life = { from, expires: expiryOf(from, 1000) };
    expect(isDue(life, instantOf(1_000_500))).toBe(false);
    expect(isDue(life, instantOf(1_000_501))).toBe(true);
    expect(isDue(life, instantOf(1_000_899), 100)).toBe(false);
    expect(isDue(life, instantOf(1_000_900), 100)).toBe(true);
    expect(isDue(life, instantOf(2_000_000))).toBe(true);
    expect(isDue(life, instantOf(2_000_000), 0)).toBe(true);
  });
});

describe('next versions', () => {
  const quiet: RoleSituation = {
    hasComplete: true,
    hasStaged: false,
    listsCurrent: true,
    meetsThresholds: true,
    due: false,
  };

  test('are made for a reason, or not at all', () => {
    expect(reasonsFor(quiet, 'sign')).toEqual([]);
    expect(reasonsFor({ ...quiet, due: true }, 'sign')).toEqual([]);
    expect(reasonsFor({ ...quiet, due: true }, 'renew')).toEqual(['due']);
    expect(reasonsFor({ ...quiet, hasStaged: true }, 'sign')).toEqual(['staged']);
    expect(reasonsFor({ ...quiet, hasStaged: true }, 'renew')).toEqual([]);
    expect(reasonsFor({ ...quiet, listsCurrent: false, meetsThresholds: false }, 'renew')).toEqual(['listed', 'keys']);
    expect(reasonsFor({ ...quiet, hasComplete: false }, 'sign')).toEqual(['first']);
    expect(reasonsFor({ ...quiet, hasComplete: false }, 'renew')).toEqual([]);
  });

  test('come in the order in which one lists the other', () => {
    const roles = ['timestamp', 'zulu', 'targets', 'root', 'bundles', 'snapshot'].map((name) => ({ name }));
    const order = ['root', 'targets', 'bundles', 'zulu', 'snapshot', 'timestamp'];
    expect(signingOrder(roles).map(({ name }) => name)).toEqual(order);
    const nested = signingOrder(roles, (name) => (name === 'bundles' ? 2 : 1)).map(({ name }) => name);
    expect(nested).toEqual(['root', 'targets', 'zulu', 'bundles', 'snapshot', 'timestamp']);
  });

  test('of Snapshot come when a listed version differs, is new or is gone', () => {
    const listing = new Map([['targets', 1]]);
    expect(sameListing(listing, new Map([['targets', 1]]))).toBe(true);
    expect(sameListing(listing, new Map([['targets', 2]]))).toBe(false);
    expect(sameListing(listing, new Map([...listing, ['bundles', 1]]))).toBe(false);
    expect(sameListing(listing, new Map())).toBe(false);
  });
});

describe('keys of a role', () => {
  const file = (name: string): PublicFile => ({ name, text: testKey(name).publicFile });
  const codeOf = (work: () => unknown): string => {
    try {
      work();
    } catch (thrown) {
      if (isFailure(thrown)) return thrown.code;
      throw thrown;
    }
    return 'nothing thrown';
  };

  test('survive the store', () => {
    const definition = firstDefinition('root', [file('ada'), file('bob')], { threshold: 2, lifetimeSeconds: 3600 });
    const stored = JSON.parse(JSON.stringify(definitionValue(definition))) as Readonly<Record<string, unknown>>;
    expect(definitionOf(stored)).toEqual(definition);
    expect(definition.members.map(({ holder }) => holder)).toEqual(['ada', 'bob']);
  });

  test('are replaced in place, by an id or its first eight digits', () => {
    const before = firstDefinition('root', [file('ada'), file('bob'), file('cy')], { threshold: 2 });
    const [ada, bob] = before.members.map((member) => keyIdsOf(member)[0] ?? '');
    const nothing = { add: [], remove: [], replace: [] };
    const after = changedDefinition('root', before, {
      ...nothing,
      replace: [{ old: (ada ?? '').slice(0, 8), publicFile: file('dan') }],
      remove: [bob ?? ''],
    });
    expect(after.members.map(({ holder }) => holder)).toEqual(['dan', 'cy']);
    expect(after).toMatchObject({ threshold: 2, lifetimeSeconds: before.lifetimeSeconds });
    expect(codeOf(() => changedDefinition('root', before, { ...nothing, remove: [(ada ?? '').slice(0, 7)] }))).toBe(
      'KEY_NOT_IN_ROLE',
    );
    expect(codeOf(() => changedDefinition('root', before, { ...nothing, remove: [ada ?? '', bob ?? ''] }))).toBe(
      'THRESHOLD_UNREACHABLE',
    );
    expect(codeOf(() => changedDefinition('root', before, { ...nothing, add: [file('cy')] }))).toBe('KEY_DUPLICATE');
    expect(codeOf(() => changedDefinition('root', before, { ...nothing, threshold: 0 }))).toBe('THRESHOLD_UNREACHABLE');
  });
});
