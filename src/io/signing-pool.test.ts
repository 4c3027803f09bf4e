import { describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { BulkKey, SigningPool } from '../core/ports.ts';
import { ENGINES } from '../crypto/engine.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import { inlinePool, threadPool } from './signing-pool.ts';
import { inlineWorkers, nodeWorkers } from './workers.ts';

const ALGORITHMS = ['ecdsa-p256', 'ml-dsa-44'];

function keysOf(): readonly BulkKey[] {
  return ALGORITHMS.map((algorithm, index) => ({
    algorithm,
    ...signatureAlgorithm(algorithm).keygen('noble', new Uint8Array(32).fill(index + 1)),
  }));
}

/** Many lots at once, of both keys; each signature must be of its own message. */
async function signLots(pool: SigningPool, keys: readonly BulkKey[]): Promise<number> {
  const lots = Array.from({ length: 12 }, (_, lot) => ({
    key: lot % 2,
    messages: Array.from({ length: 1 + (lot % 3) }, (__, index) => utf8(`${lot}:${index}`.repeat(1 + index))),
  }));
  const signed = await Promise.all(lots.map(({ key, messages }) => pool.sign(key, messages)));
  let verified = 0;
  for (const [lot, { key, messages }] of lots.entries()) {
    const { algorithm = '', publicKey = new Uint8Array() } = keys[key] ?? {};
    for (const [index, message] of messages.entries()) {
      const signature = signed[lot]?.[index] ?? new Uint8Array();
      signatureAlgorithm(algorithm).verify({ engine: 'native', publicKey, message, signature });
      verified += 1;
    }
  }
  return verified;
}

describe.each(ENGINES)('engine %s', (engine) => {
  test('a pool of threads signs every lot, with the secrets it was given once', async () => {
    const keys = keysOf();
    await using pool = threadPool(engine, keys, 2);
    for (const { secret } of keys) secret.fill(0);
    expect(pool.threads).toBe(2);
    expect(await signLots(pool, keys)).toBe(24);
    expect(pool.crossChecked()).toBeGreaterThanOrEqual(2);
  });

  test('one thread does the same', async () => {
    const keys = keysOf();
    await using pool = inlinePool(engine, keys);
    expect(await signLots(pool, keys)).toBe(24);
    expect(pool.crossChecked()).toBe(2);
  });
});

test('a key that is not of its secret ends the work with its code, and the pool with it', async () => {
  const [key, ...others] = keysOf();
  const publicKey = signatureAlgorithm('ecdsa-p256').keygen('noble', new Uint8Array(32).fill(9)).publicKey;
  await using pool = threadPool('native', [...others, { algorithm: 'ecdsa-p256', ...key, publicKey } as BulkKey], 2);
  const codes = await Promise.all([codeOf(pool.sign(1, [utf8('a')])), codeOf(pool.sign(1, [utf8('b')]))]);
  expect(codes).toEqual(['ENGINE_DISAGREES', 'ENGINE_DISAGREES']);
  expect(await codeOf(pool.sign(0, [utf8('c')]))).toBe('ENGINE_DISAGREES');
});

test('threads are started for many signatures only', async () => {
  const few = await nodeWorkers('native').signing(keysOf(), 10);
  const many = await nodeWorkers('native').signing(keysOf(), 10_000);
  const inline = await inlineWorkers('native').signing(keysOf(), 10_000);
  expect([few.threads, inline.threads]).toEqual([1, 1]);
  expect(many.threads).toBeGreaterThanOrEqual(1);
  await Promise.all([few, many, inline].map((pool) => pool[Symbol.asyncDispose]()));
  expect(await codeOf(many.sign(0, [utf8('a')]))).toMatch(/INTERNAL/);
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}
