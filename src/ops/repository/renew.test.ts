import { describe, expect, test } from 'vitest';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { findRole } from '../../store/roles.ts';
import type { RepositoryKind } from '../../store/roles.ts';
import { lastComplete } from '../../store/versions.ts';
import { ONLINE, repositoryWithRoot, testRepository } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';

const DAY = 86_400;

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

describe('renew', () => {
  test('signs again what has under half its life left, and leaves staged changes alone', async () => {
    await using repository = await repositoryWithRoot();
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    await repository.sign(ONLINE, ONLINE);
    expect(await repository.renew(ONLINE)).toEqual({ outcomes: [], warnings: [], due: [] });
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
    repository.io.clock.advance(DAY / 2 + 60);
    const timestamp = await repository.renew('timestamp');
    expect(timestamp).toMatchObject({ outcomes: [{ role: 'timestamp', version: 2, state: 'complete' }], due: [] });
    repository.io.clock.advance(46 * DAY);
    const all = await repository.renew(ONLINE);
    expect(all.outcomes.map(({ role, version, state }) => [role, version, state])).toEqual([
      ['targets', 2, 'complete'],
      ['snapshot', 2, 'complete'],
      ['timestamp', 3, 'complete'],
    ]);
    const { targets } = decodeRole(await completeFile(repository, 'image', 'targets'), 'targets').unverified.signed;
    expect([...targets.keys()]).toEqual(['EV-1/BMS/1.0/bms.bin']);
  });

  test('says what is due and could not be signed', async () => {
    await using repository = await repositoryWithRoot();
    await repository.sign(ONLINE, ONLINE);
    repository.io.clock.advance(46 * DAY);
    const answer = await repository.renew('timestamp');
    expect(answer.due).toEqual(['targets', 'snapshot']);
    expect(await repository.renew('root-a', 400 * DAY)).toMatchObject({
      due: expect.arrayContaining(['root']) as unknown,
    });
  });

  test('approves no change in passing', async () => {
    await using repository = await testRepository();
    await repository.setKeys('root', ['root-a']);
    await repository.setKeys('targets', ['targets', 'targets-2'], 2);
    for (const role of ['snapshot', 'timestamp']) await repository.setKeys(role, [role]);
    await repository.sign('root', 'root-a');
    await repository.sign(ONLINE, 'targets targets-2 snapshot timestamp');
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    await repository.sign('targets', 'targets');
    repository.io.clock.advance(46 * DAY);
    const answer = await repository.renew('targets-2');
    expect(answer.due).toContain('targets');
    expect(await stateOf(repository, 'targets')).toMatchObject({ completeVersion: 1, frozenVersion: 2 });
  });
});
