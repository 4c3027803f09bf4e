/**
 * Signing on all cores: threads that each hold the keys and take lots of messages as they become free.
 *
 * Invariants: a secret goes to a thread once, by a message port, and is wiped there; a thread that fails ends the whole
 * pool's work with its error; disposing the pool ends its threads.
 */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { failure, SecureevError } from '../core/errors.ts';
import type { BulkKey, EngineName, SigningPool } from '../core/ports.ts';
import { threadScript } from './program.ts';
import { lanesOf, lotOf, signaturesOf, signLot } from './sign-lots.ts';
import type { FromSigner, ToSigner } from './sign-lots.ts';

const THREADS_MAX = 64;
/** A thread keeps nothing but keys and two lots. */
const THREAD_MEMORY = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

/**
 * Signing a fleet makes gigabytes of short-lived garbage, which V8 answers by growing the space for young objects up to
 * 128 MB. It is no faster for it: without, memory stays what it is for the first thousand vehicles.
 */
function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Signing on this thread only. */
export function inlinePool(engine: EngineName, keys: readonly BulkKey[]): SigningPool {
  const lanes = lanesOf({ engine, keys });
  let crossChecked = 0;
  return {
    threads: 1,
    async sign(key, messages) {
      const signed = signLot(lanes, lotOf(0, key, messages));
      crossChecked += signed.crossChecked;
      return signaturesOf(signed.signatures, messages.length);
    },
    crossChecked: () => crossChecked,
    [Symbol.asyncDispose]: async () => {
      for (const lane of lanes) lane[Symbol.dispose]();
    },
  };
}

interface Waiting {
  readonly lot: ToSigner;
  readonly resolve: (answer: FromSigner) => void;
  readonly reject: (thrown: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  /** Lots that it has, by id. */
  readonly taken: Map<number, Waiting>;
}

/** A thread has one lot in work and one to go on with. */
const LOTS_PER_THREAD = 2;

/** Lots on their way to threads. */
interface LotQueue {
  /** The answer to a lot. */
  add(key: number, messages: readonly Uint8Array[]): Promise<FromSigner>;
  /** Gives a free thread what waits. */
  feed(thread: Thread): void;
  /** Ends all that waits, now and later. */
  breakDown(thrown: unknown): void;
}

function lotQueue(threads: readonly Thread[]): LotQueue {
  const queue: Waiting[] = [];
  const state = { lots: 0, broken: undefined as unknown };
  const feed = (thread: Thread): void => {
    while (thread.taken.size < LOTS_PER_THREAD) {
      const next = queue.shift();
      if (next === undefined) return;
      thread.taken.set(next.lot.id, next);
      thread.port.postMessage(next.lot, [next.lot.messages.buffer]);
    }
  };
  return {
    feed,
    async add(key, messages) {
      if (state.broken !== undefined) throw state.broken;
      const { promise, resolve, reject } = Promise.withResolvers<FromSigner>();
      queue.push({ lot: lotOf(state.lots++, key, messages), resolve, reject });
      for (const thread of threads) feed(thread);
      return await promise;
    },
    breakDown(thrown) {
      state.broken ??= thrown;
      for (const { reject } of [...queue.splice(0), ...threads.flatMap(takenBy)]) reject(state.broken);
    },
  };
}

function takenBy({ taken }: Thread): readonly Waiting[] {
  return [...taken.values()];
}

/** A pool of `count` threads, by default as many as there are cores. */
export function threadPool(
  engine: EngineName,
  keys: readonly BulkKey[],
  count: number = availableParallelism(),
): SigningPool {
  keepYoungSpaceSmall();
  const threads = Array.from({ length: Math.min(count, THREADS_MAX) }, () => startThread({ engine, keys }));
  const queue = lotQueue(threads);
  for (const thread of threads) listen(thread, queue);
  let crossChecked = 0;
  return {
    threads: threads.length,
    async sign(key, messages) {
      const answer = await queue.add(key, messages);
      crossChecked += answer.crossChecked ?? 0;
      return signaturesOf(answer.signatures ?? new Uint8Array(), messages.length);
    },
    crossChecked: () => crossChecked,
    [Symbol.asyncDispose]: async () => {
      queue.breakDown(failure('INTERNAL', 'a pool was used after it was closed'));
      for (const { port } of threads) port.close();
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread({ engine, ...given }: { engine: EngineName; keys: readonly BulkKey[] }): Thread {
  const options = { env: {}, argv: [], execArgv: [], stdin: false, resourceLimits: THREAD_MEMORY };
  const worker = new Worker(threadScript('sign-worker'), options);
  const { port1: port, port2 } = new MessageChannel();
  worker.postMessage({ port: port2 }, [port2]);
  const keys = given.keys.map((key) => ({ ...key, secret: new Uint8Array(key.secret) }));
  port.postMessage(
    { engine, keys },
    keys.map(({ secret }) => secret.buffer),
  );
  return { worker, port, taken: new Map() };
}

function listen(thread: Thread, queue: LotQueue): void {
  const { worker, port, taken } = thread;
  port.on('message', (answer: FromSigner) => {
    if (answer.failed !== undefined) {
      queue.breakDown(errorOf(answer.failed));
      return;
    }
    taken.get(answer.id)?.resolve(answer);
    taken.delete(answer.id);
    queue.feed(thread);
  });
  worker.once('error', (thrown) => queue.breakDown(thrown));
  worker.once('exit', () => queue.breakDown(failure('INTERNAL', 'a signing thread ended')));
}

function errorOf({ code, message }: NonNullable<FromSigner['failed']>): SecureevError {
  return new SecureevError(code ?? 'INTERNAL', { message });
}
