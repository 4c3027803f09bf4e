import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { decodeMetadata, decodeRole } from '../../formats/metadata/envelope.ts';
import { findRole } from '../../store/roles.ts';
import type { RepositoryKind } from '../../store/roles.ts';
import { lastComplete } from '../../store/versions.ts';
import { repositoryWithRoot, testRepository } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { discardRoles } from './discard.ts';
import { changeRole } from './role-change.ts';
import { setRole } from './role-set.ts';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

async function completeFile(
  repository: TestRepository,
  repositoryKind: RepositoryKind,
  name: string,
): Promise<Uint8Array> {
  const file = await repository.open((open) => {
    const role = findRole(open, { repository: repositoryKind, name });
    return role === undefined ? undefined : lastComplete(open, role)?.file;
  });
  if (file === undefined) throw new Error(`${name} is not complete`);
  return file;
}

async function stateOf(repository: TestRepository, name: string): Promise<unknown> {
  return await repository.open((open) => findRole(open, { repository: 'image', name }));
}

async function keyId(repository: TestRepository, name: string): Promise<string> {
  return (await repository.key(name)).keys[0]?.publicKey.keyId ?? '';
}

describe('role set and role change', () => {
  test('refuse what cannot work', async () => {
    await using repository = await repositoryWithRoot();
    const { choice, io } = repository;
    const set = (role: string, publicFiles: readonly string[], threshold?: number): Promise<unknown> =>
      setRole({ repository: choice, role, publicFiles, threshold }, io);
    await repository.key('new-1');
    await repository.key('new-2');
    expect(await codeOf(set('root', ['new-1.pub']))).toBe('ROLE_KEYS_EXIST');
    expect(await codeOf(set('director/root', ['new-1.pub', 'new-2.pub']))).toBe('THRESHOLD_MISSING');
    expect(await codeOf(set('director/root', ['new-1.pub', 'new-1.pub'], 2))).toBe('KEY_DUPLICATE');
    expect(await codeOf(set('director/root', ['new-1.pub', 'new-2.pub'], 3))).toBe('THRESHOLD_UNREACHABLE');
    expect(await codeOf(set('director/root', ['root-a.pub']))).toBe('KEY_SERVES_ANOTHER');
    expect(await codeOf(set('escrow', ['new-1.pub']))).toBe('KEY_UNSUITABLE');
    expect(await codeOf(set('nobody', ['new-1.pub']))).toBe('ROLE_UNKNOWN');
    const change = {
      repository: choice,
      role: 'root',
      add: [],
      replace: [],
      remove: [await keyId(repository, 'root-a')],
    };
    expect(await codeOf(changeRole({ ...change, threshold: 3 }, io))).toBe('THRESHOLD_UNREACHABLE');
    expect(await codeOf(changeRole({ ...change, remove: ['00000000'] }, io))).toBe('KEY_NOT_IN_ROLE');
    expect(await codeOf(changeRole({ ...change, remove: [] }, io))).toBe('USAGE');
    await set('director/root', ['new-1.pub']);
    expect(await codeOf(changeRole({ ...change, remove: [], add: ['new-1.pub'] }, io))).toBe('KEY_SERVES_ANOTHER');
  });

  test('U27 warn of a key that two roles share', async () => {
    await using repository = await testRepository();
    await repository.setKeys('snapshot', ['online']);
    const shared = await setRole(
      { repository: repository.choice, role: 'timestamp', publicFiles: ['online.pub'] },
      repository.io,
    );
    expect(shared.warnings).toHaveLength(1);
  });

  test('U26 one online key may serve the three roles of the Director, whose files live for a day', async () => {
    await using repository = await testRepository();
    const { choice, io } = repository;
    await repository.key('online');
    const set = (
      role: string,
    ): Promise<{ warnings: readonly string[]; definition: { lifetimeSeconds: number | null } }> =>
      setRole({ repository: choice, role: `director/${role}`, publicFiles: ['online.pub'] }, io);
    for (const role of ['targets', 'snapshot', 'timestamp']) {
      const { warnings, definition } = await set(role);
      expect(warnings).toEqual([]);
      expect(definition.lifetimeSeconds).toBe(86_400);
    }
    expect((await set('root')).warnings).toHaveLength(3);
  });

  test('the Director has a root of its own', async () => {
    await using repository = await testRepository();
    for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
      await repository.setKeys(`director/${role}`, [`d-${role}`]);
    }
    expect(await repository.sign('director/root', 'd-root')).toMatchObject({ complete: true });
    const file = await completeFile(repository, 'director', 'root');
    expect(decodeMetadata(file).unverified.signed.extension?.kind).toBe('director');
    expect(await codeOf(repository.sign('director/targets', 'd-targets'))).toBe('ROLE_UNKNOWN');
  });
});

describe('discard', () => {
  test('drops what is staged; a number that was signed is not given again', async () => {
    await using repository = await repositoryWithRoot();
    const discard = (roles: string): Promise<unknown> =>
      discardRoles({ repository: repository.choice, roles: roles.split(' ') }, repository.io);
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    expect(await discard('targets')).toEqual([{ role: 'targets', items: 1, cancelled: null }]);
    await repository.key('root-d');
    await changeRole(
      { repository: repository.choice, role: 'root', add: ['root-d.pub'], remove: [], replace: [] },
      repository.io,
    );
    await repository.sign('root', 'root-a');
    expect(await codeOf(discard('root'))).toBe('ROOT_VERSION_SIGNED');
    await repository.sign('root', 'root-b');
    expect(await stateOf(repository, 'root')).toMatchObject({ completeVersion: 2, frozenVersion: null });
  });

  test('a cancelled version of Targets leaves a gap in the numbers', async () => {
    await using repository = await testRepository();
    await repository.setKeys('root', ['root-a']);
    await repository.setKeys('targets', ['targets', 'targets-2'], 2);
    for (const role of ['snapshot', 'timestamp']) await repository.setKeys(role, [role]);
    await repository.sign('root', 'root-a');
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    await repository.sign('targets', 'targets');
    const discarded = await discardRoles({ repository: repository.choice, roles: ['targets'] }, repository.io);
    expect(discarded).toEqual([{ role: 'targets', items: 1, cancelled: 1 }]);
    const next = await repository.sign('targets', 'targets targets-2');
    expect(next.outcomes).toMatchObject([{ version: 2, state: 'complete' }]);
    const { signed } = decodeRole(await completeFile(repository, 'image', 'targets'), 'targets').unverified;
    expect(signed.targets.size).toBe(0);
  });
});
