/** An {@link Io} over a real temporary folder, which is its working folder; all else as in `fakeIo`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../core/ports.ts';
import { nodeFiles } from '../io/files.ts';
import { temporaryFiles } from '../io/temporary-files.ts';
import type { FixedClock } from './clock.ts';
import { fakeIo } from './fake-io.ts';
import type { FakeSetup } from './fake-io.ts';

/** A machine whose files are real. */
export interface FolderIo extends AsyncDisposable {
  readonly io: Io & { readonly clock: FixedClock };
  /** The absolute path of the folder, removed when disposed. */
  readonly folder: string;
}

/** Makes a machine over a fresh folder. */
export async function folderIo(setup: Omit<FakeSetup, 'files'> = {}): Promise<FolderIo> {
  const folder = await mkdtemp(join(tmpdir(), 'secureev-test-'));
  const fake = fakeIo(setup);
  const files = nodeFiles({
    workingFolder: folder,
    stdin: emptyInput,
    signal: fake.signal,
    temporary: temporaryFiles(),
  });
  return {
    io: { ...fake, files },
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function* emptyInput(): AsyncGenerator<Uint8Array> {
  // Nothing comes from standard input.
}
