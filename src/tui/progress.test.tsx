import { PassThrough } from 'node:stream';
import { render } from 'ink-testing-library';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startProgress } from './progress.ts';
import { ProgressRows } from './progress-screen.tsx';

function screen(isTTY: boolean): { stderr: NodeJS.WriteStream; shown: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 100, rows: 20 });
  let shown = '';
  stream.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  return { stderr: stream as unknown as NodeJS.WriteStream, shown: () => shown };
}

describe('progress', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('elsewhere than on a terminal is a plain line every five seconds', () => {
    const { stderr, shown } = screen(false);
    using progress = startProgress({ stderr: () => stderr, quiet: false, env: {} });
    const task = progress.start('seal', 100, 'items');
    task.advance(25);
    vi.advanceTimersByTime(4999);
    expect(shown()).toBe('');
    vi.advanceTimersByTime(1);
    expect(shown()).toBe('seal: 25%  25 of 100, 5/s, 15 s left\n');
    vi.advanceTimersByTime(5000);
    expect(shown().split('\n')).toHaveLength(3);
    task.done();
    vi.advanceTimersByTime(60_000);
    expect(shown().split('\n')).toHaveLength(3);
  });

  test('is nothing for short work and with --quiet', () => {
    for (const quiet of [false, true]) {
      const { stderr, shown } = screen(!quiet);
      using progress = startProgress({ stderr: () => stderr, quiet, env: {} });
      const task = progress.start('seal', 100, 'items');
      vi.advanceTimersByTime(quiet ? 60_000 : 999);
      task.done();
      vi.advanceTimersByTime(60_000);
      expect(shown()).toBe('');
    }
  });

  test('cannot carry control characters to the terminal', () => {
    const { stderr, shown } = screen(false);
    using progress = startProgress({ stderr: () => stderr, quiet: false, env: {} });
    progress.start('\u001b[2Jx', 1, 'items');
    vi.advanceTimersByTime(5000);
    expect(shown()).toContain('\\u001b[2Jx: 0%');
  });
});

test('on a terminal a live line appears after a second and is wiped away at the end', async () => {
  const { stderr, shown } = screen(true);
  using progress = startProgress({ stderr: () => stderr, quiet: false, env: {} });
  const task = progress.start('package', 2 ** 30, 'bytes');
  task.advance(2 ** 29);
  await vi.waitFor(() => expect(shown()).toContain('512 MiB of 1.0 GiB'), { timeout: 10_000 });
  const before = shown().length;
  task.done();
  // Ink's last words: the line it wrote is erased.
  expect(shown().slice(before)).toContain('\u001b[2K');
});

test('each piece of work has its row', () => {
  const tasks = [
    { title: 'read', total: 10, unit: 'items', startedMs: 0, done: 5 },
    { title: 'write', total: 10, unit: 'items', startedMs: 1, done: 0 },
  ] as const;
  const { lastFrame, unmount } = render(<ProgressRows tasks={tasks} nowMs={1000} />);
  expect(lastFrame()).toMatch(/read █{12}░{12} {2}50% {2}5 of 10.*\nwrite ░{24}/);
  unmount();
});
