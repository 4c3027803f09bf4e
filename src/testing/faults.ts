/** Fault injection: the Nth call that touches files, randomness or a process fails; all others work. */
import { SecureevError } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';

/** An Io that fails once, and how far it has counted. */
export interface FaultyIo {
  readonly io: Io;
  /** Calls made so far; with `failAt` beyond reach this counts the calls of a whole run. */
  calls(): number;
}

/** Wraps `io` so that call number `failAt` (from 1) throws DISK_FULL, or what `error` makes. */
export function failing(
  io: Io,
  failAt: number,
  error: () => Error = () => new SecureevError('DISK_FULL', { message: 'injected: no space left on the device' }),
): FaultyIo {
  let calls = 0;
  const step = (): void => {
    if (++calls === failAt) throw error();
  };
  return {
    io: {
      ...io,
      files: counted(io.files, step),
      random: counted(io.random, step),
      processes: counted(io.processes, step),
    },
    calls: () => calls,
  };
}

/** Wraps `io` so that call number `at` (from 1) and every later one fail, as after a kill: nothing is tidied up. */
export function killedAt(io: Io, at: number): FaultyIo {
  let calls = 0;
  const step = (): void => {
    if (++calls >= at) throw new SecureevError('DISK_FULL', { message: 'injected: killed' });
  };
  return { io: { ...io, files: counted(io.files, step), random: counted(io.random, step) }, calls: () => calls };
}

/** Runs `work` once per call it makes, failing each in turn; `check` sees every failed run. Ends with a run that works. */
export async function failEachCall(
  start: () => Promise<{ io: Io; check: (failedAt: number, thrown: unknown) => Promise<void> }>,
  work: (io: Io) => Promise<unknown>,
): Promise<number> {
  for (let failAt = 1; ; failAt++) {
    const { io, check } = await start();
    const faulty = failing(io, failAt);
    try {
      await work(faulty.io);
    } catch (thrown) {
      await check(failAt, thrown);
      continue;
    }
    if (faulty.calls() < failAt) return failAt - 1;
  }
}

function counted<T extends object>(target: T, step: () => void): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== 'function' || typeof property === 'symbol') return value;
      return (...args: readonly unknown[]): unknown => {
        if (property !== 'stream') step();
        return wrapped(Reflect.apply(value, object, args), step);
      };
    },
  });
}

/** Files opened by a counted call are counted too; so is each chunk of a stream. */
function wrapped(result: unknown, step: () => void): unknown {
  if (result instanceof Promise) return result.then((value: unknown) => wrapped(value, step));
  if (typeof result !== 'object' || result === null) return result;
  if (Symbol.asyncIterator in result) return countedStream(result as AsyncIterable<unknown>, step);
  return Symbol.asyncDispose in result ? counted(result, step) : result;
}

async function* countedStream(stream: AsyncIterable<unknown>, step: () => void): AsyncGenerator<unknown> {
  for await (const chunk of stream) {
    step();
    yield chunk;
  }
}
