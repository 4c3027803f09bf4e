/** The real {@link Io}: Node's files, clock, randomness, terminal and processes. */
import { randomFillSync } from 'node:crypto';
import { instantOf } from '../core/brands.ts';
import type { Clock, Io, Random } from '../core/ports.ts';
import type { Progress } from '../core/report.ts';
import { availableEngine } from '../crypto/engine.ts';
import { nodeEnvironment } from './environment.ts';
import { nodeFiles } from './files.ts';
import { createHttp, HTTP_LIMITS } from './http.ts';
import type { Machine } from './machine.ts';
import { nodeProcesses } from './processes.ts';
import type { TemporaryFiles } from './temporary-files.ts';
import { nodeTerminal } from './terminal.ts';
import { nodeHashing } from './hashing.ts';
import { nodeWorkers } from './workers.ts';
import { nodeZstd } from './zstd.ts';

const RANDOM_BYTES_MAX = 65_536;

/** What belongs to one run of `main`. */
export interface Run {
  readonly signal: AbortSignal;
  readonly temporary: TemporaryFiles;
  readonly progress: Progress;
}

/** Builds the Io of one run on `machine`. @throws ENGINE_MISSING */
export function createIo(machine: Machine, run: Run): Io {
  const { env, workingFolder } = machine;
  const { signal, temporary, progress } = run;
  const engine = availableEngine(env['SECUREEV_ENGINE']);
  const io: Io = {
    engine,
    clock: systemClock(),
    random: systemRandom(),
    files: nodeFiles({ workingFolder, stdin: () => machine.stdin, signal, temporary }),
    terminal: nodeTerminal(() => machine, signal),
    environment: nodeEnvironment(env),
    processes: nodeProcesses({ env, folder: workingFolder, signal }),
    zstd: nodeZstd(),
    hashing: nodeHashing(engine),
    workers: nodeWorkers(engine),
    http: createHttp({ limits: HTTP_LIMITS, signal, elapsedMs: () => performance.now() }),
    progress,
    signal,
  };
  return machine.adapt?.(io) ?? io;
}

function systemClock(): Clock {
  return { now: () => instantOf(Math.floor(Date.now() / 1000), "the machine's clock") };
}

function systemRandom(): Random {
  return {
    bytes(count) {
      if (count > RANDOM_BYTES_MAX) throw new RangeError(`${count} random bytes at once`);
      return randomFillSync(new Uint8Array(count));
    },
  };
}
