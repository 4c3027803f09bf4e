import { expect, test } from 'vitest';
import { KEMS } from './index.ts';
import { isKemId, KEM_PUBLIC_KEY_BYTES } from './public-key-sizes.ts';

test('names and sizes are those of the mechanisms', () => {
  expect(Object.entries(KEM_PUBLIC_KEY_BYTES)).toEqual(KEMS.map(({ id, publicKeyBytes }) => [id, publicKeyBytes]));
  expect([isKemId('ML-KEM-768'), isKemId('ecdsa-p256'), isKemId('toString')]).toEqual([true, false, false]);
});
