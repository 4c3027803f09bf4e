import { describe, expect, test } from 'vitest';
import { instantOf } from '../../core/brands.ts';
import { isFailure } from '../../core/errors.ts';
import { decodeRole } from '../../formats/metadata/envelope.ts';
import { findRole } from '../../store/roles.ts';
import type { RoleAddress } from '../../store/roles.ts';
import { findAudit } from '../../store/audit.ts';
import { completeAt, lastComplete } from '../../store/versions.ts';
import type { CompleteVersion } from '../../store/versions.ts';
import { ONLINE, repositoryWithRoot, testRepository } from '../../testing/signed-repository.ts';
import type { TestRepository } from '../../testing/signed-repository.ts';
import { hold } from './hold.ts';
import { signedRole } from './role-address.ts';
import { changeRole } from './role-change.ts';
import { setRole } from './role-set.ts';
import { signWithKeys } from './sign.ts';
import { publishImage } from './publish-image.ts';

const DAY = 86_400;

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
}

async function complete(repository: TestRepository, name: string, version?: number): Promise<CompleteVersion> {
  const found = await repository.open((open) => {
    const role = findRole(open, { repository: 'image', name });
    if (role === undefined) return undefined;
    return version === undefined ? lastComplete(open, role) : completeAt(open, role, version);
  });
  if (found === undefined) throw new Error(`${name} is not complete`);
  return found;
}

async function keyId(repository: TestRepository, name: string): Promise<string> {
  return (await repository.key(name)).keys[0]?.publicKey.keyId ?? '';
}

async function stateOf(repository: TestRepository, name: string): Promise<unknown> {
  return await repository.open((open) => findRole(open, { repository: 'image', name }));
}

