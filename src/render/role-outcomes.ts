/** What signing did for each role, and who is still missing. */
import { formatInstant } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { shortId } from './fingerprint.ts';
import { indented } from './table.ts';
import { count } from './text.ts';

/** A key as it is named to people. */
export interface ShownKey {
  /** Empty for a key that is yet to be made. */
  readonly keyId: string;
  /** Empty where nobody said. */
  readonly holder: string;
}

/** A threshold of a root, and how far it is met. */
export interface ShownThreshold {
  /** e.g. `root 2`. */
  readonly authority: string;
  readonly section: 'classical' | 'post-quantum';
  readonly needed: number;
  readonly signed: number;
  readonly missing: readonly ShownKey[];
}

/** What became of one role. */
export interface ShownOutcome {
  readonly role: string;
  /** The version that is complete or waits; null where there is none. */
  readonly version: number | null;
  readonly state: 'complete' | 'waiting' | 'unchanged' | 'blocked';
  readonly expires: Instant | null;
  /** Whether this run made the version. */
  readonly made: boolean;
  /** Keys whose signatures this run added. */
  readonly added: readonly ShownKey[];
  /** What is not met yet; empty unless it waits. */
  readonly thresholds: readonly ShownThreshold[];
  /** Why nothing could be done. */
  readonly reason: string | null;
  /** Of hashed bins: how many there are, and how many got a version. */
  readonly bins?: { readonly total: number; readonly signed: number } | undefined;
}

/** A few lines per role. */
export function outcomesText(outcomes: readonly ShownOutcome[]): string {
  return outcomes.length === 0 ? 'nothing to sign with these keys' : outcomes.map(outcomeText).join('\n');
}

/** The same as JSON. */
export function outcomeJson(outcome: ShownOutcome): Readonly<Record<string, unknown>> {
  return { ...outcome, expires: outcome.expires === null ? null : formatInstant(outcome.expires) };
}

/** What goes below the rest of an answer. */
export function warningLines(warnings: readonly string[]): readonly string[] {
  return warnings.map((warning) => `warning: ${warning}`);
}

/** A key for people: holder and the first digits of its id. */
export function keyText(key: ShownKey): string {
  if (key.keyId === '') return key.holder;
  return key.holder === '' ? shortId(key.keyId) : `${key.holder} (${shortId(key.keyId)})`;
}

/** The thresholds that are not met, one line each: `2 of 3 under root 1, waiting for ...`. */
export function thresholdsText(thresholds: readonly ShownThreshold[]): string {
  return thresholds
    .filter((threshold) => threshold.signed < threshold.needed)
    .map(({ signed, needed, section, authority, missing }) => {
      const kind = section === 'classical' ? '' : ' post-quantum';
      const who = missing.map(keyText).join(', ');
      return `${signed} of ${needed}${kind} signatures under ${authority}, waiting for ${needed - signed} of: ${who}`;
    })
    .join('\n');
}

function outcomeText(outcome: ShownOutcome): string {
  const { bins } = outcome;
  const name = outcome.version === null ? outcome.role : `${outcome.role} ${outcome.version}`;
  const signatures = outcome.added.length === 0 ? '' : `, ${count(outcome.added.length, 'signature')} added`;
  const added = bins === undefined ? signatures : `${signatures}, ${bins.signed} of ${bins.total} bins signed`;
  const expires = outcome.expires === null ? '' : `, expires ${formatInstant(outcome.expires)}`;
  if (outcome.state === 'blocked') return `${name}: not signed: ${outcome.reason ?? ''}`;
  if (outcome.state === 'unchanged') return `${name}: nothing to sign${expires}`;
  if (outcome.state === 'complete') return `${name}: complete${added}${expires}`;
  return `${name}: waiting${added}${expires}\n${indented(thresholdsText(outcome.thresholds))}`;
}
