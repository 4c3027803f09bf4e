import { describe, expect, test } from 'vitest';
import { isFailure } from '../../../core/errors.ts';
import { requireNextVersion } from './check-delivery.ts';

describe('U19 the version of a delivery', () => {
  test.each([
    [1, 0],
    [8, 7],
    [1_000_007, 7],
  ])('%i is taken after %i', (version, last) => {
    expect(() => requireNextVersion({ name: 'acme', version, last, published: last })).not.toThrow();
  });

  test.each([
    [7, 7],
    [6, 7],
    [1_000_008, 7],
    [Number.MAX_SAFE_INTEGER, 7],
  ])('%i is refused after %i', (version, last) => {
    const code = (() => {
      try {
        requireNextVersion({ name: 'acme', version, last, published: last });
        return 'none';
      } catch (thrown) {
        return isFailure(thrown) ? thrown.code : 'other';
      }
    })();
    expect(code).toBe('DELIVERY_VERSION');
  });
});
