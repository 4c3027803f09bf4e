import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, parseTargetName } from '../core/brands.ts';
import { isFailure } from '../core/errors.ts';
import { folderIo } from '../testing/folder-io.ts';
import type { FolderIo } from '../testing/folder-io.ts';
import type { Tx } from './reader.ts';
import { createRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import {
  completeItems,
  countStaged,
  dropStaged,
  findRole,
  itemAt,
  itemChanges,
  nextItem,
  nextItems,
  roleAt,
  stageItem,
} from './roles.ts';
import type { StoredRole } from './roles.ts';
import { findTarget, findTargetBySha256, stageTarget, stageTargetRemoval, targetAt } from './targets.ts';
import {
  addSignature,
  cancelVersion,
  completeVersion,
  completeVersions,
  freezeVersion,
  frozenVersion,
  lastComplete,
  signaturesOn,
} from './versions.ts';

const ROOT = { repository: 'image', name: 'root' } as const;
const EXPIRES = instantOf(2_000_000_000);
const HASH = new Uint8Array(32).fill(7);
const OTHER_HASH = new Uint8Array(32).fill(8);
const FIRMWARE = parseTargetName('EV-1/BMS/2.0.0/bms.bin');

async function repositoryIn(machine: FolderIo): Promise<Repository> {
  return createRepository(machine.io, 'oem', { name: 'Example Motors', dialect: 'tuf' });
}

function change<T>(repository: Repository, work: (tx: Tx) => T): T {
  return repository.transact({ command: 'test', summary: 'test' }, work);
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

function freeze(tx: Tx, role: StoredRole, takesStaged = true): number {
  const version = role.lastVersion + 1;
  freezeVersion(tx, role, { version, payload: new Uint8Array([version]), expires: EXPIRES, takesStaged });
  return version;
}

function complete(tx: Tx, role: StoredRole): void {
  completeVersion(tx, role, { version: role.frozenVersion ?? 0, file: new Uint8Array([1, 2]), sha256: HASH });
}

/** A role's content as plain maps: the model that the tables are held to. */
interface Model {
  complete: Map<string, number>;
  frozen: Map<string, number> | undefined;
  next: Map<string, number>;
  readonly history: Map<number, Map<string, number>>;
  last: number;
}

type Step = { do: 'set'; item: string; value: number } | { do: 'unset'; item: string } | { do: string };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('set'), item: fc.constantFrom('a', 'b', 'c'), value: fc.nat(2) }),
  fc.record({ do: fc.constant('unset'), item: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ do: fc.constantFrom('freeze', 'renew', 'complete', 'cancel', 'drop') }),
);

function applyToModel(model: Model, step: Step): void {
  if (step.do === 'set' && 'value' in step) model.next = new Map([...model.next, [step.item, step.value]]);
  if (step.do === 'unset' && 'item' in step)
    model.next = new Map([...model.next].filter(([item]) => item !== step.item));
  if (step.do === 'freeze' && model.frozen === undefined) {
    model.frozen = model.next;
    model.last += 1;
  }
  if (step.do === 'complete' && model.frozen !== undefined) {
    model.complete = model.frozen;
    model.history.set(model.last, model.frozen);
    model.frozen = undefined;
  }
  if (step.do === 'drop') model.next = model.frozen ?? model.complete;
  if (step.do === 'cancel' && model.frozen !== undefined) {
    const { frozen, complete, next } = model;
    const kept = [...frozen.keys(), ...complete.keys(), ...next.keys()].filter(
      (item) => frozen.get(item) !== next.get(item),
    );
    model.next = new Map(complete);
    for (const item of kept) {
      const value = next.get(item);
      if (value === undefined) model.next.delete(item);
      else model.next.set(item, value);
    }
    model.frozen = undefined;
  }
}

