import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import type { CeremonyPlan } from '../../formats/ceremony-plan.ts';
import { parseKeyId } from '../../core/brands.ts';
import { ceremonyState } from './progress.ts';
import type { StepRecord } from './progress.ts';
import { ceremonySteps, rootsOf } from './steps.ts';

const person = (initials: string) => ({ name: `Person ${initials}`, initials });
const role = (name: CeremonyPlan['roles'][number]['role']) => ({
  role: name,
  keys: [{ file: `${name}.pub`, keyId: parseKeyId('ab'.repeat(32)) }],
  threshold: 1,
});
const planOf = (over: Partial<CeremonyPlan> = {}): CeremonyPlan => ({
  title: 'Root',
  date: '2026-12-01',
  place: 'Plant 1',
  repository: 'Example Motors',
  scheme: 'hybrid',
  dialect: 'tuf',
  administrator: person('GH'),
  custodians: ['AL', 'EC', 'JC'].map((i) => ({ ...person(i), medium: `media/${i}`, signer: 'file' })),
  witnesses: [],
  threshold: 2,
  expiresDays: 365,
  backup: { shares: 3, threshold: 2 },
  diceRolls: 0,
  roles: [role('targets'), role('snapshot'), role('timestamp')],
  ...over,
});

const recordsUpTo = (plan: CeremonyPlan, count: number): StepRecord[] =>
  ceremonySteps(plan)
    .slice(0, count)
    .map((step) => ({ step: step.id, outcome: 'done' }));

const broken = (plan: CeremonyPlan, records: readonly StepRecord[]): boolean => {
  try {
    ceremonyState(ceremonySteps(plan), records);
    return false;
  } catch (error) {
    return isFailure(error, 'TRANSCRIPT_BROKEN');
  }
};

describe('the steps of a ceremony', () => {
  test('have unique ids, begin with the people and end with the close', () => {
    const ids = ceremonySteps(planOf()).map((step) => step.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([ids[0], ids.at(-1)]).toEqual(['open', 'close']);
  });

  test('give every custodian a key of each repository, with backup and drill where the key is a file', () => {
    const custodians = [
      { ...person('AL'), medium: 'a', signer: 'file' },
      { ...person('EC'), medium: 'b', signer: 'pkcs11:token=x' },
    ];
    const ids = ceremonySteps(planOf({ custodians })).map((step) => step.id);
    for (const root of ['image', 'director']) {
      expect(ids).toEqual(expect.arrayContaining([`generate:AL:${root}`, `drill:AL:${root}`, `possess:EC:${root}`]));
      expect(ids).not.toContain(`backup:EC:${root}`);
    }
  });

  test('sign a Director root only where its roles are brought along', () => {
    expect(rootsOf(planOf())).toEqual(['image']);
    const director = (['director/targets', 'director/snapshot', 'director/timestamp'] as const).map(role);
    expect(rootsOf(planOf({ roles: [...planOf().roles, ...director] }))).toEqual(['image', 'director']);
  });
});

describe('where a ceremony stands', () => {
  test('is the first step that is not done, after any interruption', () => {
    const steps = ceremonySteps(planOf());
    for (let done = 0; done < steps.length; done++) {
      const state = ceremonyState(steps, recordsUpTo(planOf(), done));
      expect(state).toMatchObject({ kind: 'next', step: { id: steps[done]?.id }, done, total: steps.length });
    }
    expect(ceremonyState(steps, recordsUpTo(planOf(), steps.length))).toEqual({ kind: 'finished' });
  });

  test('a failed step is taken again, and an abort is the end', () => {
    const steps = ceremonySteps(planOf());
    const failed: StepRecord[] = [...recordsUpTo(planOf(), 1), { step: 'self-check', outcome: 'failed' }];
    expect(ceremonyState(steps, failed)).toMatchObject({ kind: 'next', step: { id: 'self-check' } });
    expect(ceremonyState(steps, [...failed, { step: 'self-check', outcome: 'aborted' }])).toEqual({ kind: 'aborted' });
  });

  test('records out of order, twice, of another plan, or after an abort are refused', () => {
    const all = recordsUpTo(planOf(), 99);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: all.length - 2 }),
        fc.integer({ min: 1, max: all.length - 1 }),
        (at, by) => {
          const other = all[(at + by) % all.length] ?? { step: 'x', outcome: 'done' };
          expect(broken(planOf(), [...all.slice(0, at), other])).toBe(true);
        },
      ),
    );
    expect(broken(planOf(), [...all, { step: 'close', outcome: 'done' }])).toBe(true);
    expect(
      broken(planOf(), [
        { step: 'open', outcome: 'aborted' },
        { step: 'open', outcome: 'done' },
      ]),
    ).toBe(true);
  });
});
