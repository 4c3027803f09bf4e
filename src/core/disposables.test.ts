import { expect, test } from 'vitest';
import { disposables } from './disposables.ts';

test('all are disposed of, the last first, once; the first error is thrown', async () => {
  const order: string[] = [];
  const one = (name: string, fails = false): AsyncDisposable => ({
    async [Symbol.asyncDispose]() {
      order.push(name);
      if (fails) throw new RangeError(name);
    },
  });
  const all = disposables();
  for (const item of [one('a'), one('b', true), one('c', true), one('d')]) expect(all.use(item)).toBe(item);
  await expect(all[Symbol.asyncDispose]()).rejects.toThrow('c');
  await all[Symbol.asyncDispose]();
  expect(order).toEqual(['d', 'c', 'b', 'a']);
});
