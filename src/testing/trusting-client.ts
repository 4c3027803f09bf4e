/** A client of a simulated repository, as tests start it again and again. */
import { instantOf, parseTargetName } from '../core/brands.ts';
import type { Instant } from '../core/brands.ts';
import { SecureevError } from '../core/errors.ts';
import { findTarget } from '../trust/find-target.ts';
import type { SearchResult } from '../trust/find-target.ts';
import type { TrustStore } from '../trust/source.ts';
import type { TrustedSet } from '../trust/state.ts';
import { updateFrom } from '../trust/update.ts';
import type { UpdateRequest } from '../trust/update.ts';
import type { Simulator } from './simulator.ts';
import { memoryStore, sourceOf } from './trust-source.ts';
import type { TestSource, TestStore } from './trust-source.ts';

/** What differs from one client to the next. */
export type ClientSetup = Partial<UpdateRequest> & { readonly source?: TestSource };

/** A client with its own store and its own pinned root. */
export interface TrustingClient {
  readonly store: TestStore;
  /** Updates, seeing the tree as it is now. */
  update(setup?: ClientSetup): Promise<TrustedSet>;
  /** Updates and searches. */
  find(name: string, setup?: ClientSetup & { hardwareId?: string }): Promise<SearchResult>;
}

/** A client that pins the repository's first root. */
export function trustingClient(simulator: Simulator, pinned = simulator.files.get('1.root.json')): TrustingClient {
  const store = memoryStore();
  const pinnedRoot = pinned ?? new Uint8Array();
  const update = (setup: ClientSetup = {}): Promise<TrustedSet> => {
    const source = setup.source ?? sourceOf(simulator.files);
    return updateFrom(source, { engine: 'native', pinnedRoot, now: simulator.now, store, ...setup });
  };
  return {
    store,
    update,
    async find(name, setup = {}) {
      const source = setup.source ?? sourceOf(simulator.files);
      const set = await update({ ...setup, source });
      return findTarget({ source, store }, set, { name: parseTargetName(name), hardwareId: setup.hardwareId });
    },
  };
}

/** The code that `work` fails with, or `done` where it does not fail. */
export async function outcomeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work);
    return 'done';
  } catch (thrown) {
    if (thrown instanceof SecureevError) return thrown.code;
    throw thrown;
  }
}

/** A time some days after (or before) another. */
export function daysAfter(now: Instant, days: number): Instant {
  return instantOf(now + days * 86_400);
}

/** A store that fails at its Nth write. */
export function failingStore(store: TrustStore, failAt: number): TrustStore {
  let writes = 0;
  const count = (): void => {
    if (++writes === failAt) throw new Error('killed');
  };
  return {
    load: (role) => store.load(role),
    async save(role, bytes) {
      count();
      await store.save(role, bytes);
    },
    async remove(role) {
      count();
      await store.remove(role);
    },
  };
}
