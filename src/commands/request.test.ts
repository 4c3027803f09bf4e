import { cp } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseRoleName } from '../core/brands.ts';
import { fromUtf8 } from '../core/bytes.ts';
import { decodeRequest, encodeRequest } from '../formats/requests/request.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const ENV = { SECUREEV_PASSPHRASE: 'correct horse battery staple', SECUREEV_REPO: 'oem' };
let online: CliSession;

const keygen = async (name: string) => await online.ok(`keygen ${name} --out keys`);
const code = async (line: string): Promise<string> => {
  const { error } = await online.json(line);
  return error?.code ?? 'ok';
};

beforeAll(async () => {
  online = await cliSession({ env: ENV });
  await online.ok(['init', 'oem', '--name', 'Example Motors']);
  for (const name of ['root-a', 'root-b', 'root-c', 'root-d', 'targets', 'snapshot', 'timestamp']) await keygen(name);
  await online.ok('role set root --key keys/root-a.pub --key keys/root-b.pub --key keys/root-c.pub --threshold 2');
  for (const role of ['targets', 'snapshot', 'timestamp']) await online.ok(`role set ${role} --key keys/${role}.pub`);
});
afterAll(async () => await online[Symbol.asyncDispose]());

describe('the air gap', () => {
  let digestsMade: readonly string[] = [];

  test('a first root is signed against its fingerprint, by two of three, from two machines', async () => {
    const made = await online.json('request create root -o root-1.sigreq');
    const fingerprint = String(made.result?.['payloadDigest']);
    expect(await code('request sign root-1.sigreq --key keys/root-a.key -o x.sig --yes')).toBe('USAGE');
    expect(
      await code(`request sign root-1.sigreq --fingerprint ${'0'.repeat(64)} --key keys/root-a.key -o x.sig --yes`),
    ).toBe('REQUEST_FOREIGN');
    for (const name of ['a', 'b']) {
      await online.ok(
        `request sign root-1.sigreq --fingerprint ${fingerprint} --key keys/root-${name}.key --journal journal -o root-1-${name}.sig --yes`,
      );
    }
    const first = await online.json('request import root-1-a.sig');
    expect(first.result).toMatchObject({ complete: false, roles: [{ role: 'root', version: 1, state: 'waiting' }] });
    const second = await online.json('request import root-1-b.sig');
    expect(second.result).toMatchObject({ complete: true, roles: [{ state: 'complete' }] });
    await online.ok('root export -o root.json');
    expect(await code('request import root-1-b.sig')).toBe('REQUEST_STALE');
  });

  test('a rotation of the root is verified from the pinned one and shown as the bytes say', async () => {
    await online.ok(`role change root --replace ${await keyIdOf('root-c')}=keys/root-d.pub`);
    await online.ok('request create root -o root-2.sigreq');
    const text = await online.ok(
      'request sign root-2.sigreq --root root.json --key keys/root-a.key -o root-2-a.sig --yes',
    );
    expect(text).toMatch(/root 2, expires/);
    expect(text).toMatch(/~ keys of root: 2 of 3 keys -> 2 of 3 keys\n\s+\+ ecdsa-p256/);
    expect(text).toMatch(/2 of 3 post-quantum keys of root 1/);
    await online.ok(
      'request sign root-2.sigreq --root root.json --key keys/root-d.key --key keys/root-b.key -o root-2-bd.sig --yes',
    );
    const imported = await online.json('request import root-2-a.sig root-2-bd.sig');
    expect(imported.result).toMatchObject({ complete: true, roles: [{ role: 'root', version: 2, state: 'complete' }] });
    expect(JSON.stringify((await online.json('request list')).result)).not.toContain('waiting');
  });

  test('targets are signed offline; nothing is believed of a request that was changed', async () => {
    await online.write('fw.bin', 'firmware');
    await online.ok(
      'target add fw.bin --name EV-1/ecu/1.0.0/fw.bin --hardware HW-1 --version-id 1.0.0 --release-counter 1',
    );
    const made = await online.ok('request create targets -o targets-1.sigreq');
    digestsMade = made.match(/(?<=^(?:request|payload) ).*/gm) ?? [];
    const request = await online.read('targets-1.sigreq');
    for (const at of [0, 10, 60, 200, 500, Math.floor(request.length / 2), request.length - 1]) {
      const changed = request.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await online.write('changed.sigreq', changed);
      const out = `changed-${at}.sig`;
      const answer = await online.json(
        `request sign changed.sigreq --root root.json --key keys/targets.key -o ${out} --yes`,
      );
      // A changed target shows in the words; what was signed then is for another request.
      const seen = answer.status === 0 ? await code(`request import ${out}`) : (answer.error?.code ?? '');
      expect(seen, `byte ${at}`).toMatch(/^(REQUEST|TRUST|CBOR|JSON|METADATA)_/);
    }
    const text = await online.ok(
      'request sign targets-1.sigreq --root root.json --key keys/targets.key -o targets-1.sig --yes',
    );
    expect(text).toMatch(/\+ EV-1\/ecu\/1\.0\.0\/fw\.bin/);
  });

  test('inspect says what requests ask for and who answered, verifying nothing', async () => {
    const text = await online.ok('inspect targets-1.sigreq');
    expect(text).toMatch(/^NOT VERIFIED[^]*: signing request, [^]*role: targets\npayload role: targets\nversion: 1\n/);
    expect(digestsMade).toHaveLength(2);
    for (const digest of digestsMade) expect(text).toContain(`digest: ${digest}\n`);
    expect(text).toMatch(/root versions: 1, 2\nlast version: -\ndelegator versions: -\nchanges: .*request sign/);
    const { result } = await online.json('inspect root-2.sigreq');
    expect(result).toMatchObject({
      verified: false,
      kind: 'signing request',
      facts: { subject: 'role', role: 'root', version: 2, repositoryKind: 'image', rootVersions: [1], lastVersion: 1 },
    });
    const { result: signed } = await online.json(
      'request sign root-2.sigreq --root root.json --key keys/root-b.key -o root-2-b.sig --yes',
    );
    expect((await online.json('inspect root-2-b.sig')).result).toMatchObject({
      kind: 'answer to a signing request',
      facts: { requestDigest: signed?.['digest'], signatures: signed?.['signatures'] },
    });
    expect(await online.ok('inspect root-2-b.sig')).toContain('  - section: classical\n    key id: ');
  });

  test('inspect names a request or an answer that is malformed', async () => {
    for (const [whole, known] of [
      ['targets-1.sigreq', 40],
      ['targets-1.sig', 20],
    ] as const) {
      const bytes = await online.read(whole);
      for (const [length, code] of [
        [10, 'INSPECT_UNKNOWN'],
        [known, 'CBOR_MALFORMED'],
        [bytes.length - 1, 'CBOR_MALFORMED'],
      ] as const) {
        await online.write('cut.file', bytes.slice(0, length));
        const { status, error } = await online.json('inspect cut.file');
        expect([status, error?.code]).toEqual([4, code]);
        expect(error?.message).toContain('cut.file');
      }
    }
  });

  test('a key of another role does not sign, and its signatures are not taken', async () => {
    expect(await code('request sign targets-1.sigreq --root root.json --key keys/root-a.key -o wrong.sig --yes')).toBe(
      'KEY_NOT_OF_ROLE',
    );
    expect(await code('request sign root-1.sigreq --root root.json --key keys/root-a.key -o wrong.sig --yes')).toMatch(
      /REQUEST_/,
    );
  });

  test('without a terminal or --yes nobody is asked and nothing is signed', async () => {
    const line = 'request sign targets-1.sigreq --root root.json --key keys/targets.key -o no.sig';
    expect((await online.json(line)).error).toMatchObject({
      code: 'NO_TERMINAL',
      message: 'nobody is here to answer: sign this?',
      hint: 'answer it with --yes',
    });
    const refused = await online.json(line, {
      answers: ['n'],
      adapt: (io) => {
        const ask = async (prompt: string): Promise<string> => {
          expect(prompt).toMatch(/^targets 1, expires [^]*\nsign this\? \[y\/N\] $/);
          return await io.terminal.ask(prompt);
        };
        return { ...io, terminal: { ...io.terminal, ask } };
      },
    });
    expect(refused.error).toMatchObject({ code: 'USAGE', message: 'not confirmed, nothing was changed' });
  });

  test('a request that was answered is kept once cancelled: its number is not used again', async () => {
    await online.ok('request cancel targets --yes');
    expect(await code('request import targets-1.sig')).toBe('REQUEST_STALE');
    await online.ok(
      'target add fw.bin --name EV-1/ecu/1.0.1/fw.bin --hardware HW-1 --version-id 1.0.1 --release-counter 2',
    );
    const made = await online.json('request create targets -o targets-2.sigreq');
    expect(made.result).toMatchObject({ version: 2 });
  });

  test('the journal refuses a second payload for one version', async () => {
    await online.ok('request cancel targets --yes');
    await cp(online.path('oem'), online.path('fork'), { recursive: true });
    const add = (repo: string, version: string) =>
      online.ok(
        `target add fw.bin --repo ${repo} --name EV-1/ecu/${version}/fw.bin --hardware HW-1 --version-id ${version} --release-counter 9`,
      );
    const sign = (request: string, out: string) =>
      code(`request sign ${request} --root root.json --key keys/targets.key --journal j -o ${out} --yes`);
    await add('oem', '2.0.0');
    await add('fork', '6.6.6');
    await online.ok('request create targets -o ours.sigreq');
    await online.ok('request create targets --repo fork -o other.sigreq');
    expect(await sign('ours.sigreq', 'ours.sig')).toBe('ok');
    expect(await sign('ours.sigreq', 'ours-again.sig')).toBe('ok');
    expect(await sign('other.sigreq', 'other.sig')).toBe('REQUEST_JOURNAL_CONFLICT');
    expect(await code('request import other.sig')).toBe('FILE_NOT_FOUND');
  });

  test('the same role under another name is refused: its payload would be a second one for the version', async () => {
    const request = decodeRequest(await online.read('other.sigreq')).unverified;
    await online.write(
      'renamed.sigreq',
      encodeRequest({ ...request, role: parseRoleName('supplier'), last: undefined }),
    );
    const line = 'request sign renamed.sigreq --root root.json --key keys/targets.key --journal j -o renamed.sig --yes';
    expect(await code(line)).toBe('REQUEST_FOREIGN');
  });

  test('a journal that was changed or emptied is refused', async () => {
    const path = `j/${await keyIdOf('targets')}.jsonl`;
    const journal = fromUtf8(await online.read(path));
    const sign = () =>
      code('request sign ours.sigreq --root root.json --key keys/targets.key --journal j -o n.sig --yes');
    for (const changed of [journal.replace('"done"', '"failed"'), '']) {
      await online.write(path, changed);
      expect(await sign()).toBe('TRANSCRIPT_BROKEN');
    }
    await online.write(path, journal);
    expect(await sign()).toBe('ok');
  });
});

async function keyIdOf(name: string): Promise<string> {
  const text = fromUtf8(await online.read(`keys/${name}.pub`));
  return /^key id: ([0-9a-f]{64})$/m.exec(text)?.[1] ?? '';
}
