/** Delegations through the operations, and what a client makes of the published tree. */
import { describe, expect, test } from 'vitest';
import { parseTargetName } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import { stagedChanges } from '../report/diff.ts';
import { repositoryStatus } from '../report/status.ts';
import { delegate, delegateBins, publishAndFind } from '../../testing/delegations.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { findCompleteTarget, findTarget } from '../../store/targets.ts';
import { changeDelegation, removeDelegation } from './delegation-change.ts';
import { listDelegations } from './delegation-list.ts';
import { discardRoles } from './discard.ts';
import { revokeSigningKey } from './key-revoke.ts';

const HYBRID = ['ecdsa-p256', 'ml-dsa-65'] as const;
const CHANGE = { add: [], remove: [], replace: [], addPaths: [], removePaths: [], move: false } as const;

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'nothing thrown',
    (thrown: unknown) => (isFailure(thrown) ? thrown.code : String(thrown)),
  );
}

async function signAll(repository: TestRepository, roles: string, keys: string): Promise<void> {
  const { outcomes, complete } = await repository.sign(`targets ${roles} snapshot timestamp`, `${ONLINE} ${keys}`);
  expect({ complete, states: outcomes.map(({ state }) => state).filter((state) => state === 'blocked') }).toEqual({
    complete: true,
    states: [],
  });
}

async function roleOf(repository: TestRepository, name: string): Promise<string | undefined> {
  return await repository.open((open) => findTarget(open, parseTargetName(name))?.role);
}

describe('which role a target goes to', () => {
  test('U12, U35: the first delegation in order that is for it, down the whole chain', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'images', 'EV-1/*/*/*');
    await delegate(repository, 'brakes', 'EV-1/BRAKES/*/*', { under: 'images' });
    await delegate(repository, 'shadowed', 'EV-1/MOTOR/*/*');
    await repository.addImage('EV-1/BRAKES/1.0/b.bin', 1);
    await repository.addImage('EV-1/MOTOR/1.0/m.bin', 1);
    await repository.addImage('other.bin', 1);
    expect(await roleOf(repository, 'EV-1/BRAKES/1.0/b.bin')).toBe('brakes');
    expect(await roleOf(repository, 'EV-1/MOTOR/1.0/m.bin')).toBe('images');
    expect(await roleOf(repository, 'other.bin')).toBe('targets');
    await signAll(repository, 'images brakes shadowed', 'images brakes shadowed');
    const { found } = await publishAndFind(repository, 'EV-1/BRAKES/1.0/b.bin');
    expect(found?.chain).toEqual(['targets', 'images', 'brakes']);
    const { found: motor } = await publishAndFind(repository, 'EV-1/MOTOR/1.0/m.bin');
    expect(motor?.chain).toEqual(['targets', 'images']);
  });

  test('U13, U35: hardware ids decide too', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'others', 'fw/*', { hardware: ['H2'] });
    await delegate(repository, 'ours', 'fw/*', { hardware: ['H1', 'H3'] });
    await repository.addImage('fw/a.bin', 1);
    expect(await roleOf(repository, 'fw/a.bin')).toBe('ours');
    await signAll(repository, 'others ours', 'others ours');
    const { found } = await publishAndFind(repository, 'fw/a.bin', 'H1');
    expect(found?.role).toBe('ours');
  });

  test('U36: several roles that must agree all list it', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'brakes', 'fw/*', { keys: ['supplier=s', 'oem=o'] });
    await repository.addImage('fw/a.bin', 1);
    await signAll(repository, 'supplier oem', 's o');
    const { found } = await publishAndFind(repository, 'fw/a.bin');
    expect(found?.policies.map(({ role }) => role)).toEqual(['supplier', 'oem']);
  });

  test('order: a delegation added before another takes its paths', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'late', 'fw/*');
    await delegate(repository, 'early', 'fw/*', { before: 'late' });
    await repository.addImage('fw/a.bin', 1);
    expect(await roleOf(repository, 'fw/a.bin')).toBe('early');
    await changeDelegation({ ...CHANGE, repository: repository.choice, name: 'early', before: null }, repository.io);
    await repository.addImage('fw/b.bin', 1);
    expect(await roleOf(repository, 'fw/b.bin')).toBe('late');
    const { delegations } = await listDelegations({ repository: repository.choice }, repository.io);
    expect(delegations.map(({ name }) => name)).toEqual(['late', 'early']);
  });
});

