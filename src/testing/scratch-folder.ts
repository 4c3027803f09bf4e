/** A temporary folder for one test, and the real files of `io/` in it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Files } from '../core/ports.ts';
import { nodeFiles } from '../io/files.ts';
import type { FilesOptions } from '../io/files.ts';
import { temporaryFiles } from '../io/temporary-files.ts';

/** A folder that is removed when disposed. */
export interface ScratchFolder extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
  /** The real file system, relative paths taken from the folder. */
  readonly files: Files;
}

/** Makes a fresh folder in `parent`; the other options change how its files are reached. */
export async function scratchFolder(options: Partial<FilesOptions> & { parent?: string } = {}): Promise<ScratchFolder> {
  const path = await mkdtemp(join(options.parent ?? tmpdir(), 'secureev-test-'));
  const files = nodeFiles({
    workingFolder: path,
    stdin: noInput,
    signal: new AbortController().signal,
    temporary: temporaryFiles(),
    ...options,
  });
  return { path, files, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function* noInput(): AsyncGenerator<Uint8Array> {}
