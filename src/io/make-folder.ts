/** Folders with those above them. */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from './system-errors.ts';

/**
 * Makes the folder `path`, and those above it, where they are missing; gives those it made, outermost first. Node's own recursive `mkdir` never ends where a file
 * system takes no folder and says that there is none above it, as `/proc` does.
 */
export function makeFolder(path: string): readonly string[] {
  if (existsSync(path)) {
    requireFolder(path);
    return [];
  }
  try {
    return makeOne(path);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT' || dirname(path) === path) throw thrown;
    return [...makeFolder(dirname(path)), ...makeOne(path)];
  }
}

/** Another process may make it at the same moment. */
function makeOne(path: string): readonly string[] {
  try {
    mkdirSync(path);
    return [path];
  } catch (thrown) {
    if (systemCode(thrown) !== 'EEXIST') throw thrown;
    requireFolder(path);
    return [];
  }
}

function requireFolder(path: string): void {
  if (statSync(path).isDirectory()) return;
  throw Object.assign(new Error(`ENOTDIR: ${path}`), { code: 'ENOTDIR' });
}
