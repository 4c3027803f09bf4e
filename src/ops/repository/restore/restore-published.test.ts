/** What a restore takes over from the published tree, and what the log says of it. */
import { cp, readFile, rm } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { createHttp, HTTP_LIMITS } from '../../../io/http.ts';
import { findRole } from '../../../store/roles.ts';
import {
  backup,
  BMS,
  codeOf,
  GW,
  lostAfterBackup,
  MCU,
  pin,
  publish,
  replaceKey,
  restore,
  secondRelease,
  takeItsPlace,
  verifyAsCar,
} from '../../../testing/lost-repository.ts';
import { ONLINE, repositoryWithRoot } from '../../../testing/signed-repository.ts';
import { serveFolder } from '../../../testing/static-server.ts';
import { verifyLog } from '../../report/verify-log.ts';

describe('restore takes over what was published', () => {
  test('no number is given out twice, no release is lost, and vehicles follow', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    expect(await verifyAsCar(repository, MCU)).toBe('good');
    const answer = await restore(repository);
    expect(answer.taken).toEqual([
      { role: 'targets', before: 1, version: 2 },
      { role: 'snapshot', before: 1, version: 2 },
      { role: 'timestamp', before: 1, version: 2 },
    ]);
    expect(answer).toMatchObject({ downloaded: 1, withoutBytes: [] });
    await takeItsPlace(repository);
    expect(await publish(repository)).toEqual([]);
    expect(await publish(repository, 'elsewhere')).toContain('metadata/timestamp.json');
    await repository.addImage(GW, 8);
    await repository.sign(ONLINE, ONLINE);
    const written = await publish(repository);
    expect(written.slice(1)).toEqual([
      'metadata/3.targets.json',
      'metadata/3.snapshot.json',
      'metadata/timestamp.json',
    ]);
    for (const target of [BMS, MCU, GW]) expect(await verifyAsCar(repository, target)).toBe('good');
  });

  test('what waited for signatures in the backup is staged again, under a number of its own', async () => {
    await using repository = await repositoryWithRoot();
    await repository.addImage(BMS, 1);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    await pin(repository);
    await replaceKey(repository, 'root', 'root-d');
    await repository.sign('root', 'root-b');
    await backup(repository);
    await repository.sign('root', 'root-c root-d');
    await replaceKey(repository, 'timestamp', 'timestamp-2');
    await repository.sign('root', 'root-b root-c');
    await repository.sign(ONLINE, `${ONLINE} timestamp-2`);
    await publish(repository);
    const { taken } = await restore(repository);
    expect(taken.map(({ role, version }) => `${role} ${version}`)).toEqual(['root 2', 'root 3', 'timestamp 2']);
    await takeItsPlace(repository);
    const root = await repository.open((open) => findRole(open, { repository: 'image', name: 'root' }));
    expect(root).toMatchObject({ completeVersion: 3, frozenVersion: null });
    const staged = await repository.open((open) => open.sql('SELECT count(*) AS n FROM staged').get());
    expect(staged).toEqual({ n: 0 });
    await replaceKey(repository, 'snapshot', 'snapshot-2');
    await repository.sign('root', 'root-b root-d');
    await repository.sign(ONLINE, 'targets snapshot-2 timestamp-2');
    await publish(repository);
    expect(await verifyAsCar(repository)).toBe('good');
    const file = await readFile(`${repository.folder}/public/metadata/4.root.json`);
    expect(decodeRole(new Uint8Array(file), 'root').unverified.signed.version).toBe(4);
  });

  test('from a URL, and a target that the tree no longer has stays listed', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    const folder = `${repository.folder}/public/targets/EV-1/MCU/1.0`;
    await rm(folder, { recursive: true });
    await using server = await serveFolder(`${repository.folder}/public`);
    const signal = new AbortController().signal;
    const http = createHttp({ limits: HTTP_LIMITS, signal, elapsedMs: () => performance.now() });
    const answer = await restore(repository, { published: server.url }, { ...repository.io, http });
    expect(answer).toMatchObject({ downloaded: 0, withoutBytes: [MCU] });
    await takeItsPlace(repository);
    expect(await publish(repository)).toEqual([]);
  });

  test('not a tree that lacks what had been published by then, unless that is accepted', async () => {
    await using repository = await lostAfterBackup(async () => undefined);
    await cp(`${repository.folder}/public`, `${repository.folder}/mirror`, { recursive: true });
    await secondRelease(repository);
    await backup(repository, 'later.tar');
    const given = { backup: 'later.tar', published: 'mirror' };
    expect(await codeOf(restore(repository, given))).toBe('RESTORE_TREE_OLDER');
    expect(await repository.io.files.status('new')).toBeUndefined();
    expect(await restore(repository, { ...given, allowOlderTree: true })).toMatchObject({ taken: [] });
  });

  test('an expired tree too, and says when it expired', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    repository.io.clock.advance(400 * 86_400);
    const { taken, timestampExpires } = await restore(repository);
    expect(taken).toHaveLength(3);
    expect(timestampExpires).toBeLessThan(repository.io.clock.now());
  });
});

describe('the log after a restore', () => {
  test('tells of the entries that are lost; whoever verifies must accept that', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    const { lostEntries } = await restore(repository);
    expect(lostEntries).toBeGreaterThan(0);
    await takeItsPlace(repository);
    await repository.addImage(GW, 8);
    await repository.sign(ONLINE, ONLINE);
    await publish(repository);
    const given = {
      repository: repository.choice,
      anchor: 'public',
      root: 'pinned.json',
      now: repository.io.clock.now(),
    };
    const strict = await verifyLog({ ...given, allowSkip: [] }, repository.io);
    expect(strict.checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'log-chain pass',
      'anchor-signatures pass',
      'log-anchor pass',
      'log-restores skip',
    ]);
    expect(strict.checks[3]?.detail).toMatch(/snapshot 2 signed, were lost in the restore of 2/);
    expect(strict.refusal?.code).toBe('CHECK_SKIPPED');
    const accepted = await verifyLog({ ...given, allowSkip: ['log-restores'] }, repository.io);
    expect(accepted.refusal).toBeUndefined();
  });

  test('a log that is shortened without a restore, or under the name of one, is still found', async () => {
    await using repository = await lostAfterBackup(secondRelease);
    expect(await codeOf(restore(repository, { published: undefined }))).toBe('RESTORE_TREE_OLDER');
    await restore(repository, { published: undefined, allowOlderTree: true });
    await takeItsPlace(repository);
    const given = {
      repository: repository.choice,
      anchor: 'public',
      root: 'pinned.json',
      now: repository.io.clock.now(),
    };
    const found = await verifyLog({ ...given, allowSkip: ['log-restores'] }, repository.io);
    expect(found.refusal?.code).toBe('AUDIT_REWRITTEN');
  });
});
