/** What `discard` dropped, as text. */
import { count } from './text.ts';

/** What was dropped of one role. */
export interface ShownDiscard {
  readonly role: string;
  readonly items: number;
  /** The version that was cancelled, if one waited for signatures. */
  readonly cancelled: number | null;
}

/** One line per role. */
export function discardedText(discarded: readonly ShownDiscard[]): string {
  return discarded
    .map(({ role, items, cancelled }) => {
      if (items === 0 && cancelled === null) return `${role}: nothing was staged`;
      const version = cancelled === null ? '' : `, version ${cancelled} cancelled`;
      return `${role}: dropped ${count(items, 'staged change')}${version}`;
    })
    .join('\n');
}
