import { describe, expect, test } from 'vitest';
import { parseVin } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import { addVehicle, addVehicleKey } from '../../store/fleet.ts';
import { repositoryWithRoot } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { hold } from './hold.ts';
import { revokeSigningKey } from './key-revoke.ts';
import type { KeyRevokeAnswer } from './key-revoke.ts';
import { changeRole } from './role-change.ts';

async function revoke(repository: TestRepository, name: string, family = 0): Promise<KeyRevokeAnswer> {
  const keyId = (await repository.key(name)).keys[family]?.publicKey.keyId ?? '';
  return await revokeSigningKey({ repository: repository.choice, keyId, reason: 'lost' }, repository.io);
}

describe('key revoke', () => {
  test('takes a pair by the id of either half', async () => {
    await using repository = await repositoryWithRoot();
    const { keyIds, uses } = await revoke(repository, 'root-b', 1);
    expect(keyIds).toEqual((await repository.key('root-b')).keys.map(({ publicKey }) => publicKey.keyId));
    expect(uses).toEqual([{ where: 'root', outcome: 'removed', command: null }]);
    expect(await repository.sign('root', 'root-a root-c')).toMatchObject({ complete: true });
  });

  test('comes after a root that waits for signatures, and the hold', async () => {
    await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
    await repository.key('root-d');
    const add = { repository: repository.choice, role: 'root', add: ['root-d.pub'], remove: [], replace: [] };
    await changeRole(add, repository.io);
    await repository.sign('root', 'root-a');
    await hold({ repository: repository.choice, reason: 'laptop stolen' }, repository.io);
    const { steps, notes } = await revoke(repository, 'root-c');
    expect(steps.map(({ command }) => command)).toEqual([
      'secureev hold --lift',
      'secureev sign root --key ...',
      'secureev sign root --key ...',
      'secureev publish image DIR',
    ]);
    expect(notes).toEqual([]);
    await hold({ repository: repository.choice, lift: true }, repository.io);
    await repository.sign('root', 'root-b');
    const { outcomes } = await repository.sign('root', 'root-a root-d');
    expect(outcomes).toMatchObject([{ version: 3, state: 'complete' }]);
  });

  test('leaves everything as it was where digits fit several keys', async () => {
    await using repository = await repositoryWithRoot({ algorithms: ['ed25519'] });
    const ids = ['0', '1'].map((digit) => `abcdef01${digit.repeat(56)}`);
    await repository.open((open) =>
      open.transact({ command: 'test', summary: 'two cars' }, (tx) => {
        const { id: vehicle } = addVehicle(tx, { vin: parseVin('5YJ3E1EA0KF000316'), model: 'EV-1' });
        for (const keyId of ids) {
          addVehicleKey(tx, { vehicle, keyId, purpose: 'identity', algorithm: 'ed25519', public: '' });
        }
      }),
    );
    const input = { repository: repository.choice, reason: 'lost' };
    const thrown: unknown = await revokeSigningKey({ ...input, keyId: 'abcdef01' }, repository.io).catch(
      (error: unknown) => error,
    );
    expect(isFailure(thrown, 'KEY_AMBIGUOUS')).toBe(true);
    const { uses } = await revokeSigningKey({ ...input, keyId: 'abcdef010' }, repository.io);
    expect(uses).toMatchObject([{ where: 'vehicle 5YJ3E1EA0KF000316', outcome: 'removed' }]);
  });
});
