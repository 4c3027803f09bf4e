/**
 * Progress on standard error: a live line on a terminal once work takes over a second, plain lines now and then
 * elsewhere, nothing with `--quiet`.
 *
 * Invariants: ink is loaded only when the live line is first shown; short work shows nothing at all.
 */
import type { Progress, Task } from '../core/report.ts';
import { printableLine } from '../render/text.ts';
import { progressLine } from '../render/progress.ts';
import type { ProgressState } from '../render/progress.ts';

/** Where progress goes, and whether it does. */
export interface ProgressSetting {
  /** Asked for only when something is shown. */
  readonly stderr: () => NodeJS.WriteStream;
  readonly quiet: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Progress that ends with the run. */
export type RunProgress = Progress & Disposable;

/** Work shorter than this shows nothing. */
const SILENCE_MS = 1000;
const LINE_EVERY_MS = 5000;
const FRAME_EVERY_MS = 125;

/** Starts telling progress. */
export function startProgress({ stderr, quiet, env }: ProgressSetting): RunProgress {
  if (quiet) return silence();
  const tasks = new Set<ProgressState>();
  let teller: Teller | undefined;
  const tell = (): Teller => {
    const live = stderr().isTTY && env['TERM'] !== 'dumb' && env['CI'] === undefined;
    return (teller ??= live ? screen(stderr(), tasks) : lines(stderr(), tasks));
  };
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    teller?.stop();
  };
  const tick = (): void => {
    const { show, everyMs } = tell();
    show();
    timer = setTimeout(tick, everyMs).unref();
  };
  return {
    start(title, total, unit) {
      const state = { title: printableLine(title), total, unit, done: 0, startedMs: performance.now() };
      tasks.add(state);
      timer ??= setTimeout(tick, tell().firstAfterMs).unref();
      return taskOf(state, () => tasks.delete(state) && tasks.size === 0 && stop());
    },
    note: (text) => void stderr().write(`${printableLine(text)}\n`),
    [Symbol.dispose]: stop,
  };
}

function silence(): RunProgress {
  const task: Task = { advance: () => undefined, done: () => undefined };
  return { start: () => task, note: () => undefined, [Symbol.dispose]: () => undefined };
}

function taskOf(state: ProgressState, ended: () => unknown): Task {
  return {
    advance: (count) => void (state.done += count),
    done: () => void ended(),
  };
}

/** A way to show the tasks that are under way. */
interface Teller {
  readonly firstAfterMs: number;
  readonly everyMs: number;
  show(): void;
  stop(): void;
}

function lines(stderr: NodeJS.WriteStream, tasks: ReadonlySet<ProgressState>): Teller {
  return {
    firstAfterMs: LINE_EVERY_MS,
    everyMs: LINE_EVERY_MS,
    show() {
      for (const state of tasks) stderr.write(`${progressLine(state, performance.now())}\n`);
    },
    stop: () => undefined,
  };
}

/** The ink screen, loaded when it is first shown; one that arrives after the end is not shown. */
function screen(stderr: NodeJS.WriteStream, tasks: ReadonlySet<ProgressState>): Teller {
  let loading: Promise<void> | undefined;
  let shown: { update(): void; unmount(): void } | undefined;
  const load = async (): Promise<void> => {
    const { progressScreen } = await import('./progress-screen.tsx');
    const show = await progressScreen(stderr, tasks);
    if (tasks.size > 0) shown = show();
  };
  return {
    firstAfterMs: SILENCE_MS,
    everyMs: FRAME_EVERY_MS,
    show() {
      loading ??= load();
      shown?.update();
    },
    stop() {
      shown?.unmount();
      shown = undefined;
      loading = undefined;
    },
  };
}