describe('root', () => {
  test('U5 T3 is complete at its threshold, whichever signers come in whichever order', async () => {
    await using repository = await testRepository();
    await repository.setKeys('root', ['root-a', 'root-b', 'root-c'], 2);
    for (const role of ['targets', 'snapshot', 'timestamp']) await repository.setKeys(role, [role]);
    const first = await repository.sign('root', 'root-c');
    expect(first.complete).toBe(false);
    expect(first.outcomes).toMatchObject([{ role: 'root', version: 1, state: 'waiting', made: true }]);
    expect(first.outcomes[0]?.thresholds).toMatchObject([
      {
        authority: 'root 1',
        section: 'classical',
        signed: 1,
        needed: 2,
        missing: [{ holder: 'root-a' }, { holder: 'root-b' }],
      },
      { authority: 'root 1', section: 'post-quantum', signed: 1, needed: 2 },
    ]);
    const again = await repository.sign('root', 'root-c');
    expect(again.outcomes).toMatchObject([{ version: 1, state: 'waiting', made: false, added: [] }]);
    const second = await repository.sign('root', 'root-a');
    expect(second).toMatchObject({ complete: true, outcomes: [{ version: 1, state: 'complete', made: false }] });
    const { signed, signatures, hybridSignatures } = decodeRole(
      (await complete(repository, 'root')).file,
      'root',
    ).unverified;
    expect(signed.version).toBe(1);
    expect(signed.consistentSnapshot).toBe(true);
    expect(signed.extension?.kind).toBe('image');
    expect(signed.roles.get('root')).toMatchObject({ threshold: 2 });
    expect(signed.extension?.hybrid?.roles.get('root')).toMatchObject({ threshold: 2 });
    expect([signatures.length, hybridSignatures.length]).toEqual([2, 2]);
  });

  test('is refused while a role has no keys', async () => {
    await using repository = await testRepository();
    await repository.setKeys('root', ['root-a']);
    await expect(repository.sign('root', 'root-a')).rejects.toMatchObject({
      code: 'ROLE_KEYS_MISSING',
      message: expect.stringMatching(/^targets has no keys yet/),
    });
    await repository.setKeys('director/root', ['d-root']);
    await expect(repository.sign('director/root', 'd-root')).rejects.toMatchObject({
      code: 'ROLE_KEYS_MISSING',
      message: expect.stringMatching(/^director\/targets has no keys yet/),
      hint: '`secureev role set director/targets --key ...`',
    });
  });

  test('is hybrid in all roles and keys, or in none', async () => {
    await using repository = await testRepository();
    await repository.setKeys('root', ['root-a']);
    for (const role of ['targets', 'snapshot']) await repository.setKeys(role, [role]);
    await using classical = await testRepository({ algorithms: ['ecdsa-p256'] });
    const { publicFile } = await classical.key('timestamp');
    await repository.io.files.write('classical.pub', Buffer.from(publicFile));
    await setRole({ repository: repository.choice, role: 'timestamp', publicFiles: ['classical.pub'] }, repository.io);
    expect(await codeOf(repository.sign('root', 'root-a'))).toBe('HYBRID_INCOMPLETE');
  });

  test('that was hybrid does not become classical', async () => {
    await using repository = await repositoryWithRoot();
    await using classical = await testRepository({ algorithms: ['ecdsa-p256'] });
    const { publicFile } = await classical.key('c-targets');
    await repository.io.files.write('c-targets.pub', Buffer.from(publicFile));
    const replace = [{ old: await keyId(repository, 'targets'), file: 'c-targets.pub' }];
    const change = { repository: repository.choice, role: 'targets', remove: [] };
    expect(await codeOf(changeRole({ ...change, add: [], replace }, repository.io))).toBe('HYBRID_DROPPED');
    expect(await codeOf(changeRole({ ...change, add: ['c-targets.pub'], replace: [] }, repository.io))).toBe(
      'HYBRID_DROPPED',
    );
  });

  test('U30 T3 rotation needs the thresholds of the old and of the new root', async () => {
    await using repository = await repositoryWithRoot();
    await repository.key('root-d');
    await repository.key('root-e');
    const replace = [
      { old: await keyId(repository, 'root-a'), file: 'root-d.pub' },
      { old: (await keyId(repository, 'root-b')).slice(0, 8), file: 'root-e.pub' },
    ];
    const changed = await changeRole(
      { repository: repository.choice, role: 'root', add: [], remove: [], replace },
      repository.io,
    );
    expect(changed).toMatchObject({ before: { threshold: 2 }, after: { threshold: 2 } });
    const old = await repository.sign('root', 'root-a root-b');
    expect(old).toMatchObject({ complete: false, outcomes: [{ version: 2, state: 'waiting' }] });
    expect(old.outcomes[0]?.thresholds).toMatchObject([
      { authority: 'root 2', section: 'classical', signed: 0, needed: 2 },
      { authority: 'root 2', section: 'post-quantum', signed: 0, needed: 2 },
    ]);
    expect(await repository.sign('root', 'root-d')).toMatchObject({ complete: false });
    expect(await repository.sign('root', 'root-e')).toMatchObject({ complete: true });
    const { signed, signatures } = decodeRole((await complete(repository, 'root')).file, 'root').unverified;
    expect([signed.version, signatures.length]).toEqual([2, 4]);
  });
});

