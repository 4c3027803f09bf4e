/** Hashed bins: only what changed is signed, whoever signs; a client reads one bin. */
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../core/errors.ts';
import { delegateBins, publishAndFind } from '../../testing/delegations.ts';
import { ONLINE, repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { stagedChanges } from '../report/diff.ts';
import { repositoryStatus } from '../report/status.ts';
import { changeDelegation } from './delegation-change.ts';
import { discardRoles } from './discard.ts';
import { revokeSigningKey } from './key-revoke.ts';

const HYBRID = ['ecdsa-p256', 'ml-dsa-65'] as const;
const CHANGE = { add: [], remove: [], replace: [], addPaths: [], removePaths: [], move: false } as const;

async function withBins(count: number, algorithms?: typeof HYBRID): Promise<TestRepository> {
  const repository = await repositoryWithRoot(algorithms === undefined ? {} : { algorithms });
  await delegateBins(repository, count);
  await repository.sign('targets', 'targets');
  return repository;
}

async function binsSigned(repository: TestRepository, keys: string): Promise<number | undefined> {
  const { outcomes } = await repository.sign('bins', keys);
  return outcomes[0]?.bins?.signed;
}

test('TAP 15: all bins get a first version, then only those that change', async () => {
  await using repository = await withBins(16, HYBRID);
  await repository.addImage('fw/a.bin', 1);
  expect(await binsSigned(repository, 'bins')).toBe(16);
  expect(await binsSigned(repository, 'bins')).toBe(0);
  await repository.addImage('fw/b.bin', 1);
  const [diff] = await stagedChanges({ repository: repository.choice, roles: ['bins'] }, repository.io);
  expect(diff?.role).toMatch(/^bins-[0-9a-f]$/);
  expect(await binsSigned(repository, 'bins')).toBe(1);
  await repository.sign('snapshot timestamp', ONLINE.replace('targets ', ''));
  const { found, fetched } = await publishAndFind(repository, 'fw/b.bin');
  expect(found?.role).toBe(diff?.role);
  expect(found?.policies[0]?.postQuantum?.threshold).toBe(1);
  const files = ['timestamp.json', '1.snapshot.json', '1.targets.json'].map(
    (name) => expect.stringContaining(name) as string,
  );
  expect(fetched).toEqual([...files, expect.stringMatching(/^\d\.bins-[0-9a-f]\.json$/) as string]);
});

describe('keys of bins', () => {
  test('a replaced key makes every bin due; the old one no longer signs', async () => {
    await using repository = await withBins(4);
    await binsSigned(repository, 'bins');
    const old = (await repository.key('bins')).keys[0]?.publicKey.keyId ?? '';
    await repository.key('bins-next');
    const replace = [{ old, file: 'bins-next.pub' }];
    const { choice, io } = repository;
    await changeDelegation({ ...CHANGE, repository: choice, name: 'bins', replace }, io);
    await repository.sign('targets', 'targets');
    const status = await repositoryStatus({ repository: choice, now: io.clock.now() }, io);
    expect(status.roles.find(({ role }) => role === 'bins')).toMatchObject({
      reasons: ['keys'],
      bins: { complete: 4 },
    });
    const waiting = await repository.sign('bins', 'targets').catch((thrown: unknown) => thrown);
    expect(isFailure(waiting, 'KEY_NOT_OF_ROLE')).toBe(true);
    expect(await binsSigned(repository, 'bins-next')).toBe(4);
  });

  test('with a threshold of two, bins wait for the second signer, or are complete at once', async () => {
    await using repository = await repositoryWithRoot();
    await delegateBins(repository, 4, { keys: ['a', 'b', 'c'], threshold: 2 });
    await repository.sign('targets', 'targets');
    const first = await repository.sign('bins', 'a');
    expect(first.outcomes[0]).toMatchObject({ state: 'waiting', bins: { total: 4, signed: 0 } });
    const second = await repository.sign('bins', 'b');
    expect(second.outcomes[0]).toMatchObject({ state: 'complete', bins: { total: 4, signed: 4 } });
    await repository.addImage('fw/a.bin', 1);
    const both = await repository.sign('bins', 'a c');
    expect(both.outcomes[0]).toMatchObject({ state: 'complete', bins: { signed: 1 } });
  });

  test('a lost key of bins waits for a replacement', async () => {
    await using repository = await withBins(4);
    const keyId = (await repository.key('bins')).keys[0]?.publicKey.keyId ?? '';
    const revoked = await revokeSigningKey({ repository: repository.choice, keyId, reason: 'lost' }, repository.io);
    expect(revoked.uses[0]?.command).toContain('delegation change bins --replace');
  });
});

describe('bins in time', () => {
  test('are renewed together when due, and not before', async () => {
    await using repository = await withBins(4);
    await repository.sign('bins snapshot timestamp', `bins ${ONLINE}`.replace('targets ', ''));
    const early = await repository.renew(`bins ${ONLINE}`);
    expect(early.outcomes.map(({ role }) => role)).toEqual([]);
    repository.io.clock.advance(50 * 86_400);
    const { outcomes, due } = await repository.renew(`bins ${ONLINE}`);
    expect(due).toEqual([]);
    expect(outcomes.map(({ role }) => role)).toEqual(['targets', 'bins', 'snapshot', 'timestamp']);
    expect(outcomes[1]?.bins).toEqual({ total: 4, signed: 4 });
  });

  test('changes of bins are dropped together', async () => {
    await using repository = await withBins(4);
    await binsSigned(repository, 'bins');
    for (const name of ['a', 'b', 'c']) await repository.addImage(`fw/${name}.bin`, 1);
    const [dropped] = await discardRoles({ repository: repository.choice, roles: ['bins'] }, repository.io);
    expect(dropped).toMatchObject({ role: 'bins', items: 3 });
    expect(await binsSigned(repository, 'bins')).toBe(0);
  });

  test('targets that were listed already move into their bins', async () => {
    await using repository = await repositoryWithRoot();
    for (const name of ['a', 'b', 'c']) await repository.addImage(`fw/${name}.bin`, 1);
    await repository.sign(ONLINE, ONLINE);
    const { moved } = await delegateBins(repository, 4, { move: true });
    expect(moved).toBe(3);
    await repository.sign('', `${ONLINE} bins`);
    const { found } = await publishAndFind(repository, 'fw/c.bin');
    expect(found?.chain[1]).toMatch(/^bins-[0-3]$/);
  });
});
