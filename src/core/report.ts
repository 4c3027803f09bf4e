/** What long work and verification tell about themselves: progress events and lists of checks. */

/** The outcome of one named check of `verify`. */
export interface Check {
  /** Stable name for scripts, e.g. `bundle-signatures`. */
  readonly id: string;
  /** What it means, in words. */
  readonly title: string;
  readonly status: 'pass' | 'fail' | 'skip';
  /** What was found: on failure the error's message, on a skip the reason. */
  readonly detail: string;
  /** The error code of a failed check. */
  readonly code?: string;
}

/** A started piece of work of known size. */
export interface Task {
  /** `count` more units are done. */
  advance(count: number): void;
  done(): void;
}

/** Where progress is told. */
export interface Progress {
  /** Starts a piece of work; `total` is in `unit`s. */
  start(title: string, total: number, unit: 'bytes' | 'items'): Task;
  /** Tells something a person should see now, such as which token is about to sign; one line. */
  note(text: string): void;
}
