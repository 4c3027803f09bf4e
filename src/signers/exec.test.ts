import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { isFailure } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import { nodeEnvironment } from '../io/environment.ts';
import { nodeProcesses } from '../io/processes.ts';
import { fakeIo } from '../testing/fake-io.ts';
import { openExec } from './exec.ts';

const EXAMPLE = fileURLToPath(new URL('../../scripts/exec-signer-openssl', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'secureev-exec-'));
const key = join(folder, 'key.pem');
const other = join(folder, 'other.pem');

const io = (): Io => ({
  ...fakeIo(),
  processes: nodeProcesses({
    folder,
    env: { ...process.env, SECUREEV_PASSPHRASE: 'hidden' },
    signal: new AbortController().signal,
  }),
  environment: nodeEnvironment({}),
});
const open = (uri: string) =>
  openExec(uri, { io: io(), passphrases: { next: () => Promise.reject(new Error('no passphrase is needed')) } });

const program = (name: string, lines: string): string => {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
};

const codeOf = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (isFailure(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
};

beforeAll(() => {
  for (const file of [key, other]) {
    execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file]);
  }
});

describe('a program that signs (EXEC.md)', () => {
  test('the example around openssl describes its key and signs with it', async () => {
    using signer = await open(`exec:${EXAMPLE} ${key}`);
    const [only] = signer.keys;
    expect(signer.keys).toHaveLength(1);
    const message = utf8('{"signed":1}');
    const signature = (await only?.sign(message)) ?? new Uint8Array();
    const publicKey = only?.publicKey.bytes ?? new Uint8Array();
    signatureAlgorithm('ecdsa-p256').verify({ engine: 'noble', publicKey, message, signature });
  });

  test('a signature of another key is refused before it is used', async () => {
    const swapped = program(
      'swapped',
      `case $(cat | tee /tmp/x-$$) in *describe*) echo '{"op":"describe"}' | ${EXAMPLE} ${key};;
      *) cat /tmp/x-$$ | ${EXAMPLE} ${other};; esac; rm -f /tmp/x-$$`,
    );
    using signer = await open(`exec:${swapped}`);
    expect(await codeOf(async () => await signer.keys[0]?.sign(utf8('x')))).toBe('SIGNATURE_INVALID');
  });

  test('sees no passphrase of ours', async () => {
    const spy = program('spy', `[ -z "\${SECUREEV_PASSPHRASE:-}" ] || exit 9\nexec ${EXAMPLE} ${key}`);
    using signer = await open(`exec:${spy}`);
    expect(signer.keys).toHaveLength(1);
  });

  test.each([
    ['fails', 'echo no such key >&2; exit 3', 'SIGNER_FAILED'],
    ['answers with something else', 'echo hello', 'JSON_MALFORMED'],
    ['describes no key', 'echo \'{"keys":[]}\'', 'SIGNER_ANSWER_MALFORMED'],
    ['describes no PEM', 'echo \'{"keys":[{"publicKey":"x"}]}\'', 'SIGNER_ANSWER_MALFORMED'],
  ])('one that %s is told as such', async (name, lines, code) => {
    expect(await codeOf(() => open(`exec:${program(name.replaceAll(' ', '-'), `cat >/dev/null; ${lines}`)}`))).toBe(
      code,
    );
  });

  test('an address without an absolute path is refused, and no shell reads it', async () => {
    expect(await codeOf(() => open('exec:openssl'))).toBe('SIGNER_URI_MALFORMED');
    expect(await codeOf(() => open(`exec:${EXAMPLE} ;touch ${join(folder, 'pwned')}`))).toBe('SIGNER_FAILED');
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
  });
});
