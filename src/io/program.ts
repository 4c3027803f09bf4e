/**
 * Where this program lies.
 *
 * Installed, its modules are put together into files of `dist/`, each beside the scripts of its threads; run from source,
 * they are in `src/io/`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The absolute path of the folder with `package.json`, `bin/` and `dist/`. */
export function programFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(`${folder}/bin/secureev.js`) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The version in `package.json`, e.g. `0.1.0`. */
export function packageVersion(): string {
  const text = readFileSync(`${programFolder()}/package.json`, 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

/** The script of a thread: `src/io/NAME.ts`, which is a file of its own in `dist/` too (see `scripts/build.js`). */
export function threadScript(name: string): URL {
  return new URL(`./${name}${import.meta.url.slice(-3)}`, import.meta.url);
}