test('the complete versions are asked by themselves: what is only staged is not in them', async () => {
  await using repository = await repositoryWithRoot();
  await repository.addImage('fw/a.bin', 1);
  await signAll(repository, '', '');
  await delegate(repository, 'fw', 'fw/*', { move: true });
  await repository.addImage('fw/b.bin', 1);
  const known = async (name: string): Promise<boolean> =>
    await repository.open((open) => findCompleteTarget(open, parseTargetName(name)) !== undefined);
  expect([await known('fw/a.bin'), await known('fw/b.bin')]).toEqual([true, false]);
  await signAll(repository, 'fw', 'fw');
  expect([await known('fw/a.bin'), await known('fw/b.bin')]).toEqual([true, true]);
});

describe('targets that are listed already', () => {
  test('stay where clients find them, are told of, and move on request or when they are staged again', async () => {
    await using repository = await repositoryWithRoot();
    await repository.addImage('fw/a.bin', 1);
    await repository.addImage('fw/b.bin', 1);
    await signAll(repository, '', '');
    const { elsewhere } = await delegate(repository, 'fw', 'fw/*');
    expect(elsewhere).toBe(2);
    expect(await roleOf(repository, 'fw/a.bin')).toBe('targets');
    const { io, choice } = repository;
    const status = await repositoryStatus({ repository: choice, now: io.clock.now() }, io);
    expect(status.elsewhere).toEqual([{ role: 'targets', targets: 2 }]);
    await repository.addImage('fw/a.bin', 2);
    expect(await roleOf(repository, 'fw/a.bin')).toBe('fw');
    const { moved } = await changeDelegation({ ...CHANGE, repository: choice, name: 'fw', move: true }, io);
    expect(moved).toBe(1);
    await signAll(repository, 'fw', 'fw');
    const { found } = await publishAndFind(repository, 'fw/b.bin');
    expect(found?.role).toBe('fw');
  });
});

