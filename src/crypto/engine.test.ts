import { expect, test } from 'vitest';
import { codeOf } from '../testing/crypto-vectors.ts';
import { availableEngine, NATIVE, otherEngine } from './engine.ts';

test('the pinned Node has ML-DSA and ML-KEM of its own, so that both engines are tested here', () => {
  expect(NATIVE).toEqual({ mlDsa: true, mlKem: true });
});

test('SECUREEV_ENGINE forces an engine; anything else is refused', () => {
  expect(availableEngine(undefined)).toBe('native');
  expect(availableEngine('')).toBe('native');
  expect(availableEngine('native')).toBe('native');
  expect(availableEngine('noble')).toBe('noble');
  expect(codeOf(() => availableEngine('openssl'))).toBe('ENGINE_MISSING');
});

test('each engine is checked by the other', () => {
  expect(otherEngine('noble')).toBe('native');
  expect(otherEngine('native')).toBe('noble');
});
