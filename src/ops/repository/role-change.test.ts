import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { discardRoles } from './discard.ts';
import { listRoles } from './role-list.ts';
import { changeRole } from './role-change.ts';
import type { RoleChangeAnswer, RoleChangeInput } from './role-change.ts';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'ok';
}

const keyId = async (repository: TestRepository, name: string): Promise<string> =>
  (await repository.key(name)).keys[0]?.publicKey.keyId ?? '';

async function change(
  repository: TestRepository,
  role: string,
  what: Partial<RoleChangeInput>,
): Promise<RoleChangeAnswer> {
  const none = { add: [], remove: [], replace: [] };
  return await changeRole({ repository: repository.choice, role, ...none, ...what }, repository.io);
}

/** Replacements written `old>new`. */
async function replacing(repository: TestRepository, text: string): Promise<{ old: string; file: string }[]> {
  const pairs = text.split(' ').map((pair) => pair.split('>'));
  return await Promise.all(
    pairs.map(async ([old = '', next = '']) => {
      await repository.key(next);
      return { old: await keyId(repository, old), file: `${next}.pub` };
    }),
  );
}

async function stateOf(repository: TestRepository, names: string): Promise<string> {
  const { outcomes } = await repository.sign('root', names);
  return outcomes.map(({ version, state }) => `${version ?? ''} ${state}`).join();
}

describe('a change of keys', () => {
  test('tells whose signatures the next root needs, old and new, classical and post-quantum', async () => {
    await using repository = await repositoryWithRoot();
    const { root } = await change(repository, 'root', { replace: await replacing(repository, 'root-c>root-d') });
    expect(root).toMatchObject({ role: 'root', version: 2, after: null });
    expect(
      root?.quorums.map(({ authority, section, needed, keys }) => [authority, section, needed, keys.length]),
    ).toEqual([
      ['root 1', 'classical', 2, 3],
      ['root 1', 'post-quantum', 2, 3],
      ['root 2', 'classical', 2, 3],
      ['root 2', 'post-quantum', 2, 3],
    ]);
  });

  test('U30 all root keys are replaced at once, signed by the old quorum and the new one', async () => {
    await using repository = await repositoryWithRoot();
    const replace = await replacing(repository, 'root-a>root-d root-b>root-e root-c>root-f');
    await change(repository, 'root', { replace });
    expect(await stateOf(repository, 'root-d root-e root-f')).toBe('2 waiting');
    expect(await stateOf(repository, 'root-a root-c')).toBe('2 complete');
    await change(repository, 'root', { threshold: 1 });
    expect(await stateOf(repository, 'root-d root-e')).toBe('3 complete');
  });

  test('an expiry shorter than before needs to be meant', async () => {
    await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
    const days = (n: number, shorterExpiry?: boolean): Promise<unknown> =>
      change(repository, 'targets', { lifetimeSeconds: n * 86_400, shorterExpiry });
    expect(await codeOf(days(10))).toBe('LIFETIME_SHORTENED');
    expect(await codeOf(days(100))).toBe('ok');
    expect(await codeOf(days(10, true))).toBe('ok');
    await repository.key('targets-2');
    expect(await codeOf(change(repository, 'targets', { add: ['targets-2.pub'] }))).toBe('ok');
  });

  test('a threshold beyond the keys is refused', async () => {
    await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
    expect(await codeOf(change(repository, 'root', { threshold: 4 }))).toBe('THRESHOLD_UNREACHABLE');
    const remove = [await keyId(repository, 'root-a'), await keyId(repository, 'root-b')];
    expect(await codeOf(change(repository, 'root', { remove }))).toBe('THRESHOLD_UNREACHABLE');
  });

  test('is dropped while nobody has signed, and its number is used', async () => {
    await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
    await change(repository, 'root', { replace: await replacing(repository, 'root-c>root-d') });
    await discardRoles({ repository: repository.choice, roles: ['root'] }, repository.io);
    const roles = await listRoles({ repository: repository.choice }, repository.io);
    expect(JSON.stringify(roles)).not.toContain(await keyId(repository, 'root-d'));
    await change(repository, 'root', { add: ['root-d.pub'] });
    expect(await stateOf(repository, 'root-a root-b')).toBe('2 complete');
  });

  test('T3 once a signature is out no version is skipped: it is completed, and changed back in the next', async () => {
    await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
    await change(repository, 'root', { replace: await replacing(repository, 'root-c>root-d') });
    expect(await stateOf(repository, 'root-a')).toBe('2 waiting');
    const discarded = discardRoles({ repository: repository.choice, roles: ['root'] }, repository.io);
    expect(await codeOf(discarded)).toBe('ROOT_VERSION_SIGNED');
    const back = await change(repository, 'root', { replace: await replacing(repository, 'root-d>root-c') });
    expect(back.root).toMatchObject({ version: 3, after: 2 });
    expect(back.root?.quorums.map(({ authority }) => authority)).toEqual(['root 2', 'root 3']);
    expect(await stateOf(repository, 'root-b')).toBe('2 complete');
    expect(await stateOf(repository, 'root-a root-b')).toBe('3 complete');
    expect(await stateOf(repository, 'root-a')).toBe('3 unchanged');
  });
});
