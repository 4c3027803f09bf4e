import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../core/errors.ts';
import { installOrder, unmet } from './requirements.ts';
import type { Demand, Installable } from './requirements.ts';
import { compareVersions } from './version-order.ts';

const version = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,8}$/);

describe('the order of versions', () => {
  it.each([
    ['1.9', '1.10'],
    ['1.0', '1.0.1'],
    ['2022.11-6+deb12u1', '2022.11-6+deb12u2'],
    ['1.0rc1', '1.0.1'],
    ['9', '10'],
    ['1.a', '1.1'],
    ['99999999999999999998', '99999999999999999999'],
  ])('%s is before %s', (before, after) => {
    expect(compareVersions(before, after)).toBeLessThan(0);
    expect(compareVersions(after, before)).toBeGreaterThan(0);
  });

  it('separators and leading zeros do not count', () => {
    expect(compareVersions('1.02-3', '1-2.3')).toBe(0);
  });

  it('is an order: antisymmetric and transitive', () => {
    const sign = (a: string, b: string): number => Math.sign(compareVersions(a, b));
    expect(
      fc.check(
        fc.property(version, version, version, (a, b, c) => {
          const transitive = sign(a, b) > 0 || sign(b, c) > 0 || sign(a, c) <= 0;
          return sign(a, b) + sign(b, a) === 0 && transitive;
        }),
        { numRuns: 2000 },
      ).failed,
    ).toBe(false);
  });
});

describe('requirements of images (R3)', () => {
  const ecus = [
    { id: 'A', type: 'T', version: '2.0' },
    { id: 'B', type: 'T', version: '1.0' },
    { id: 'C', type: 'U', version: undefined },
  ];

  it('are met by the version or a later one, of a type by every ECU of it', () => {
    expect(unmet({ kind: 'ecu', name: 'A', version: '1.5' }, ecus)).toEqual([]);
    expect(unmet({ kind: 'type', name: 'T', version: '1.5' }, ecus)).toEqual([ecus[1]]);
    expect(unmet({ kind: 'type', name: 'T', version: '1.0' }, ecus)).toEqual([]);
  });

  it('are not met by an unknown version, nor by an ECU that does not exist', () => {
    expect(unmet({ kind: 'ecu', name: 'C', version: '1' }, ecus)).toEqual([ecus[2]]);
    expect(unmet({ kind: 'ecu', name: 'D', version: '1' }, ecus)).toEqual([undefined]);
  });

  const item = (name: string, ...requires: readonly string[]): Installable => ({
    name,
    ecus: [{ id: name, type: name }],
    requires: requires.map((other): Demand => ({ kind: 'ecu', name: other, version: '1' })),
  });

  it('put what is demanded first, and keep the order otherwise', () => {
    expect(installOrder([item('a', 'c'), item('b'), item('c', 'b')])).toEqual([1, 2, 0]);
    expect(installOrder([item('a'), item('b')])).toEqual([0, 1]);
    expect(installOrder([item('a', 'a', 'elsewhere')])).toEqual([0]);
  });

  it('refuse a cycle', () => {
    expect(() => installOrder([item('a', 'b'), item('b', 'a')])).toThrow('before itself');
    const cycle = (): unknown => installOrder([item('a', 'b'), item('b', 'c'), item('c', 'a')]);
    expect(failureOf(cycle)).toBe(true);
  });
});

function failureOf(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (thrown) {
    return isFailure(thrown, 'RELEASE_DEPENDENCY_CYCLE');
  }
}
