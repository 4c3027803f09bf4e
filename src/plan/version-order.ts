/**
 * The order of software versions.
 *
 * A version is read as runs of digits and runs of letters, separators only divide: `2022.11-6+deb12u2` is
 * 2022, 11, 6, deb, 12, u, 2. Runs compare from the left: digits as numbers, letters by code unit, digits above letters; a
 * version that is the beginning of another is the lower one.
 */

const RUN = /[0-9]+|[A-Za-z]+/g;

/** Negative where `a` is before `b`, 0 where neither is before the other, positive where `a` is after `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.match(RUN) ?? [], b.match(RUN) ?? []];
  for (const [i, run] of left.entries()) {
    const other = right[i];
    if (other === undefined) return 1;
    const order = compareRuns(run, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareRuns(a: string, b: string): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return Number(x > y) - Number(x < y);
  if (x !== undefined || y !== undefined) return x === undefined ? -1 : 1;
  return Number(a > b) - Number(a < b);
}

function numberOf(run: string): bigint | undefined {
  return /^[0-9]/.test(run) ? BigInt(run) : undefined;
}
