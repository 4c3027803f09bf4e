/**
 * Who has signed, who is missing: thresholds of one or several authorities over a set of signatures.
 *
 * Invariant: a key counts once per section, by its key id, which is a function of algorithm and raw public key.
 */

/** Which list of an envelope a signature stands in. */
export type Section = 'classical' | 'post-quantum';

/** One threshold: that many of these keys. */
export interface Threshold {
  readonly section: Section;
  readonly needed: number;
  /** Distinct key ids. */
  readonly keyIds: readonly string[];
}

/** Keys and thresholds that a version must meet, all of them; a new root has two: the old root's and its own. */
export interface Authority {
  /** e.g. `root 3`. */
  readonly name: string;
  readonly thresholds: readonly Threshold[];
}

/** A key that signed, and in which section. */
export interface SignedBy {
  readonly section: Section;
  readonly keyId: string;
}

/** A threshold and how far it is met. */
export interface ThresholdState extends Threshold {
  readonly authority: string;
  readonly signed: readonly string[];
  /** Keys that could still sign; empty once the threshold is met. */
  readonly missing: readonly string[];
}

/** How far each threshold of each authority is met. */
export function thresholdStates(
  authorities: readonly Authority[],
  signatures: readonly SignedBy[],
): readonly ThresholdState[] {
  return authorities.flatMap(({ name, thresholds }) =>
    thresholds.map((threshold) => {
      const by = new Set(signatures.filter((s) => s.section === threshold.section).map((s) => s.keyId));
      const signed = threshold.keyIds.filter((keyId) => by.has(keyId));
      const met = signed.length >= threshold.needed;
      const missing = met ? [] : threshold.keyIds.filter((keyId) => !by.has(keyId));
      return { ...threshold, authority: name, signed, missing };
    }),
  );
}

/** Whether every threshold is met; never for no threshold at all. */
export function isComplete(states: readonly ThresholdState[]): boolean {
  return states.length > 0 && states.every((state) => state.signed.length >= state.needed);
}

/** Whether a key may sign under one of the authorities, in this section. */
export function maySign(authorities: readonly Authority[], key: SignedBy): boolean {
  return authorities.some(({ thresholds }) =>
    thresholds.some(({ section, keyIds }) => section === key.section && keyIds.includes(key.keyId)),
  );
}