describe('keys of delegations', () => {
  test('a changed key makes the role due; what it signed before is signed anew', async () => {
    await using repository = await repositoryWithRoot();
    const { io, choice } = repository;
    await delegate(repository, 'fw', 'fw/*', { keys: ['fw-1'] });
    await repository.addImage('fw/a.bin', 1);
    await signAll(repository, 'fw', 'fw-1');
    const old = (await repository.key('fw-1')).keys[0]?.publicKey.keyId ?? '';
    await repository.key('fw-2');
    const replace = [{ old: old.slice(0, 8), file: 'fw-2.pub' }];
    await changeDelegation({ ...CHANGE, repository: choice, name: 'fw', replace }, io);
    const [diff] = await stagedChanges({ repository: choice, roles: ['targets'] }, io);
    expect(diff?.changes.map(({ kind }) => kind)).toEqual(['keys']);
    await repository.sign('targets', 'targets');
    const status = await repositoryStatus({ repository: choice, now: io.clock.now() }, io);
    expect(status.roles.find(({ role }) => role === 'fw')?.reasons).toEqual(['keys']);
    const wrong = await repository.sign('fw', 'fw-2');
    expect(wrong.outcomes[0]?.state).toBe('complete');
    await signAll(repository, '', '');
    const { found } = await publishAndFind(repository, 'fw/a.bin');
    expect(found?.role).toBe('fw');
  });

  test('thresholds: a delegated role waits for all its signers, and says whom', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'fw', 'fw/*', { keys: ['a', 'b'], threshold: 2 });
    await repository.sign('targets', 'targets');
    const first = await repository.sign('fw', 'a');
    expect(first.outcomes[0]?.state).toBe('waiting');
    expect(first.outcomes[0]?.thresholds[0]?.authority).toBe('targets 1');
    const second = await repository.sign('fw', 'b');
    expect(second.outcomes[0]).toMatchObject({ state: 'complete', version: 1 });
  });

  test('a hybrid delegator takes hybrid keys alone', async () => {
    await using repository = await repositoryWithRoot({ algorithms: HYBRID });
    const { io } = repository;
    const { testKey } = await import('../../testing/signer-keys.ts');
    await io.files.write('classical.pub', Buffer.from(testKey('classical', ['ecdsa-p256']).publicFile));
    const { addDelegation } = await import('./delegation-add.ts');
    const input = {
      repository: repository.choice,
      name: 'fw',
      under: 'targets',
      paths: ['fw/*'],
      keys: [{ role: undefined, file: 'classical.pub' }],
      hardwareIds: [],
      terminating: false,
      multiRole: false,
      move: false,
    };
    expect(await codeOf(addDelegation(input, io))).toBe('HYBRID_INCOMPLETE');
    await delegate(repository, 'fw', 'fw/*');
    await repository.addImage('fw/a.bin', 1);
    await signAll(repository, 'fw', 'fw');
    const { found } = await publishAndFind(repository, 'fw/a.bin');
    expect(found?.policies[0]?.postQuantum?.threshold).toBe(1);
  });

  test('a lost key is taken out of its delegation, or waits for a replacement', async () => {
    await using repository = await repositoryWithRoot();
    const { io, choice } = repository;
    await delegate(repository, 'fw', 'fw/*', { keys: ['a', 'b'], threshold: 1 });
    await delegate(repository, 'lone', 'lone/*');
    await signAll(repository, 'fw lone', 'a lone');
    const idOf = async (name: string): Promise<string> => (await repository.key(name)).keys[0]?.publicKey.keyId ?? '';
    const input = { repository: choice, reason: 'lost' };
    const gone = await revokeSigningKey({ ...input, keyId: await idOf('a') }, io);
    expect(gone.uses).toEqual([{ where: 'fw', outcome: 'removed', command: null }]);
    expect(gone.steps.map(({ what }) => what)).toEqual(['targets', 'fw', 'snapshot', 'timestamp', 'what clients read']);
    const kept = await revokeSigningKey({ ...input, keyId: await idOf('lone') }, io);
    expect(kept.uses[0]?.outcome).toBe('replace');
    expect(kept.uses[0]?.command).toContain('delegation change lone --replace');
    await signAll(repository, 'fw', 'b');
    await publishAndFind(repository, 'fw/a.bin');
  });
});

