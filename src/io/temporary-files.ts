/**
 * Names of files that are not complete yet.
 *
 * Invariant: every temporary name in use is in the set, so that an exception, Ctrl-C or the second Ctrl-C leaves none behind.
 */
import { randomBytes } from 'node:crypto';
import { promises, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The temporary files of one process. */
export interface TemporaryFiles {
  /** A fresh name with 128 random bits in the folder of `path`, remembered. */
  nameBeside(path: string): string;
  /** Forgets a name whose file has got its final name. */
  forget(name: string): void;
  /** Removes the file of that name, if it is still there, and forgets it. */
  remove(name: string): Promise<void>;
  /** Removes all of them at once, synchronously: the process is about to end. */
  removeAll(): void;
}

/** Starts with no temporary files. */
export function temporaryFiles(): TemporaryFiles {
  const names = new Set<string>();
  return {
    nameBeside(path) {
      const name = join(dirname(path), `.secureev-${randomBytes(16).toString('hex')}.tmp`);
      names.add(name);
      return name;
    },
    forget: (name) => void names.delete(name),
    async remove(name) {
      if (!names.has(name)) return;
      await promises.unlink(name).catch(() => undefined);
      names.delete(name);
    },
    removeAll() {
      for (const name of names) removeNow(name);
      names.clear();
    },
  };
}

function removeNow(name: string): void {
  try {
    unlinkSync(name);
  } catch {
    // It was never made, or is gone already; there is nobody left to tell.
  }
}
