/** The verdict on a bundle as text. */
import type { Check } from '../core/report.ts';
import { checkList } from './checks.ts';
import { printableLine } from './text.ts';

/** The checks, and the sentence that matters. */
export function bundleVerdictText(file: string, checks: readonly Check[], good: boolean | 'unsigned'): string {
  const name = printableLine(file);
  const verdict = good === 'unsigned' ? 'NOT SIGNED BY ANYONE; the checks that were asked for passed' : 'VERIFIED';
  return `${checkList(checks)}\n${name}: ${good === false ? 'REFUSED, use nothing of it' : verdict}`;
}
