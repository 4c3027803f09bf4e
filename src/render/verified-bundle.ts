/** The verdict on a bundle as text. */
import type { Check } from '../core/report.ts';
import { checkList } from './checks.ts';
import { printableLine } from './text.ts';

/** The checks, and the sentence that matters. */
export function bundleVerdictText(file: string, checks: readonly Check[], good: boolean): string {
  const name = printableLine(file);
  return `${checkList(checks)}\n${good ? `${name}: VERIFIED` : `${name}: REFUSED, use nothing of it`}`;
}
