/** The metadata dialects. A new one is one file and one line in {@link DIALECTS}. */
import { quote } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import { aktualizr } from './aktualizr.ts';
import type { Dialect } from './dialect.ts';
import { tuf } from './tuf.ts';

export type { Dialect } from './dialect.ts';

/** Every dialect, the default first. */
export const DIALECTS = [tuf, aktualizr] as const;

/** The id of a dialect. */
export type DialectId = (typeof DIALECTS)[number]['id'];

/** The dialect named `id`. @throws DIALECT_UNKNOWN */
export function dialectOf(id: string): Dialect & { readonly id: DialectId } {
  const found = DIALECTS.find((dialect) => dialect.id === id);
  if (found === undefined) throw failure('DIALECT_UNKNOWN', `unknown metadata dialect ${quote(id)}`);
  return found;
}
