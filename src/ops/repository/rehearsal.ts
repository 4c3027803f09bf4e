/** Repositories for trying things out: they alone take example keys and the keys of rehearsals. */
import type { Reader, Tx } from '../../store/reader.ts';
import { findSetting, writeSetting } from '../../store/settings.ts';

/** Marks a new repository as one for rehearsals, for good. */
export function markRehearsal(tx: Tx): void {
  writeSetting(tx, 'rehearsal', 'yes');
}

/** Whether a repository is one for rehearsals. */
export function isRehearsal(reader: Reader): boolean {
  return findSetting(reader, 'rehearsal') !== undefined;
}