function applyToStore(tx: Tx, step: Step): void {
  const role = roleAt(tx, ROOT);
  if (step.do === 'set' && 'value' in step) stageItem(tx, role, { item: step.item, value: { n: step.value } });
  if (step.do === 'unset' && 'item' in step) stageItem(tx, role, { item: step.item, value: undefined });
  if (step.do === 'freeze' && role.frozenVersion === null) freeze(tx, role);
  if (step.do === 'complete' && role.frozenVersion !== null) complete(tx, role);
  if (step.do === 'cancel') cancelVersion(tx, role, false);
  if (step.do === 'drop') dropStaged(tx, role);
}

function asMap(items: Iterable<{ item: string; value: Readonly<Record<string, unknown>> }>): Map<string, number> {
  return new Map([...items].map(({ item, value }) => [item, Number(value['n'])]));
}

describe('items of a role', () => {
  test('staged, frozen, complete, cancelled and dropped in any order agree with plain maps', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    let vehicle = 0;
    const run = (steps: readonly Step[]): void => {
      const model: Model = { complete: new Map(), frozen: undefined, next: new Map(), history: new Map(), last: 0 };
      repository.transact({ command: 'test', summary: '', dryRun: true }, (tx) => {
        vehicle += 1;
        for (const step of steps) {
          applyToModel(model, step);
          applyToStore(tx, step);
          const role = roleAt(tx, ROOT);
          expect(asMap(nextItems(tx, role))).toEqual(model.next);
          expect(asMap(completeItems(tx, role))).toEqual(model.complete);
          for (const item of ['a', 'b', 'c']) {
            expect(nextItem(tx, role, item)?.['n']).toBe(model.next.get(item));
          }
        }
        const role = roleAt(tx, ROOT);
        for (const [version, items] of model.history) {
          for (const [item, n] of items) expect(itemAt(tx, role, { item, version })).toEqual({ n });
        }
      });
    };
    fc.assert(fc.property(fc.array(STEP, { maxLength: 25 }), run), { numRuns: 150 });
    expect(vehicle).toBeGreaterThan(100);
  });

  test('staging what is there already stages nothing', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      stageItem(tx, roleAt(tx, ROOT), { item: 'roles/root', value: { threshold: 2 } });
      freeze(tx, roleAt(tx, ROOT));
      complete(tx, roleAt(tx, ROOT));
      stageItem(tx, roleAt(tx, ROOT), { item: 'roles/root', value: { threshold: 3 } });
      expect(countStaged(tx, roleAt(tx, ROOT))).toBe(1);
      expect([...itemChanges(tx, roleAt(tx, ROOT), false)]).toEqual([
        { item: 'roles/root', before: { threshold: 2 }, after: { threshold: 3 } },
      ]);
      stageItem(tx, roleAt(tx, ROOT), { item: 'roles/root', value: { threshold: 2 } });
      expect(countStaged(tx, roleAt(tx, ROOT))).toBe(0);
    });
  });
});

