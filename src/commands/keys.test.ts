import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { failing } from '../testing/faults.ts';
import { FIXTURE_PASSPHRASE, keyFixture } from '../testing/key-fixtures.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession, JsonDocument } from '../testing/run-cli.ts';

const ENV = { SECUREEV_PASSPHRASE: FIXTURE_PASSPHRASE };
const openssl = (...args: string[]): Buffer =>
  execFileSync('openssl', args, {
    env: { PATH: process.env['PATH'] ?? '', ...ENV },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
const modeOf = async (session: CliSession, path: string): Promise<number> =>
  (await stat(session.path(path))).mode & 0o777;

interface FileShown {
  readonly purpose: string;
  readonly keys: readonly { readonly algorithm: string; readonly keyId: string }[];
}

const filesOf = ({ result }: JsonDocument): readonly FileShown[] => {
  const files: unknown = result?.['files'];
  return Array.isArray(files) ? (files as readonly FileShown[]) : [];
};

describe('keygen', () => {
  test('a recorded session', async () => {
    await using session = await cliSession({ env: ENV, seed: 'keygen' });
    const made = await session.run(['keygen', 'root-a', '--holder', 'Ada Lovelace', '--out', 'keys']);
    expect(made).toEqual({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(
        /^made keys\/root-a\.key and keys\/root-a\.pub \(hybrid\)\npurpose: {5}signing\nholder: {6}Ada Lovelace\ncreated: {5}\S+Z\necdsa-p256: {2}([0-9a-f]{4} ?){16}\nml-dsa-65: {3}([0-9a-f]{4} ?){16}\n$/,
      ) as string,
    });
    expect([await modeOf(session, 'keys/root-a.key'), await modeOf(session, 'keys/root-a.pub')]).toEqual([
      0o600, 0o644,
    ]);
    const again = await session.run('keygen root-a --out keys');
    expect([again.status, again.stdout]).toEqual([5, '']);
    expect(again.stderr).toContain('[FILE_EXISTS]: keys/root-a.key');
    const shown = await session.json('key show keys/root-a.key keys/root-a.pub');
    const [key, pub] = filesOf(shown);
    expect(key).toEqual({ ...pub, path: 'keys/root-a.key', kind: 'private', encrypted: true, checked: false });
    expect(pub?.keys).toEqual([
      { algorithm: 'ecdsa-p256', keyId: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      { algorithm: 'ml-dsa-65', keyId: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    ]);
    expect(await session.ok('key public keys/root-a.key')).toBe(
      new TextDecoder().decode(await session.read('keys/root-a.pub')),
    );
  });

  test.each([
    ['', 'ecdsa-p256,ml-dsa-65', 'signing'],
    ['--scheme hybrid-ed25519', 'ed25519,ml-dsa-65', 'signing'],
    ['--scheme ml-dsa-87', 'ml-dsa-87', 'signing'],
    ['--purpose encryption', 'MLKEM768-X25519', 'encryption'],
    ['--scheme DHKEM-P256', 'DHKEM-P256', 'encryption'],
    ['--scheme MLKEM1024-P384 --purpose encryption', 'MLKEM1024-P384', 'encryption'],
  ])('keygen k %s', async (flags, algorithms, purpose) => {
    await using session = await cliSession({ env: ENV });
    await session.ok(`keygen k ${flags}`);
    const [file] = filesOf(await session.json('key show k.pub'));
    expect([file?.keys.map(({ algorithm }) => algorithm).join(), file?.purpose]).toEqual([algorithms, purpose]);
  });

  test.each([
    ['keygen k --scheme rot13', 'USAGE', 2],
    ['keygen k --scheme rsa-pss-sha256', 'USAGE', 2],
    ['keygen k --scheme hybrid --purpose encryption', 'USAGE', 2],
    ['keygen k --scheme DHKEM-P256 --purpose signing', 'USAGE', 2],
    ['keygen a/b', 'USAGE', 2],
    ['keygen a+b', 'USAGE', 2],
    ['keygen .k', 'USAGE', 2],
    ['keygen k --holder ""', 'USAGE', 2],
    ['keygen k --passphrase-file none', 'FILE_NOT_FOUND', 5],
    ['keygen k --passphrase-file blank', 'PASSPHRASE_EMPTY', 2],
  ])('%s: %s, and nothing is written', async (line, code, status) => {
    await using session = await cliSession({ env: ENV, files: { blank: '\n' } });
    const answer = await session.json(line);
    expect([answer.ok, answer.error?.code, answer.status]).toEqual([false, code, status]);
    expect(await readdir(session.folder)).toEqual(['blank']);
  });

  test('asks twice at a terminal, and without one names the flags', async () => {
    await using session = await cliSession();
    expect((await session.run('keygen k', { answers: ['tango', 'tangle'] })).stderr).toContain('[PASSPHRASE_MISMATCH]');
    expect((await session.run('keygen k')).stderr).toMatch(/\[PASSPHRASE_MISSING\].*\nhint: .*--passphrase-file/);
    expect(await readdir(session.folder)).toEqual([]);
    await session.ok('keygen k', { answers: ['tango', 'tango'] });
    await session.ok('key show --check k.key', { answers: ['tango'] });
  });

  test('whatever call to the machine fails, both files are there or none', async () => {
    for (let n = 1, status = -1; status !== 0; n++) {
      await using session = await cliSession({ env: ENV });
      status = (await session.run('keygen k --scheme ed25519', { adapt: (io) => failing(io, n).io })).status;
      expect(await readdir(session.folder), `call ${n}`).toEqual(status === 0 ? ['k.key', 'k.pub'] : []);
      expect(n).toBeLessThan(40);
    }
  });
});

describe('key passwd', () => {
  test('changes the passphrase and nothing else', async () => {
    await using session = await cliSession({ env: ENV, files: { new: 'new passphrase\n' } });
    await session.ok('keygen k --holder Ada');
    const before = await session.ok('key show k.key');
    expect(await session.ok('key passwd k.key --new-passphrase-file new')).toBe('k.key has a new passphrase\n');
    expect(await session.ok('key show k.key')).toBe(before);
    expect((await session.run('key public k.key')).stderr).toContain('[PASSPHRASE_WRONG]: k.key');
    expect(await session.ok('key public k.key --passphrase-file new')).toContain('holder: Ada');
    expect(await modeOf(session, 'k.key')).toBe(0o600);
    await session.ok('key passwd k.key --passphrase-file new', { answers: ['third', 'third'] });
    await session.ok('key show --check k.key', { answers: ['third'], env: { SECUREEV_PASSPHRASE: 'third' } });
  });

  test('takes in a key of openssl', async () => {
    await using session = await cliSession({
      env: ENV,
      files: { 'o.key': keyFixture('openssl/ed25519-pbkdf2.key'), new: 'n' },
    });
    await chmod(session.path('o.key'), 0o600);
    await session.ok('key passwd o.key --new-passphrase-file new');
    expect(await session.ok('key show o.key')).toContain('purpose:  signing');
  });

  test('the new one never comes from the environment, and is not empty', async () => {
    await using session = await cliSession({ env: ENV, files: { blank: '\n' } });
    await session.ok('keygen k --scheme ed25519');
    const before = await session.read('k.key');
    const { error } = await session.json('key passwd k.key');
    expect([error?.code, error?.hint]).toEqual([
      'PASSPHRASE_MISSING',
      expect.stringContaining('--new-passphrase-file'),
    ]);
    expect((await session.json('key passwd k.key --new-passphrase-file blank')).error?.code).toBe('PASSPHRASE_EMPTY');
    expect((await session.json('key passwd none.key --new-passphrase-file blank')).error?.code).toBe('FILE_NOT_FOUND');
    expect(await session.read('k.key')).toEqual(before);
  });
});

describe('key show and key public', () => {
  test('a file without text is opened to be shown', async () => {
    await using session = await cliSession({ env: ENV, files: { 'o.key': keyFixture('openssl/p256-scrypt.key') } });
    await chmod(session.path('o.key'), 0o600);
    expect(await session.ok('key show o.key')).toMatch(
      /^o\.key: private key, encrypted\npurpose: {5}signing\necdsa-p256: /,
    );
    expect(await session.ok('key public o.key --purpose encryption --holder Bob -o o.pub')).toContain('wrote o.pub');
    expect(await session.ok('key show o.pub')).toContain('DHKEM-P256');
    expect((await session.json('key public o.key -o o.pub')).error?.code).toBe('FILE_EXISTS');
  });

  test('a key that is not encrypted is told as such', async () => {
    await using session = await cliSession({ files: { 'o.key': keyFixture('openssl/p256-plain.key') } });
    await chmod(session.path('o.key'), 0o600);
    expect(await session.ok('key show o.key')).toContain('NOT ENCRYPTED');
  });

  test('a key file that others may read is refused with the fix', async () => {
    await using session = await cliSession({ env: ENV });
    await session.ok('keygen k --scheme ed25519');
    await chmod(session.path('k.key'), 0o640);
    const { status, stderr } = await session.run('key public k.key');
    expect([status, stderr]).toEqual([6, expect.stringContaining('[KEY_FILE_MODE]: k.key')]);
    expect(stderr).toContain('hint: chmod 600 k.key');
  });

  test('two signers joined', async () => {
    await using session = await cliSession({ env: ENV });
    await session.ok('keygen c --scheme ed25519');
    await session.ok('keygen p --scheme ml-dsa-65');
    const text = await session.ok('key public p.key+c.key --holder Ada');
    expect(text.match(/algorithm: .*|part: .*/g)).toEqual([
      'part: 1 of 2',
      'algorithm: ed25519',
      'part: 2 of 2',
      'algorithm: ml-dsa-65',
    ]);
  });
});

describe('no secret in what is told', () => {
  test('every answer of every key command, with and without mistakes', async () => {
    const passphrase = 'zebra-quartz-42';
    await using session = await cliSession({
      env: { SECUREEV_PASSPHRASE: passphrase },
      files: { wrong: 'wrong-walrus-17\n' },
    });
    const told: string[] = [];
    const lines = [
      'keygen k',
      'key show --check k.key',
      'key public k.key',
      'key public k.key --passphrase-file wrong',
    ];
    for (const line of [...lines, 'keygen k --json', 'key passwd k.key --new-passphrase-file wrong --json']) {
      const { stdout, stderr } = await session.run(line);
      told.push(stdout, stderr);
    }
    const all = told.join('\n');
    expect(all).toContain('PASSPHRASE_WRONG');
    for (const secret of [passphrase, 'wrong-walrus-17', 'PRIVATE KEY']) expect(all).not.toContain(secret);
  });
});

describe('other software (openssl 3.0, node:crypto)', () => {
  test.each([
    ['hybrid', 'ecdsa-p256'],
    ['hybrid-ed25519', 'ed25519'],
  ])('openssl opens the first key of scheme %s with its passphrase, and signs with it', async (scheme, algorithm) => {
    await using session = await cliSession({ env: ENV });
    await session.ok(`keygen k --scheme ${scheme}`);
    const path = (name: string): string => session.path(name);
    await writeFile(path('message'), 'signed by openssl');
    const derived = openssl('pkey', '-in', path('k.key'), '-passin', 'env:SECUREEV_PASSPHRASE', '-pubout').toString();
    expect(await readFile(path('k.pub'), 'utf8')).toContain(derived);
    const digest = algorithm === 'ed25519' ? [] : ['-digest', 'sha256'];
    const key = ['-inkey', path('k.key'), '-passin', 'env:SECUREEV_PASSPHRASE'];
    openssl('pkeyutl', '-sign', '-rawin', ...digest, ...key, '-in', path('message'), '-out', path('signature'));
    const signature = await readFile(path('signature'));
    const hash = algorithm === 'ed25519' ? null : 'sha256';
    expect(verify(hash, Buffer.from('signed by openssl'), createPublicKey(derived), signature)).toBe(true);
    const second = (await readFile(path('k.key'), 'utf8')).split(/(?<=-----END .*\n)/)[1] ?? '';
    expect(createPrivateKey({ key: second, passphrase: FIXTURE_PASSPHRASE }).asymmetricKeyType).toBe('ml-dsa-65');
  });

  const golden = (name: string): string => new TextDecoder().decode(keyFixture(`ours/${name}`));
  const opened = (scheme: string) => createPrivateKey({ key: golden(`${scheme}.key`), passphrase: FIXTURE_PASSPHRASE });
  const READABLE = ['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87', 'ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024'];

  test.each([...READABLE, 'DHKEM-X25519', 'DHKEM-P256'])(
    'node:crypto opens our %s key with its passphrase',
    (scheme) => {
      const spki = createPublicKey(opened(scheme)).export({ format: 'pem', type: 'spki' });
      expect(golden(`${scheme}.pub`)).toContain(String(spki));
    },
  );

  test.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'])('node:crypto signs with our %s key', (scheme) => {
    const signature = sign(null, Buffer.from('m'), opened(scheme));
    expect(verify(null, Buffer.from('m'), createPublicKey(golden(`${scheme}.pub`)), signature)).toBe(true);
  });
});
