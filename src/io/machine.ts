/**
 * The process we run in: its streams, environment and signals. The one place that touches the global `process`.
 *
 * Invariant: nothing is opened or initialised before it is asked for; `--version` starts as fast as Node does.
 */
import { writeSync } from 'node:fs';
import type { Io } from '../core/ports.ts';

/** What `main` runs on. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  readonly workingFolder: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  /** Writes to standard output; resolves with the error where there was one. */
  print(text: string): Promise<Error | undefined>;
  /** Calls back each time the user or the system wants us to stop; gives the way to stop listening. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(status: number): void;
  /** Resolves when standard error has taken all that was written to it. */
  drained(): Promise<unknown>;
  /** Changes the real Io before it is used: for tests. */
  readonly adapt?: (io: Io) => Io;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Writes to a stream; resolves with the error where there was one. */
export function writeTo(stream: NodeJS.WritableStream, text: string | Uint8Array): Promise<Error | undefined> {
  return new Promise((resolve) => {
    // A stream that fails says so twice: to the callback and to all the world.
    stream.on('error', resolve);
    stream.write(text, (error) => resolve(error ?? undefined));
  });
}

const STDOUT = 1;

/** Without the stream that Node makes of standard output, which takes longer than all that is written to it. */
async function printNow(text: string): Promise<Error | undefined> {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(STDOUT, bytes, written);
    return undefined;
  } catch (thrown) {
    // Whoever shares the pipe with us has it not wait: the stream knows how to.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN')
      return await writeTo(process.stdout, bytes.subarray(written));
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

/** The real machine. */
export function nodeMachine(): Machine {
  let stderr: NodeJS.WriteStream | undefined;
  return {
    env: process.env,
    get workingFolder() {
      return process.cwd();
    },
    get stdin() {
      return process.stdin;
    },
    get stderr() {
      return (stderr ??= process.stderr);
    },
    print: printNow,
    onInterrupt(listener) {
      for (const signal of STOP_SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, listener);
      };
    },
    exit: (status) => process.exit(status),
    drained: async () => (stderr === undefined || stderr.writableLength === 0 ? undefined : writeTo(stderr, '')),
  };
}
