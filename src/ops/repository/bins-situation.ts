/** What is known of hashed bins as a whole: who signs them, which need a next version, and why. */
import type { Instant } from '../../core/brands.ts';
import { binName } from '../../formats/metadata/path-pattern.ts';
import type { BinsDefinition } from '../../plan/delegations.ts';
import { isDue } from '../../plan/lifetime.ts';
import { reasonsFor } from '../../plan/next-version.ts';
import type { Purpose, Reason } from '../../plan/next-version.ts';
import type { Authority } from '../../plan/quorum.ts';
import { binStates } from '../../store/bins.ts';
import type { BinState } from '../../store/bins.ts';
import { delegatorOf } from '../../store/delegations.ts';
import type { Reader } from '../../store/reader.ts';
import { authorityOf, delegatedContent } from './definitions.ts';

/** A bin and what is stored of it. */
export type Bin = Omit<BinState, 'signed' | 'life'>;

/** The bins, and who signs them. */
export interface BinsInForce extends BinsDefinition {
  readonly authority: Authority;
}

/** What counts as due, when. */
export interface BinsQuestion {
  readonly now: Instant;
  readonly withinSeconds?: number | undefined;
  readonly purpose: Purpose;
}

/** The bins as the last complete version of their delegator has them. */
export function binsInForce(reader: Reader, namePrefix: string): BinsInForce | { readonly blocked: string } {
  const delegator = delegatorOf(reader, namePrefix)?.role;
  const bins = delegator && delegatedContent(reader, delegator, 'complete').bins;
  if (delegator === undefined || bins === undefined || bins.namePrefix !== namePrefix) {
    const name = delegator?.name ?? 'targets';
    return { blocked: `${name} has no complete version that delegates to the bins ${namePrefix}` };
  }
  return { ...bins, authority: authorityOf(`${delegator.name} ${delegator.completeVersion ?? 0}`, bins.definition) };
}

/** The bins that need a next version, or have one that waits, in order. */
export function binsToSign(reader: Reader, bins: BinsInForce, question: BinsQuestion): readonly Bin[] {
  const states = binStates(reader, bins.namePrefix, bins.authority.thresholds);
  const known = new Set(states.map(({ name }) => name));
  const wanted: Bin[] = states.filter((state) => isWanted(state, bins, question));
  if (question.purpose === 'renew' || known.size === 2 ** bins.bitLength) return wanted;
  for (let index = 0; index < 2 ** bins.bitLength; index++) {
    const name = binName(bins, index);
    if (!known.has(name)) wanted.push(absentBin(name));
  }
  return wanted.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function absentBin(name: string): Bin {
  return { name, lastVersion: 0, completeVersion: null, frozenVersion: null, hasStaged: false };
}

function isWanted(state: BinState, bins: BinsInForce, question: BinsQuestion): boolean {
  if (state.frozenVersion !== null) return question.purpose === 'sign' || !state.hasStaged;
  return reasonsOf(state, bins, question).length > 0;
}

function reasonsOf(state: BinState, { authority }: BinsInForce, question: BinsQuestion): readonly Reason[] {
  const { life, signed } = state;
  const situation = {
    hasComplete: state.completeVersion !== null,
    hasStaged: state.hasStaged,
    listsCurrent: true,
    meetsThresholds: authority.thresholds.every(({ needed }, index) => (signed[index] ?? 0) >= needed),
    due: life !== undefined && isDue(life, question.now, question.withinSeconds),
  };
  return reasonsFor(situation, question.purpose);
}

/** Where the bins stand together. */
export interface BinsSituation {
  readonly total: number;
  readonly complete: number;
  /** Bins with staged changes. */
  readonly staged: number;
  readonly waiting: number;
  readonly due: number;
  /** The first expiry of all; undefined where none has a version. */
  readonly expires: Instant | undefined;
  /** Why `sign` would make versions of some. */
  readonly reasons: readonly Reason[];
}

/** Counts over all bins of a prefix that is in force. */
export function binsSituation(reader: Reader, bins: BinsInForce, question: BinsQuestion): BinsSituation {
  const states = binStates(reader, bins.namePrefix, bins.authority.thresholds);
  const total = 2 ** bins.bitLength;
  const expiries = states.flatMap(({ life }) => life?.expires ?? []);
  const reasons = new Set(states.flatMap((state) => reasonsOf(state, bins, { ...question, purpose: 'sign' })));
  if (states.length < total) reasons.add('first');
  return {
    total,
    complete: states.filter(({ completeVersion }) => completeVersion !== null).length,
    staged: states.filter(({ hasStaged }) => hasStaged).length,
    waiting: states.filter(({ frozenVersion }) => frozenVersion !== null).length,
    due: states.filter(({ life }) => life !== undefined && isDue(life, question.now, question.withinSeconds)).length,
    expires: expiries.length === 0 ? undefined : expiries.reduce((a, b) => (b < a ? b : a)),
    reasons: [...reasons],
  };
}
