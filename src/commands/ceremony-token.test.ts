/** A ceremony of five hybrid custodians, three of whom sign a root, one of them with a token. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { SecureevError } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { ceremonySession } from '../testing/ceremony-session.ts';
import type { CliSession } from '../testing/run-cli.ts';
import { makeTokens, softHsmModule } from '../testing/soft-hsm.ts';

const module = softHsmModule();
const RUN = 'ceremony run ceremony.yaml --out held --rehearsal --answers answers.yaml';
const RESUME = 'ceremony resume held --answers answers.yaml';

describe.runIf(module !== undefined)('a 3-of-5 hybrid ceremony with one custodian on a token', () => {
  let session: CliSession;
  beforeAll(async () => {
    makeTokens(['Custodian TK']);
    session = await ceremonySession({
      scheme: 'hybrid',
      threshold: 3,
      custodians: ['AL', 'EC', 'JC', 'MH', 'TK'],
      signers: { TK: `pkcs11:token=Custodian%20TK?module-path=${module ?? ''}` },
      pins: { TK: '1234' },
    });
  }, 60_000);
  afterAll(async () => session[Symbol.asyncDispose]());

  test('goes on after an interruption between making the key on the token and recording it', async () => {
    const { status } = await session.run(RUN, { adapt: stopsAtSignerFile });
    expect(status).toBe(130);
    const transcript = fromUtf8(await session.read('held/transcript.jsonl'));
    expect(transcript).toContain('"step":"possess:MH:director"');
    expect(transcript).not.toContain('"step":"generate:TK:image"');
    await session.ok(RESUME);
    await session.ok('ceremony verify held --rehearsal');
  }, 120_000);

  test('leaves the token custodian a signer that joins token and file, and no classical key in the file', async () => {
    const signer = fromUtf8(await session.read('media/TK/TK-image-root.signer'));
    expect(signer).toMatch(/^pkcs11:token=Custodian%20TK;object=TK-image-root\?.*\+TK-image-root\.key\n$/);
    expect(fromUtf8(await session.read('media/TK/TK-image-root.key'))).not.toContain('ecdsa-p256');
    expect(fromUtf8(await session.read('held/public/TK-image-root.pub'))).toMatch(/ecdsa-p256[^]*ml-dsa-65/);
    expect(fromUtf8(await session.read('held/transcript.jsonl'))).not.toContain('backup:TK');
  });

  test('three of the five rotate the root that it made', async () => {
    await session.ok('init oem --from-ceremony held --rehearsal');
    const passphrase = (initials: string): object => ({
      env: { SECUREEV_REPO: 'oem', SECUREEV_PASSPHRASE: `passphrase-of-${initials}-0123456789` },
    });
    await session.ok('role change root --threshold 4', passphrase('AL'));
    for (const initials of ['AL', 'EC', 'JC', 'MH']) {
      const line = `sign root --key media/${initials}/${initials}-image-root.key`;
      const { result } = await session.json(line, passphrase(initials));
      expect(result?.['complete']).toBe(initials === 'MH');
    }
  }, 60_000);

  test('a wrong PIN is tried once and recorded as a failure', async () => {
    const answers = fromUtf8(await session.read('answers.yaml'));
    await session.write('answers.yaml', answers.replace("TK: '1234'", "TK: '9999'"));
    await session.write('media/TK2/.keep', '');
    const plan = fromUtf8(await session.read('ceremony.yaml'));
    const alone = plan
      .replace(/^ {2}- \{ name: Custodian (?:AL|EC|JC|MH).*\n/gm, '')
      .replace('threshold: 3', 'threshold: 1');
    await session.write('alone.yaml', alone.replace('media/TK', 'media/TK2'));
    const line = RUN.replace('ceremony.yaml', 'alone.yaml').replace('held', 'other');
    const { status, error } = await session.json(line);
    expect([status, error?.code]).toEqual([5, 'SIGNER_PIN_WRONG']);
    expect(fromUtf8(await session.read('other/transcript.jsonl'))).not.toContain('9999');
    await session.write('answers.yaml', answers);
    const again = await session.json(
      line.replace('ceremony run alone.yaml --out', 'ceremony resume').replace(' --rehearsal', ''),
    );
    expect(again.error?.code).toBe('SIGNER_KEY_EXISTS');
  }, 60_000);
});

/** Ctrl-C when the file that names the token's key is about to be written. */
function stopsAtSignerFile(io: Io): Io {
  const files = new Proxy(io.files, {
    get(target, name) {
      if (name !== 'write') return Reflect.get(target, name) as unknown;
      return async (path: string, bytes: Uint8Array, options: object) => {
        if (path.endsWith('.signer')) throw new SecureevError('INTERRUPTED', { message: 'interrupted' });
        await target.write(path, bytes, options);
      };
    },
  });
  return { ...io, files };
}
