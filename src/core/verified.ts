/**
 * Trust as a type: what was only decoded is `Unverified`, what was checked is `Verified`.
 *
 * Invariant: only `trust/` makes a `Verified`; what acts on content (unpack, publish, import) takes nothing else.
 */
import type { Brand } from './brands.ts';

/** Content that was decoded but not checked against any key. */
export interface Unverified<T> {
  readonly unverified: T;
}

/** Content that `trust/` has checked. */
export type Verified<T> = Brand<{ readonly verified: T }, 'Verified'>;
