/** Delegations as values: read back, changed, put in order, listed by Targets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../core/errors.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import { testKey } from '../testing/signer-keys.ts';
import {
  binsOf,
  binsValue,
  bitLengthOf,
  changedTerms,
  checkedDelegation,
  delegationOf,
  delegationsPart,
  delegationValue,
  hybridUnlike,
  reordered,
  requirePatterns,
} from './delegations.ts';
import type { DelegationDefinition } from './delegations.ts';
import { firstDefinition } from './role-definition.ts';
import type { RoleDefinition } from './role-definition.ts';

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'nothing thrown';
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

function definition(name: string, algorithms?: readonly SignatureId[]): RoleDefinition {
  const text = String(Buffer.from(testKey(name, algorithms).publicFile));
  return firstDefinition(name, [{ name, text }], {});
}

const CLASSICAL = definition('plain', ['ecdsa-p256']);
const HYBRID = definition('both', ['ecdsa-p256', 'ml-dsa-65']);

function delegation(name: string, more: Partial<DelegationDefinition> = {}): DelegationDefinition {
  const roles = [{ name, definition: CLASSICAL }];
  return {
    name,
    position: 1,
    paths: [`${name}/*`],
    hardwareIds: undefined,
    terminating: false,
    roles,
    agreement: 1,
    ...more,
  };
}

test('U13: what is stored is read back as it was', () => {
  const text = fc.stringMatching(/^[a-z]{1,8}$/);
  const any = fc.record({
    position: fc.nat(),
    paths: fc.array(text, { minLength: 1 }),
    hardwareIds: fc.option(fc.array(text, { minLength: 1 }), { nil: undefined }),
    terminating: fc.boolean(),
    agreement: fc.constantFrom(1, 2),
  });
  const roles = [
    { name: 'a', definition: CLASSICAL },
    { name: 'b', definition: HYBRID },
  ];
  fc.assert(
    fc.property(any, (terms) => {
      const made = { name: 'x', roles, ...terms };
      const stored = JSON.parse(JSON.stringify(delegationValue(made))) as Record<string, unknown>;
      expect(delegationOf('x', stored)).toEqual(made);
    }),
    { numRuns: 30 },
  );
  const bins = { namePrefix: 'bins', bitLength: 7, definition: HYBRID };
  expect(binsOf('bins', JSON.parse(JSON.stringify(binsValue(bins))) as Record<string, unknown>)).toEqual(bins);
});

describe('T10: path patterns', () => {
  test.each(['*', 'a/*', 'a/?.bin', 'EV-1/*/*/*.bin', 'a._-b/*'])('%s is one', (pattern) => {
    expect(codeOf(() => requirePatterns([pattern]))).toBe('nothing thrown');
  });

  test.each(['', '/a', 'a/', 'a//b', '.', 'a/../b', 'a b', 'a\n', '[ab]', '{a}', 'é', 'a'.repeat(513), '**\\'])(
    '%j is none',
    (pattern) => {
      expect(codeOf(() => requirePatterns([pattern]))).toBe('PATH_PATTERN');
    },
  );

  test('one given twice is a slip', () => {
    expect(codeOf(() => requirePatterns(['a/*', 'a/*']))).toBe('PATH_PATTERN');
  });
});

describe('changes', () => {
  const none = { addPaths: [], removePaths: [] };

  test('paths come and go, but one must stay; hardware ids are replaced, or given up', () => {
    const before = delegation('fw', { hardwareIds: ['H1'] });
    const changed = changedTerms(before, {
      addPaths: ['x/*'],
      removePaths: ['fw/*'],
      hardwareIds: [],
      terminating: true,
    });
    expect(changed).toMatchObject({ paths: ['x/*'], hardwareIds: undefined, terminating: true });
    expect(changedTerms(before, none)).toEqual(before);
    expect(codeOf(() => changedTerms(before, { ...none, removePaths: ['fw/*'] }))).toBe('DELEGATION_FORM');
    expect(codeOf(() => changedTerms(before, { ...none, removePaths: ['other/*'] }))).toBe('PATH_PATTERN');
    expect(codeOf(() => changedTerms(before, { ...none, agreement: 2 }))).toBe('DELEGATION_FORM');
  });

  test('so many parts are too many', () => {
    const paths = Array.from({ length: 257 }, (_, index) => `p${index}/*`);
    expect(codeOf(() => checkedDelegation(delegation('fw', { paths })))).toBe('DELEGATION_FORM');
  });

  test('order: any place is reached, and only what moves is given', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(names, fc.nat(), fc.nat(), (all, which, where) => {
        const list = all.map((name, index) => delegation(name, { position: index + 1 }));
        const name = all[which % all.length] ?? '';
        const before = [...all.filter((one) => one !== name), undefined][where % all.length];
        const moved = new Map(reordered(list, name, before).map((one) => [one.name, one]));
        const next = list.map((one) => moved.get(one.name) ?? one).toSorted((a, b) => a.position - b.position);
        const rest = all.filter((one) => one !== name);
        const at = before === undefined ? rest.length : rest.indexOf(before);
        expect(next.map((one) => one.name)).toEqual(rest.toSpliced(at, 0, name));
        for (const one of moved.values()) expect(list).not.toContainEqual(one);
      }),
    );
    expect(codeOf(() => reordered([delegation('a')], 'a', 'nobody'))).toBe('DELEGATION_UNKNOWN');
  });
});

test('a number of bins is a power of two', () => {
  expect([2, 256, 65_536].map(bitLengthOf)).toEqual([1, 8, 16]);
  for (const wrong of [-2, 0, 1, 3, 2.5, 131_072, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(codeOf(() => bitLengthOf(wrong))).toBe('USAGE');
  }
});

describe('what Targets says', () => {
  const hybrid = delegation('h', { roles: [{ name: 'h', definition: HYBRID }] });

  test('nothing where nothing is delegated', () => {
    expect(delegationsPart({ delegations: [], bins: undefined })).toEqual({
      delegations: undefined,
      hybrid: undefined,
    });
  });

  test('keys of both families where all are hybrid; the classical ones alone otherwise', () => {
    const all = delegationsPart({ delegations: [hybrid], bins: undefined });
    expect([...(all.hybrid?.roles.keys() ?? [])]).toEqual(['h']);
    expect(all.delegations?.roles.map(({ name }) => name)).toEqual(['h']);
    expect(delegationsPart({ delegations: [delegation('c')], bins: undefined }).hybrid).toBeUndefined();
    const bins = { namePrefix: 'bins', bitLength: 3, definition: HYBRID };
    const part = delegationsPart({ delegations: [], bins });
    expect(part.delegations?.succinct).toMatchObject({ namePrefix: 'bins', bitLength: 3, threshold: 1 });
    expect([...(part.hybrid?.roles.keys() ?? [])]).toEqual(['bins']);
  });

  test('mixed keys are told, and classical ones under a hybrid delegator', () => {
    const mixed = { delegations: [hybrid, delegation('c')], bins: undefined };
    expect(hybridUnlike('targets', mixed, false)?.code).toBe('HYBRID_INCOMPLETE');
    const classical = { delegations: [delegation('c')], bins: undefined };
    expect(hybridUnlike('targets', classical, true)?.details['role']).toBe('c');
    expect(hybridUnlike('targets', classical, false)).toBeUndefined();
    expect(hybridUnlike('targets', { delegations: [hybrid], bins: undefined }, true)).toBeUndefined();
  });
});