describe('versions', () => {
  test('freeze, collect signatures, complete; a renewal leaves staged items alone', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      stageItem(tx, roleAt(tx, ROOT), { item: 'a', value: { n: 1 } });
      expect(freeze(tx, roleAt(tx, ROOT))).toBe(1);
      const role = roleAt(tx, ROOT);
      expect(frozenVersion(tx, role)).toMatchObject({ version: 1, payload: new Uint8Array([1]), expires: EXPIRES });
      const signature = { section: 'classical', keyId: 'k1', signature: new Uint8Array([9]), version: 1 } as const;
      addSignature(tx, role, signature);
      addSignature(tx, role, { ...signature, signature: new Uint8Array([8]) });
      addSignature(tx, role, { ...signature, section: 'post-quantum' });
      expect(signaturesOn(tx, role, 1)).toEqual([
        { section: 'classical', keyId: 'k1', signature: new Uint8Array([9]) },
        { section: 'post-quantum', keyId: 'k1', signature: new Uint8Array([9]) },
      ]);
      complete(tx, role);
      stageItem(tx, roleAt(tx, ROOT), { item: 'a', value: { n: 2 } });
      freeze(tx, roleAt(tx, ROOT), false);
      complete(tx, roleAt(tx, ROOT));
      expect(completeVersions(tx, roleAt(tx, ROOT))).toEqual([1, 2]);
      expect(asMap(completeItems(tx, roleAt(tx, ROOT)))).toEqual(new Map([['a', 1]]));
      expect(nextItem(tx, roleAt(tx, ROOT), 'a')).toEqual({ n: 2 });
      expect(lastComplete(tx, roleAt(tx, ROOT))).toMatchObject({ version: 2, sizeBytes: 2, sha256: HASH });
    });
  });

  test('a number that was signed is never given again, one that nobody signed is', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      freeze(tx, roleAt(tx, ROOT));
      cancelVersion(tx, roleAt(tx, ROOT), true);
      expect(roleAt(tx, ROOT).lastVersion).toBe(0);
      freeze(tx, roleAt(tx, ROOT));
      cancelVersion(tx, roleAt(tx, ROOT), false);
      expect(roleAt(tx, ROOT)).toMatchObject({ lastVersion: 1, frozenVersion: null, completeVersion: null });
      const role = roleAt(tx, ROOT);
      const again = { version: 1, payload: new Uint8Array(1), expires: EXPIRES, takesStaged: true };
      expect(codeOf(() => freezeVersion(tx, role, again))).toBe('INTERNAL');
      freeze(tx, role);
      expect(codeOf(() => freezeVersion(tx, roleAt(tx, ROOT), { ...again, version: 3 }))).toBe('INTERNAL');
    });
  });
});

describe('targets', () => {
  const target = { name: FIRMWARE, length: 3, sha256: HASH, custom: { version: '2.0.0' }, confidential: true };

  test('U6 are found by name and by hash, staged and complete, and as an older version had them', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      stageTarget(tx, target);
      expect(findTargetBySha256(tx, HASH)).toMatchObject({ ...target, role: 'targets', complete: false });
      const role = (): StoredRole => roleAt(tx, { repository: 'image', name: 'targets' });
      freeze(tx, role());
      complete(tx, role());
      expect(findTarget(tx, FIRMWARE)).toMatchObject({ ...target, complete: true, insideBundle: false });
      stageTarget(tx, { ...target, sha256: OTHER_HASH, confidential: false });
      expect(findTargetBySha256(tx, HASH)).toBeUndefined();
      expect(findTargetBySha256(tx, OTHER_HASH)).toMatchObject({ name: FIRMWARE, complete: false });
      freeze(tx, role());
      complete(tx, role());
      expect(targetAt(tx, role(), { name: FIRMWARE, version: 1 })).toMatchObject({ sha256: HASH, confidential: true });
      expect(targetAt(tx, role(), { name: FIRMWARE, version: 2 })).toMatchObject({ confidential: false });
    });
  });

  test('are removed only where they are', async () => {
    await using machine = await folderIo();
    using repository = await repositoryIn(machine);
    change(repository, (tx) => {
      expect(codeOf(() => stageTargetRemoval(tx, FIRMWARE))).toBe('TARGET_UNKNOWN');
      stageTarget(tx, target);
      stageTargetRemoval(tx, FIRMWARE);
      expect(findTarget(tx, FIRMWARE)).toBeUndefined();
      expect(countStaged(tx, roleAt(tx, { repository: 'image', name: 'targets' }))).toBe(0);
      expect(codeOf(() => stageTarget(tx, { ...target, role: 'bundles' }))).toBe('ROLE_UNKNOWN');
    });
  });
});

test('a role is made once and found again', async () => {
  await using machine = await folderIo();
  using repository = await repositoryIn(machine);
  expect(findRole(repository, ROOT)).toBeUndefined();
  const made = change(repository, (tx) => roleAt(tx, ROOT));
  expect(findRole(repository, ROOT)).toEqual(made);
  expect(change(repository, (tx) => roleAt(tx, { repository: 'director', name: 'root' })).id).not.toBe(made.id);
});
