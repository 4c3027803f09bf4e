/** The live progress line: one row per piece of work under way. */
import type { ReactElement } from 'react';
import { progressBar, progressFigures } from '../render/progress.ts';
import type { ProgressState } from '../render/progress.ts';
import { Box, Text, loadInk, render } from './ink.ts';

/** A screen that is being shown. */
export interface ProgressScreen {
  /** Shows how far the work is now. */
  update(): void;
  /** Wipes the rows away. */
  unmount(): void;
}

/** A screen for `tasks` on `stderr`, made ready. */
export async function progressScreen(
  stderr: NodeJS.WriteStream,
  tasks: ReadonlySet<ProgressState>,
): Promise<() => ProgressScreen> {
  await loadInk();
  return () => showProgress(stderr, tasks);
}

/** Shows `tasks` until unmounted. */
function showProgress(stderr: NodeJS.WriteStream, tasks: ReadonlySet<ProgressState>): ProgressScreen {
  const draw = (): ReactElement => <ProgressRows tasks={[...tasks]} nowMs={performance.now()} />;
  const screen = render(draw(), {
    stdout: stderr,
    stderr,
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  return {
    update: () => screen.rerender(draw()),
    unmount() {
      screen.clear();
      screen.unmount();
    },
  };
}

/** The rows, as they stand at `nowMs`. */
export function ProgressRows({ tasks, nowMs }: { tasks: readonly ProgressState[]; nowMs: number }): ReactElement {
  return (
    <Box flexDirection="column">
      {tasks.map((state) => (
        <Text key={`${state.title}:${state.startedMs}`} wrap="truncate">
          {state.title} {progressBar(state)} {progressFigures(state, nowMs)}
        </Text>
      ))}
    </Box>
  );
}
