/** What goes away when a kit is brought up to date: files of the kit before, and what a killed run left unfinished. */
import type { Files } from '../../core/ports.ts';
import { guardTree } from './tree-links.ts';

/** The names that files have until they are complete. */
const UNFINISHED = /^\.secureev-[0-9a-f]{32}\.tmp$/;

/** Whether a file of that name was never completed. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/** Removes files that an index named, never through a link that leads out, and the folders that are empty then. */
export async function removeOld(files: Files, folder: string, paths: readonly string[]): Promise<void> {
  const guard = guardTree(files, folder);
  for (const path of paths) {
    await guard.requireInside(path);
    await files.remove(`${folder}/${path}`);
    const names = path.split('/');
    for (let depth = names.length - 1; depth > 1; depth--) {
      await files.removeFolder(`${folder}/${names.slice(0, depth).join('/')}`);
    }
  }
}

/** Removes what was never completed beside the files of a kit. */
export async function removeUnfinished(files: Files, folder: string, paths: readonly string[]): Promise<void> {
  const guard = guardTree(files, folder);
  for (const within of new Set(['', ...paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1))])) {
    for (const name of (await files.list(`${folder}/${within}`)).filter(isUnfinished)) {
      await guard.requireInside(`${within}${name}`);
      await files.remove(`${folder}/${within}${name}`);
    }
  }
}
