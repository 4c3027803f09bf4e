/** Folders with those above them. */
import { existsSync, promises } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from './system-errors.ts';

/**
 * Makes the folder `path`, and those above it, where they are missing. Node's own recursive `mkdir` never ends where a file
 * system takes no folder and says that there is none above it, as `/proc` does.
 */
export async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return await requireFolder(path);
  try {
    await promises.mkdir(path);
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return await requireFolder(path);
    if (systemCode(thrown) !== 'ENOENT' || dirname(path) === path) throw thrown;
    await makeFolder(dirname(path));
    await promises.mkdir(path).catch((again: unknown) => {
      if (systemCode(again) !== 'EEXIST') throw again;
    });
  }
}

async function requireFolder(path: string): Promise<void> {
  if ((await promises.stat(path)).isDirectory()) return;
  throw Object.assign(new Error(`ENOTDIR: ${path}`), { code: 'ENOTDIR' });
}
