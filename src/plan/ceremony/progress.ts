/**
 * Where a ceremony stands, worked out from its transcript alone: what was done, what comes next, whether it was given up.
 *
 * Invariant: nothing but the plan and the entries is needed, so that a ceremony interrupted anywhere goes on from there.
 */
import { failure } from '../../core/errors.ts';
import type { CeremonyStep } from './steps.ts';

/** What progress needs of a transcript's entry. */
export interface StepRecord {
  /** A step's id. */
  readonly step: string;
  readonly outcome: 'done' | 'failed' | 'aborted';
}

/** Where a ceremony stands. */
export type CeremonyState =
  | { readonly kind: 'next'; readonly step: CeremonyStep; readonly done: number; readonly total: number }
  | { readonly kind: 'finished' }
  | { readonly kind: 'aborted' };

/**
 * Works out the state after `records`, which must follow the order of `steps`: each step done once, failures of the
 * step at hand in between, at most one abort at the end.
 *
 * @throws TRANSCRIPT_BROKEN where the records are not of these steps in this order
 */
export function ceremonyState(steps: readonly CeremonyStep[], records: readonly StepRecord[]): CeremonyState {
  let done = 0;
  let aborted = false;
  for (const [index, record] of records.entries()) {
    const expected = steps[done];
    if (aborted || expected === undefined || record.step !== expected.id) {
      const wanted = aborted ? 'nothing after the abort' : (expected?.id ?? 'nothing after the end');
      throw failure('TRANSCRIPT_BROKEN', `entry ${index + 1} is of step ${record.step}, expected ${wanted}`);
    }
    if (record.outcome === 'done') done++;
    aborted = record.outcome === 'aborted';
  }
  const step = steps[done];
  if (aborted) return { kind: 'aborted' };
  return step === undefined ? { kind: 'finished' } : { kind: 'next', step, done, total: steps.length };
}
