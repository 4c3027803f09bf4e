/** A source and a store of metadata in memory. */
import type { TrustSource, TrustStore } from '../trust/source.ts';

/** A source over files in memory, and the names that were asked for. */
export interface TestSource extends TrustSource {
  readonly asked: string[];
}

/** Serves files; what `misbehave` gives for a name (bytes, or nothing) is served instead. */
export function sourceOf(
  files: ReadonlyMap<string, Uint8Array>,
  misbehave: (name: string, maxBytes: number) => Uint8Array | undefined = (name) => files.get(name),
): TestSource {
  const asked: string[] = [];
  return {
    asked,
    fetch(name, maxBytes) {
      asked.push(name);
      return Promise.resolve(misbehave(name, maxBytes));
    },
  };
}

/** A store in memory, and what was done to it in order. */
export interface TestStore extends TrustStore {
  readonly files: Map<string, Uint8Array>;
  readonly done: string[];
}

/** Makes an empty store. */
export function memoryStore(): TestStore {
  const files = new Map<string, Uint8Array>();
  const done: string[] = [];
  return {
    files,
    done,
    load: (role) => Promise.resolve(files.get(role)),
    save(role, bytes) {
      done.push(`save ${role}`);
      files.set(role, bytes);
      return Promise.resolve();
    },
    remove(role) {
      done.push(`remove ${role}`);
      files.delete(role);
      return Promise.resolve();
    },
  };
}
