/** Hashed bins in bulk: where each one stands, without a query for each. */
import { instantOf } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import type { Reader } from './reader.ts';
import type { SignatureSection } from './versions.ts';

/** Where a bin stands; bins that were never touched have no row. */
export interface BinState {
  readonly name: string;
  readonly lastVersion: number;
  readonly completeVersion: number | null;
  readonly frozenVersion: number | null;
  readonly hasStaged: boolean;
  /** How many keys of each threshold asked about have signed the last complete version. */
  readonly signed: readonly number[];
  /** Of the last complete version. */
  readonly life: { readonly from: Instant; readonly expires: Instant } | undefined;
}

/** Keys to count signatures of. */
export interface CountedKeys {
  readonly section: SignatureSection;
  readonly keyIds: readonly string[];
}

interface Row {
  readonly name: string;
  readonly last: number;
  readonly complete: number | null;
  readonly frozen: number | null;
  readonly staged: number;
  readonly expires: number | null;
  readonly frozenAt: number | null;
  readonly signed0: number;
  readonly signed1: number;
}

const SIGNED = `(SELECT count(*) FROM signatures s INDEXED BY signatures_signers WHERE s.role_id = r.id AND s.version = r.complete_version
  AND s.section = :section AND s.keyid IN (SELECT value FROM json_each(:keyIds)))`;

/** The stored bins of a prefix, in name order, and how many keys of up to two thresholds have signed each. */
export function binStates(reader: Reader, namePrefix: string, counted: readonly CountedKeys[]): readonly BinState[] {
  const [first, second] = counted;
  const rows = reader
    .sql<Row>(
      `SELECT r.name, r.last_version AS last, r.complete_version AS complete, r.frozen_version AS frozen,
         EXISTS (SELECT 1 FROM staged WHERE role_id = r.id AND frozen_version = 0) AS staged,
         v.expires, v.frozen_at AS frozenAt,
         ${SIGNED.replace(':section', ':section0').replace(':keyIds', ':keyIds0')} AS signed0,
         ${SIGNED.replace(':section', ':section1').replace(':keyIds', ':keyIds1')} AS signed1
       FROM roles r LEFT JOIN versions v INDEXED BY versions_facts
         ON v.role_id = r.id AND v.version = r.complete_version AND v.state = 'complete'
       WHERE r.bins = :bins ORDER BY r.name`,
    )
    .all({
      bins: namePrefix,
      section0: first?.section ?? 'classical',
      keyIds0: JSON.stringify(first?.keyIds ?? []),
      section1: second?.section ?? 'post-quantum',
      keyIds1: JSON.stringify(second?.keyIds ?? []),
    });
  return rows.map((row) => stateOf(row, counted.length));
}

function stateOf(row: Row, thresholds: number): BinState {
  const { name, last: lastVersion, complete: completeVersion, frozen: frozenVersion, expires, frozenAt } = row;
  const life =
    expires === null || frozenAt === null ? undefined : { from: instantOf(frozenAt), expires: instantOf(expires) };
  const signed = [row.signed0, row.signed1].slice(0, thresholds);
  return { name, lastVersion, completeVersion, frozenVersion, hasStaged: row.staged === 1, signed, life };
}

/** How many bins of a prefix have a complete version. */
export function countCompleteBins(reader: Reader, namePrefix: string): number {
  const row = reader
    .sql<{ n: number }>('SELECT count(complete_version) AS n FROM roles WHERE bins = ?')
    .get(namePrefix);
  return row?.n ?? 0;
}

/** The bins, of a prefix or of all, with staged or frozen changes, in name order. */
export function changedBins(reader: Reader, namePrefix?: string): readonly string[] {
  return reader
    .sql<{ name: string }>(
      `SELECT name FROM roles r WHERE bins IS NOT NULL AND (:bins IS NULL OR bins = :bins)
       AND EXISTS (SELECT 1 FROM staged WHERE role_id = r.id) ORDER BY bins, name`,
    )
    .all({ bins: namePrefix ?? null })
    .map(({ name }) => name);
}

/** The names of the stored bins of a prefix, in name order. */
export function storedBins(reader: Reader, namePrefix: string): readonly string[] {
  return reader
    .sql<{ name: string }>('SELECT name FROM roles WHERE bins = ? ORDER BY name')
    .all(namePrefix)
    .map(({ name }) => name);
}
