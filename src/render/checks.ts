/** A list of checks, one line each. */
import type { Check } from '../core/report.ts';
import { count } from './text.ts';
import { table } from './table.ts';

const MARKS = { pass: 'pass', fail: 'FAIL', skip: 'skip' } as const;

/** Every check with its outcome, and how many failed. */
export function checkList(checks: readonly Check[]): string {
  const rows = checks.map(({ status, title, detail, code }) => [
    MARKS[status],
    title,
    code === undefined ? detail : `[${code}] ${detail}`,
  ]);
  return `${table({ rows })}\n${checkSummary(checks)}`;
}

/** `8 checks passed`, `1 of 8 checks failed, 2 skipped`. */
export function checkSummary(checks: readonly Check[]): string {
  const failed = checks.filter(({ status }) => status === 'fail').length;
  const skipped = checks.filter(({ status }) => status === 'skip').length;
  const all = count(checks.length, 'check');
  const first = failed === 0 ? `${count(checks.length - skipped, 'check')} passed` : `${failed} of ${all} failed`;
  return skipped === 0 ? first : `${first}, ${skipped} skipped`;
}
