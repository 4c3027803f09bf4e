/** How work under way reads. */
import { duration, size } from './text.ts';

/** A piece of work under way; `done` moves. */
export interface ProgressState {
  readonly title: string;
  /** In `unit`s; 0 where it is not known. */
  readonly total: number;
  readonly unit: 'bytes' | 'items';
  /** On a clock that only goes forward. */
  readonly startedMs: number;
  done: number;
}

const BAR_CELLS = 24;

/** The share that is done, from 0 to 1. */
export function doneShare({ done, total }: ProgressState): number {
  return total <= 0 ? 0 : Math.min(1, done / total);
}

/** A bar of 24 cells: `█████░░░`. */
export function progressBar(state: ProgressState): string {
  const full = Math.round(BAR_CELLS * doneShare(state));
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

/** How much, how fast, how long still: ` 62%  248 MiB of 400 MiB, 180 MiB/s, 1 s left`. */
export function progressFigures(state: ProgressState, nowMs: number): string {
  const { done, total, unit, startedMs } = state;
  const amount = (units: number): string => (unit === 'bytes' ? size(units) : String(Math.round(units)));
  const seconds = Math.max(0.001, (nowMs - startedMs) / 1000);
  const rate = done / seconds;
  const percent = `${Math.floor(100 * doneShare(state))}%`.padStart(4);
  const left = done > 0 && total > done ? `, ${duration((total - done) / rate)} left` : '';
  return `${percent}  ${amount(done)} of ${amount(total)}, ${amount(rate)}/s${left}`;
}

/** One plain line: `package: 62%  248 MiB of 400 MiB, 180 MiB/s, 1 s left`. */
export function progressLine(state: ProgressState, nowMs: number): string {
  return `${state.title}: ${progressFigures(state, nowMs).trimStart()}`;
}
