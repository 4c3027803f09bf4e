/** Delegations and hashed bins that a restore takes over from the published tree. */
import { describe, expect, test } from 'vitest';
import type { Reader } from '../../../store/reader.ts';
import { delegate, delegateBins } from '../../../testing/delegations.ts';
import {
  backup,
  BMS,
  GW,
  lostAfterBackup,
  MCU,
  pin,
  publish,
  restore,
  takeItsPlace,
  verifyAsCar,
} from '../../../testing/lost-repository.ts';
import { ONLINE, repositoryWithRoot } from '../../../testing/signed-repository.ts';
import type { TestRepository } from '../../../testing/signed-repository.ts';
import { removeDelegation } from '../delegation-change.ts';

describe('delegations', () => {
  const HYBRID = { algorithms: ['ecdsa-p256', 'ml-dsa-65'] } as const;

  async function delegated(repository: TestRepository): Promise<void> {
    await delegate(repository, 'suppliers', 'EV-1/MCU/*/*', { hardware: ['H1'], terminating: true });
    await delegate(repository, 'inner', 'EV-1/MCU/*/*', { under: 'suppliers' });
    await repository.sign('targets', 'targets');
    await repository.addImage(MCU, 7);
    await repository.sign('suppliers inner', 'suppliers inner');
    await repository.sign('snapshot timestamp', 'snapshot timestamp');
    await publish(repository);
  }

  test('U12 made after the backup come back with their keys, paths and order, and can be signed for again', async () => {
    await using repository = await lostAfterBackup(delegated, HYBRID);
    const before = await repository.open((open) => contentOf(open));
    const { taken } = await restore(repository);
    expect(taken.map(({ role, version }) => `${role} ${version}`).toSorted()).toEqual([
      'inner 1',
      'snapshot 2',
      'suppliers 1',
      'targets 2',
      'timestamp 2',
    ]);
    await takeItsPlace(repository);
    const after = await repository.open((open) => contentOf(open));
    expect(after.map(({ item }) => item)).toEqual(before.map(({ item }) => item));
    expect(await publish(repository)).toEqual([]);
    expect(await verifyAsCar(repository, MCU)).toBe('good');
    await repository.addImage('EV-1/MCU/2.0/mcu.bin', 8);
    await repository.addImage(GW, 8);
    await repository.sign('targets suppliers inner', 'targets suppliers inner');
    await repository.sign('snapshot timestamp', 'snapshot timestamp');
    await publish(repository);
    for (const target of [BMS, MCU, GW, 'EV-1/MCU/2.0/mcu.bin'])
      expect(await verifyAsCar(repository, target)).toBe('good');
  });

  test('hashed bins: only those that are newer are read, and their numbers go on', async () => {
    await using repository = await repositoryWithRoot(HYBRID);
    await delegateBins(repository, 4);
    await repository.addImage(BMS, 1);
    await repository.sign('targets', 'targets');
    await repository.sign('bins snapshot timestamp', 'bins snapshot timestamp');
    await publish(repository);
    await pin(repository);
    await backup(repository);
    await repository.addImage(MCU, 7);
    await repository.sign('bins snapshot timestamp', 'bins snapshot timestamp');
    await publish(repository);
    const { taken } = await restore(repository);
    expect(taken.map(({ role }) => role)).toEqual([expect.stringMatching(/^bins-[0-3]$/), 'snapshot', 'timestamp']);
    await takeItsPlace(repository);
    expect(await publish(repository)).toEqual([]);
    await repository.addImage(GW, 8);
    await repository.sign('bins snapshot timestamp', 'bins snapshot timestamp');
    await publish(repository);
    for (const target of [BMS, MCU, GW]) expect(await verifyAsCar(repository, target)).toBe('good');
  });

  test('one that was given up after it was published stays in Snapshot', async () => {
    await using repository = await lostAfterBackup(async (lost) => {
      await delegated(lost);
      await removeDelegation({ repository: lost.choice, name: 'suppliers', dryRun: false }, lost.io);
      await lost.sign('targets', 'targets');
      await lost.sign('snapshot timestamp', 'snapshot timestamp');
      await publish(lost);
    }, HYBRID);
    expect(await verifyAsCar(repository)).toBe('good');
    await restore(repository);
    await takeItsPlace(repository);
    await repository.addImage(GW, 8);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    expect(await verifyAsCar(repository, GW)).toBe('good');
  });
});

function contentOf(reader: Reader): readonly { item: string }[] {
  return reader.sql<{ item: string }>('SELECT role_id, item FROM content ORDER BY role_id, item').all();
}