describe('what is refused', () => {
  test.each([
    ['a pattern that leaves its segment', 'fw', '../*', {}, 'PATH_PATTERN'],
    ['a pattern with an empty segment', 'fw', 'fw//*', {}, 'PATH_PATTERN'],
    ['the name of a role of the root', 'snapshot', 'fw/*', {}, 'DELEGATION_FORM'],
    ['an unsafe name', '../fw', 'fw/*', { keys: ['fw'] }, 'VALUE_MALFORMED'],
    ['a delegator that is not there', 'fw', 'fw/*', { under: 'nobody' }, 'ROLE_UNKNOWN'],
    ['several keys without a threshold', 'fw', 'fw/*', { keys: ['a', 'b'] }, 'THRESHOLD_MISSING'],
    ['more agreement than roles', 'fw', 'fw/*', { keys: ['r1=a', 'r2=b'], agreement: 3 }, 'DELEGATION_FORM'],
    ['a neighbour that is not there', 'fw', 'fw/*', { before: 'nobody' }, 'DELEGATION_UNKNOWN'],
  ] as const)('%s', async (_, name, path, wish, code) => {
    await using repository = await repositoryWithRoot();
    expect(await codeOf(delegate(repository, name, path, wish))).toBe(code);
    const { delegations } = await listDelegations({ repository: repository.choice }, repository.io);
    expect(delegations).toEqual([]);
  });

  test('a role delegated to twice, by whomever, and a circle', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'a', 'fw/*');
    await delegate(repository, 'b', 'fw/*', { under: 'a' });
    expect(await codeOf(delegate(repository, 'a', 'x/*'))).toBe('DELEGATION_EXISTS');
    expect(await codeOf(delegate(repository, 'b', 'x/*'))).toBe('DELEGATION_EXISTS');
    await removeDelegation({ repository: repository.choice, name: 'a' }, repository.io);
    expect(await codeOf(delegate(repository, 'a', 'fw/*', { under: 'b' }))).toBe('DELEGATION_FORM');
  });

  test('bins beside delegations, and delegations beside bins', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'a', 'fw/*');
    expect(await codeOf(delegateBins(repository, 4))).toBe('DELEGATION_MIXED');
    await delegateBins(repository, 4, { under: 'a' });
    expect(await codeOf(delegate(repository, 'b', 'fw/*', { under: 'a' }))).toBe('DELEGATION_MIXED');
    expect(await codeOf(delegate(repository, 'bins-0', 'x/*'))).toBe('DELEGATION_EXISTS');
    for (const wrong of [0, 1, 3, 131_072, Number.NaN]) {
      expect(await codeOf(delegateBins(repository, wrong, { under: 'a' }))).toBe('USAGE');
    }
  });

  test('a key of a vehicle or of the Director; signing what nobody delegates to', async () => {
    await using repository = await repositoryWithRoot();
    await repository.setKeys('director/root', ['d']);
    expect(await codeOf(delegate(repository, 'fw', 'fw/*', { keys: ['d'] }))).toBe('KEY_SERVES_ANOTHER');
    expect(await codeOf(repository.sign('nobody', 'targets'))).toBe('ROLE_UNKNOWN');
    await delegate(repository, 'fw', 'fw/*');
    const early = await repository.sign('fw', 'fw');
    expect(early.outcomes[0]?.reason).toBe('targets has no complete version that delegates to fw');
  });
});

describe('removal', () => {
  test('U32: the file stays in Snapshot, nobody is sent there, and discard takes the change back', async () => {
    await using repository = await repositoryWithRoot();
    const { io, choice } = repository;
    await delegate(repository, 'fw', 'fw/*');
    await repository.addImage('fw/a.bin', 1);
    await signAll(repository, 'fw', 'fw');
    await publishAndFind(repository, 'fw/a.bin');
    await removeDelegation({ repository: choice, name: 'fw' }, io);
    await discardRoles({ repository: choice, roles: ['targets'] }, io);
    expect(await roleOf(repository, 'fw/a.bin')).toBe('fw');
    await removeDelegation({ repository: choice, name: 'fw' }, io);
    await signAll(repository, '', '');
    const { found, fetched } = await publishAndFind(repository, 'fw/a.bin');
    expect(found).toBeUndefined();
    expect(fetched.filter((name) => name.includes('fw'))).toEqual([]);
    const snapshot = await io.files.read('public/metadata/2.snapshot.json', 100_000);
    expect(String(Buffer.from(snapshot))).toContain('"fw.json":{"version":1}');
  });
});

describe('renewal and plain signing', () => {
  test('delegated roles are renewed with the others; sign without roles does what the keys may', async () => {
    await using repository = await repositoryWithRoot();
    await delegate(repository, 'fw', 'fw/*');
    await repository.addImage('fw/a.bin', 1);
    const plain = await repository.sign('', `${ONLINE} fw`);
    expect(plain.outcomes.map(({ role, state }) => `${role} ${state}`)).toEqual([
      'targets complete',
      'fw complete',
      'snapshot complete',
      'timestamp complete',
    ]);
    const again = await repository.sign('', `${ONLINE} fw`);
    expect(again.outcomes).toEqual([]);
    repository.io.clock.advance(60 * 86_400);
    const { outcomes, due } = await repository.renew(`${ONLINE} fw`);
    expect(due).toEqual([]);
    expect(outcomes.map(({ role }) => role)).toEqual(['targets', 'fw', 'snapshot', 'timestamp']);
  });
});