describe('targets, snapshot and timestamp', () => {
  test('U15 U16 are made in order, each over what is complete', async () => {
    await using repository = await repositoryWithRoot();
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    const { complete: done, outcomes } = await repository.sign('timestamp snapshot targets', ONLINE);
    expect(done).toBe(true);
    expect(outcomes.map(({ role, version, state }) => [role, version, state])).toEqual([
      ['targets', 1, 'complete'],
      ['snapshot', 1, 'complete'],
      ['timestamp', 1, 'complete'],
    ]);
    const snapshot = await complete(repository, 'snapshot');
    const listed = decodeRole((await complete(repository, 'timestamp')).file, 'timestamp').unverified.signed.snapshot;
    expect(listed).toMatchObject({ version: 1, length: snapshot.file.length });
    expect(listed.hashes?.get('sha256')).toBe(Buffer.from(snapshot.sha256).toString('hex'));
    const { meta, extension } = decodeRole(snapshot.file, 'snapshot').unverified.signed;
    expect([...meta]).toMatchObject([['targets.json', { version: 1 }]]);
    expect(extension?.log?.length).toBeGreaterThan(3);
  });

  test('live as long as decided: 365, 90, 30 and 1 days', async () => {
    await using repository = await repositoryWithRoot();
    await repository.sign(ONLINE, ONLINE);
    const now = repository.io.clock.now();
    for (const [name, days] of Object.entries({ root: 365, targets: 90, snapshot: 30, timestamp: 1 })) {
      expect((await complete(repository, name)).expires).toBe(instantOf(now + days * DAY));
    }
  });

  test('U4 get a new version only where something changed', async () => {
    await using repository = await repositoryWithRoot();
    await repository.sign(ONLINE, ONLINE);
    const again = await repository.sign(ONLINE, ONLINE);
    expect(again.outcomes.map(({ version, state }) => [version, state])).toEqual([
      [1, 'unchanged'],
      [1, 'unchanged'],
      [1, 'unchanged'],
    ]);
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    await repository.sign('targets', 'targets');
    expect(await stateOf(repository, 'snapshot')).toMatchObject({ completeVersion: 1 });
    const late = await repository.sign('snapshot timestamp', 'snapshot timestamp');
    expect(late.outcomes.map(({ version, state }) => [version, state])).toEqual([
      [2, 'complete'],
      [2, 'complete'],
    ]);
  });

  test('wait for a root, and Snapshot for Targets', async () => {
    await using repository = await testRepository();
    await repository.setKeys('targets', ['targets']);
    const early = await repository.sign('targets', 'targets');
    expect(early).toMatchObject({
      complete: false,
      outcomes: [{ state: 'blocked', reason: 'root has no complete version yet' }],
    });
    await using rooted = await repositoryWithRoot();
    const snapshot = await rooted.sign('snapshot', 'snapshot');
    expect(snapshot.outcomes).toMatchObject([{ state: 'blocked', reason: 'targets has no complete version yet' }]);
    expect(await stateOf(rooted, 'snapshot')).toBeUndefined();
  });

  test('nothing is frozen by a key that may not sign it, and a stranger is refused', async () => {
    await using repository = await repositoryWithRoot();
    const other = await repository.sign('targets snapshot', 'snapshot');
    expect(other.outcomes).toMatchObject([
      { role: 'targets', version: null, state: 'waiting', thresholds: [{ missing: [{ holder: 'targets' }] }, {}] },
      { role: 'snapshot', state: 'blocked' },
    ]);
    expect(await stateOf(repository, 'targets')).toBeUndefined();
    expect(await codeOf(repository.sign('targets', 'targets root-a'))).toBe('KEY_NOT_OF_ROLE');
    expect(await stateOf(repository, 'targets')).toBeUndefined();
  });

  test('a frozen version does not take what is staged later', async () => {
    await using repository = await testRepository();
    await repository.setKeys('root', ['root-a']);
    await repository.setKeys('targets', ['targets', 'targets-2'], 2);
    for (const role of ['snapshot', 'timestamp']) await repository.setKeys(role, [role]);
    await repository.sign('root', 'root-a');
    await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
    await repository.sign('targets', 'targets');
    await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
    await repository.sign('targets', 'targets-2');
    const one = decodeRole((await complete(repository, 'targets')).file, 'targets').unverified.signed;
    expect([...one.targets.keys()]).toEqual(['EV-1/BMS/1.0/bms.bin']);
    await repository.sign('targets', 'targets targets-2');
    const two = decodeRole((await complete(repository, 'targets')).file, 'targets').unverified.signed;
    expect([two.version, ...two.targets.keys()]).toEqual([2, 'EV-1/BMS/1.0/bms.bin', 'EV-1/MCU/1.0/mcu.bin']);
  });

  test('are signed again when the root gives their role other keys', async () => {
    await using repository = await repositoryWithRoot();
    await repository.sign(ONLINE, ONLINE);
    await repository.key('timestamp-2');
    const replace = [{ old: await keyId(repository, 'timestamp'), file: 'timestamp-2.pub' }];
    await changeRole({ repository: repository.choice, role: 'timestamp', add: [], remove: [], replace }, repository.io);
    await repository.sign('root', 'root-b root-c');
    const { outcomes } = await repository.sign(ONLINE, 'targets snapshot timestamp-2');
    expect(outcomes.map(({ role, version, state }) => [role, version, state])).toEqual([
      ['targets', 1, 'unchanged'],
      ['snapshot', 1, 'unchanged'],
      ['timestamp', 2, 'complete'],
    ]);
  });

  test('a signer that signs something else is refused, and nothing is stored', async () => {
    await using repository = await repositoryWithRoot();
    const [classical, postQuantum] = (await repository.key('targets')).keys;
    if (classical === undefined || postQuantum === undefined) throw new Error('no keys');
    const lying = { ...classical, sign: () => classical.sign(new Uint8Array([1, 2, 3])) };
    const roles: readonly RoleAddress[] = [signedRole('targets')];
    const signing = repository.open((open) => signWithKeys(open, { roles, keys: [lying, postQuantum] }));
    expect(await codeOf(signing)).toBe('SIGNATURE_INVALID');
    expect(await stateOf(repository, 'targets')).toBeUndefined();
  });

  test('a dry run says what would be, uses no key and leaves no trace', async () => {
    await using repository = await repositoryWithRoot();
    const keys = (await Promise.all(['targets', 'snapshot', 'timestamp'].map((name) => repository.key(name)))).flatMap(
      (key) => key.keys,
    );
    const unusable = keys.map((key) => ({ ...key, sign: () => Promise.reject(new Error('the key was used')) }));
    const roles = ['targets', 'snapshot', 'timestamp'].map(signedRole);
    const length = async (): Promise<number> => await repository.open((open) => findAudit(open, {}, 1000).length);
    const before = await length();
    const answer = await repository.open((open) => signWithKeys(open, { roles, keys: unusable, dryRun: true }));
    expect(answer).toMatchObject({ complete: true, outcomes: [{ version: 1 }, { version: 1 }, { version: 1 }] });
    expect(await stateOf(repository, 'targets')).toBeUndefined();
    expect(await length()).toBe(before);
  });
});

