/** How long versions live, and when they are due to be signed again. */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';

const DAY_SECONDS = 86_400;

/** Lifetimes of the four roles in seconds, where `role set --expires` does not say otherwise; a delegation's is Targets'. */
export const DEFAULT_LIFETIME_SECONDS: Readonly<Record<string, number>> = {
  root: 365 * DAY_SECONDS,
  targets: 90 * DAY_SECONDS,
  snapshot: 30 * DAY_SECONDS,
  timestamp: DAY_SECONDS,
};

/** The lifetime of `role` where nobody set one; what a Director signs online lives for a day (U26). */
export function defaultLifetimeSeconds(role: string, repository: 'image' | 'director' = 'image'): number {
  if (repository === 'director' && role !== 'root') return DAY_SECONDS;
  return DEFAULT_LIFETIME_SECONDS[role] ?? 90 * DAY_SECONDS;
}

/** When a version made `now` expires. @throws VALUE_MALFORMED beyond the year 9999 */
export function expiryOf(now: Instant, lifetimeSeconds: number): Instant {
  return instantOf(now + lifetimeSeconds, 'expiry');
}

/** A version's life. */
export interface Life {
  /** When it was frozen. */
  readonly from: Instant;
  readonly expires: Instant;
}

/** Whether a version is due: it expires `within` that many seconds, or where none is given, under half its life is left. */
export function isDue(life: Life, now: Instant, withinSeconds?: number): boolean {
  const left = life.expires - now;
  return withinSeconds === undefined ? 2 * left < life.expires - life.from : left <= withinSeconds;
}
