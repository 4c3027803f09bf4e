/** What a command that refuses leaves behind and says: no empty folders, no PIN, a reason for `-`. */
import { mkdir, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { failure } from '../core/errors.ts';
import { releaseSession } from '../testing/release-session.ts';
import { cliSession } from '../testing/run-cli.ts';

describe('unpack that fails', () => {
  test('leaves no folder that was not there, and every one that was', async () => {
    await using session = await releaseSession({ scheme: 'ecdsa-p256' });
    await session.ok('package release.yaml --key keys/targets.key --out bundles');
    const bundle = await session.read('bundles/ZG_BODY.otap');
    const at = bundle.length - 100;
    bundle[at] = (bundle[at] ?? 0) ^ 1;
    await session.write('bad.otap', bundle);
    await mkdir(session.path('kept'));
    for (const out of ['a/b', 'kept']) {
      const { status } = await session.run(`unpack bad.otap -o ${out} --unverified`);
      expect(status).not.toBe(0);
    }
    expect(await readdir(session.path('kept'))).toEqual([]);
    expect(await readdir(session.folder)).not.toContain('a');
    await session.ok('unpack bundles/ZG_BODY.otap -o a/b --unverified');
    expect(await readdir(session.path('a/b'))).toEqual(['EV-1']);
  });
});

describe('what an error says', () => {
  const PIN = 'hunter2';

  test('never a PIN that somebody wrote into an address', async () => {
    await using session = await cliSession();
    const address = `pkcs11:token=T;object=k?pin-value=${PIN}`;
    const lines = [
      ['key', 'show', address],
      ['key', 'public', address, '-o', 'x.pub'],
      ['decrypt', 'x.sev', '--key', address, '-o', 'x'],
      ['request', 'sign', 'x.sigreq', '--root', address, '--key', address, '-o', 'x.sig'],
      ['verify', 'bundle', address, '--root', address],
      ['inspect', address],
      [address],
    ];
    for (const line of lines) {
      for (const words of [line, [...line, '--json']]) {
        const { status, stdout, stderr } = await session.run(words);
        expect(status).not.toBe(0);
        expect(stdout + stderr).not.toContain(PIN);
      }
    }
    const shown = await session.run(['key', 'show', address]);
    expect(shown.stderr).toContain('pin-value=***');
  });

  test('nor in its hint and details', () => {
    const thrown = failure('USAGE', 'a', { one: 'pin-value=1234;x', all: [`PIN-VALUE=${PIN}`, 3] });
    expect(thrown.details).toEqual({ one: 'pin-value=***;x', all: ['PIN-VALUE=***', 3] });
  });

  test('that a pinned root does not come through a pipe', async () => {
    await using session = await cliSession({ env: { SECUREEV_ROOT: '-' } });
    for (const line of ['verify bundle x.otap --root -', 'verify bundle x.otap']) {
      const answer = await session.json(line);
      expect([answer.status, answer.error?.code]).toEqual([2, 'USAGE']);
      expect(answer.error?.message).toContain('standard input');
    }
  });
});