test('whichever signature fails, the old state stays, and the next run makes the new one', async () => {
  await using repository = await repositoryWithRoot();
  await repository.addImage('EV-1/BMS/1.0/bms.bin', 1);
  await repository.sign(ONLINE, ONLINE);
  await repository.addImage('EV-1/MCU/1.0/mcu.bin', 1);
  const names = ['targets', 'snapshot', 'timestamp'];
  const keys = (await Promise.all(names.map((name) => repository.key(name)))).flatMap((key) => key.keys);
  const states = (): Promise<unknown> => Promise.all(names.map((name) => stateOf(repository, name)));
  const before = await states();
  for (let failAt = 1; failAt <= keys.length; failAt++) {
    let calls = 0;
    const failing = keys.map((key) => ({
      ...key,
      sign: (message: Uint8Array) => (++calls === failAt ? Promise.reject(new Error('token gone')) : key.sign(message)),
    }));
    const signing = repository.open((open) => signWithKeys(open, { roles: names.map(signedRole), keys: failing }));
    await expect(signing).rejects.toThrow('token gone');
    expect(await states()).toEqual(before);
  }
  expect(await repository.sign(ONLINE, ONLINE)).toMatchObject({ complete: true, outcomes: [{ version: 2 }, {}, {}] });
});

test('a hold stops sign, renew and publish until it is lifted', async () => {
  await using repository = await repositoryWithRoot();
  const { choice, io } = repository;
  expect(await hold({ repository: choice, reason: 'targets key lost' }, io)).toMatchObject({
    held: true,
    changed: true,
  });
  expect(await codeOf(repository.sign('targets', 'targets'))).toBe('REPOSITORY_HELD');
  expect(await codeOf(repository.renew('targets'))).toBe('REPOSITORY_HELD');
  expect(await codeOf(publishImage({ repository: choice, folder: 'public' }, io))).toBe('REPOSITORY_HELD');
  expect(await hold({ repository: choice, lift: true }, io)).toMatchObject({ held: false, changed: true });
  expect(await repository.sign('targets', 'targets')).toMatchObject({ complete: true });
});
