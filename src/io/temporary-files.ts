/**
 * Names of files that are not complete yet, and folders that were made for them.
 *
 * Invariant: every temporary name in use is in the set, so that an exception, Ctrl-C or the second Ctrl-C leaves none behind,
 * nor a folder in which nothing came to be.
 */
import { randomBytes } from 'node:crypto';
import { promises, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from './make-folder.ts';

/** The temporary files of one process. */
export interface TemporaryFiles {
  /** A fresh name with 128 random bits in the folder of `path`, remembered. */
  nameBeside(path: string): string;
  /** Makes the folder of a file, and those above it, where they are missing. */
  makeFolder(path: string): void;
  /** Forgets a name whose file has got its final name, and so stays with its folder. */
  forget(name: string): void;
  /** A file that had its final name was removed again. */
  takenBack(path: string): void;
  /** Removes the file of that name, if it is still there, and forgets it. */
  remove(name: string): Promise<void>;
  /** Removes all of them at once, synchronously: the process is about to end. */
  removeAll(): void;
}

/** Starts with no temporary files. */
export function temporaryFiles(): TemporaryFiles {
  const names = new Set<string>();
  const made = new Set<string>();
  const mayBeEmpty = new Set<string>();
  return {
    nameBeside(path) {
      const name = join(dirname(path), `.secureev-${randomBytes(16).toString('hex')}.tmp`);
      names.add(name);
      return name;
    },
    makeFolder(path) {
      for (const folder of makeFolder(path)) {
        made.add(folder);
        mayBeEmpty.add(folder);
      }
    },
    forget(name) {
      names.delete(name);
      for (let folder = dirname(name); mayBeEmpty.delete(folder);) folder = dirname(folder);
    },
    takenBack(path) {
      for (let folder = dirname(path); made.has(folder); folder = dirname(folder)) mayBeEmpty.add(folder);
    },
    async remove(name) {
      if (!names.has(name)) return;
      await promises.unlink(name).catch(() => undefined);
      names.delete(name);
    },
    removeAll() {
      for (const name of names) orNothing(() => unlinkSync(name));
      names.clear();
      const deepestFirst = [...mayBeEmpty].sort((a, b) => b.length - a.length);
      for (const folder of deepestFirst) orNothing(() => rmdirSync(folder));
      mayBeEmpty.clear();
    },
  };
}

/** It was never made, is gone already, or is not empty; there is nobody left to tell. */
function orNothing(remove: () => void): void {
  try {
    remove();
  } catch {
    return;
  }
}
