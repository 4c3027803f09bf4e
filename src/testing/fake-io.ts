/** An {@link Io} in memory: fixed clock, seeded randomness, scripted terminal and processes, real zstd. */
import { failure } from '../core/errors.ts';
import type { EngineName, Environment, Http, Io, Processes, Terminal } from '../core/ports.ts';
import type { Progress } from '../core/report.ts';
import { inlineHashing } from '../io/hashing.ts';
import { inlineWorkers } from '../io/workers.ts';
import { nodeZstd } from '../io/zstd.ts';
import { fixedClock, seededRandom } from './clock.ts';
import type { FixedClock } from './clock.ts';
import { memoryFiles } from './memory-files.ts';
import type { MemoryFiles } from './memory-files.ts';

/** What a fake machine begins with. */
export interface FakeSetup {
  /** Path -> content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly env?: Readonly<Record<string, string>>;
  /** `YYYY-MM-DDTHH:MM:SSZ`; {@link TEST_NOW} by default. */
  readonly now?: string;
  readonly seed?: number | string;
  readonly engine?: EngineName;
  /** What a person at the terminal answers, in order; without it there is no terminal. */
  readonly answers?: readonly string[];
  readonly processes?: Processes;
  readonly http?: Http;
  readonly signal?: AbortSignal;
}

/** A fake machine, with the handles that tests turn. */
export interface FakeIo extends Io {
  readonly clock: FixedClock;
  readonly files: MemoryFiles;
  /** What was asked at the terminal. */
  readonly asked: readonly string[];
}

/** Makes a machine in memory. */
export function fakeIo(setup: FakeSetup = {}): FakeIo {
  const asked: string[] = [];
  return {
    engine: setup.engine ?? 'native',
    clock: fixedClock(setup.now),
    random: seededRandom(setup.seed),
    files: memoryFiles(setup.files),
    terminal: scriptedTerminal(setup.answers, asked),
    environment: fixedEnvironment(setup.env),
    processes: setup.processes ?? noProcesses(),
    zstd: nodeZstd(),
    hashing: inlineHashing(setup.engine ?? 'native'),
    workers: inlineWorkers(setup.engine ?? 'native'),
    http: setup.http ?? { get: async (url) => Promise.reject(new Error(`the test has no server for ${url}`)) },
    progress: silentProgress(),
    signal: setup.signal ?? new AbortController().signal,
    asked,
  };
}

/** A terminal where `answers` are given in order; none at all where there are no answers. */
export function scriptedTerminal(answers: readonly string[] | undefined, asked: string[] = []): Terminal {
  const left = [...(answers ?? [])];
  const ask = async (prompt: string): Promise<string> => {
    const answer = left.shift();
    if (answers === undefined) throw failure('NO_TERMINAL', 'nobody is here to answer');
    if (answer === undefined) throw new Error(`the test has no answer to: ${prompt}`);
    asked.push(prompt);
    return answer;
  };
  return { interactive: answers !== undefined, ask, askSecret: ask };
}

/** An environment of exactly `env`. */
export function fixedEnvironment(env: Readonly<Record<string, string>> = {}): Environment {
  return {
    get: (name) => env[name],
    actor: 'tester',
    job: '',
    runtime: { node: '24.0.0', openssl: '3.5.0', platform: 'linux x64' },
    programFolder: '/program',
    networkInterfaces: () => [],
  };
}

/** Progress that tells nobody. */
export function silentProgress(): Progress {
  return { start: () => ({ advance: () => undefined, done: () => undefined }), note: () => undefined };
}

function noProcesses(): Processes {
  return { run: async ({ command }) => Promise.reject(new Error(`the test has no process ${command}`)) };
}
