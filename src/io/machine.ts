/**
 * The process we run in: its streams, environment and signals. The one place that touches the global `process`.
 *
 * Invariant: nothing is opened or initialised before it is asked for; `--version` starts as fast as Node does.
 */
import type { Io } from '../core/ports.ts';

/** What `main` runs on. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths begin. */
  readonly workingFolder: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Calls back each time the user or the system wants us to stop; gives the way to stop listening. */
  onInterrupt(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(status: number): void;
  /** Changes the real Io before it is used: for tests. */
  readonly adapt?: (io: Io) => Io;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The real machine. */
export function nodeMachine(): Machine {
  return {
    env: process.env,
    get workingFolder() {
      return process.cwd();
    },
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    onInterrupt(listener) {
      for (const signal of STOP_SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of STOP_SIGNALS) process.off(signal, listener);
      };
    },
    exit: (status) => process.exit(status),
  };
}
