import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { parseInstant } from '../../core/brands.ts';
import { concatBytes, fromHex, toHex, utf8 } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { FIXTURE_PASSPHRASE, constantKey, keyFixture, keyVectors, weakKeyFile } from '../../testing/key-fixtures.ts';
import type { KeyVector } from '../../testing/key-fixtures.ts';
import type { KeyPurpose } from './algorithms.ts';
import { decodeKeyFile, encodeKeyFile, openKeyFile, publicHalf } from './key-file.ts';
import type { PrivateIdentity } from './key-file.ts';
import { decodePublicFile, encodePublicFile } from './public-file.ts';
import { encodeSpkiPem } from './spki.ts';

const PASSPHRASE = utf8(FIXTURE_PASSPHRASE);
const open = async (
  bytes: Uint8Array,
  { passphrase = PASSPHRASE, purpose }: { passphrase?: Uint8Array; purpose?: KeyPurpose } = {},
): Promise<PrivateIdentity> =>
  openKeyFile(decodeKeyFile(bytes), { engine: 'native', passphrase: async () => passphrase, purpose });
const codeOf = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    await work();
    return 'accepted';
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : String(thrown);
  }
};
const openCode = (text: string | Uint8Array, options: { passphrase?: Uint8Array; purpose?: KeyPurpose } = {}) =>
  codeOf(() => open(typeof text === 'string' ? utf8(text) : text, options));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const HYBRID: PrivateIdentity = {
  keys: [constantKey('ecdsa-p256'), constantKey('ml-dsa-65')],
  purpose: 'signing',
  holder: 'Ada',
};

describe('golden key files', () => {
  const identityOf = (vector: KeyVector, opened: PrivateIdentity): PrivateIdentity => ({
    keys: opened.keys,
    purpose: vector.purpose,
    holder: vector.holder,
    created: parseInstant(vector.created),
  });

  test.each(keyVectors().map((vector) => [vector.file, vector] as const))('%s', async (file, vector) => {
    const bytes = keyFixture(`ours/${file}.key`);
    const opened = await open(bytes);
    expect(opened).toEqual(identityOf(vector, opened));
    expect(
      opened.keys.map(({ secret, publicKey: { algorithm, keyId } }) => ({ algorithm, secret: toHex(secret), keyId })),
    ).toEqual(vector.keys);
    const half = publicHalf(opened);
    expect(encodePublicFile(half)).toBe(text(keyFixture(`ours/${file}.pub`)));
    expect(decodePublicFile(keyFixture(`ours/${file}.pub`))).toEqual(half);
  });

  test.each(['hybrid', 'MLKEM768-X25519', 'MLKEM768-P256'])('%s is written byte for byte', async (file) => {
    const vector = keyVectors().find((candidate) => candidate.file === file);
    const bytes = keyFixture(`ours/${file}.key`);
    const randomness = fromHex(vector?.randomness ?? '');
    const written = await encodeKeyFile(await open(bytes), { engine: 'native', passphrase: PASSPHRASE, randomness });
    expect(written).toBe(text(bytes));
  });

  test('the other engine opens the same', async () => {
    const [vector] = keyVectors();
    const file = decodeKeyFile(keyFixture(`ours/${vector?.file}.key`));
    const opened = await openKeyFile(file, { engine: 'noble', passphrase: async () => PASSPHRASE });
    expect(opened.keys.map(({ secret }) => toHex(secret))).toEqual(vector?.keys.map(({ secret }) => secret));
  });
});

test('the example in FORMAT.md is the fixture', async () => {
  const format = readFileSync(new URL('FORMAT.md', import.meta.url), 'utf8').replaceAll(/\s/g, '');
  const vector = keyVectors().find(({ file }) => file === 'ed25519');
  const { randomness = '', keys = [] } = vector ?? {};
  const [key] = (await open(keyFixture('ours/ed25519.key'))).keys;
  const der = toHex(decodeKeyFile(keyFixture('ours/ed25519.key')).blocks[0]?.bytes ?? new Uint8Array());
  const shown = [randomness.slice(0, 32), randomness.slice(32), keys[0]?.keyId, keys[0]?.secret, der.slice(-128)];
  for (const hex of [...shown, toHex(key?.publicKey.bytes ?? new Uint8Array())]) expect(format).toContain(hex);
  expect(shown.every((hex) => hex !== undefined && hex.length >= 32)).toBe(true);
});

describe('key files of others', () => {
  test.each([
    ['openssl/p256-pbkdf2', 'openssl/p256'],
    ['openssl/p256-scrypt', 'openssl/p256'],
    ['openssl/p256-plain', 'openssl/p256'],
    ['openssl/ed25519-pbkdf2', 'openssl/ed25519'],
    ['openssl/ed25519-scrypt', 'openssl/ed25519'],
    ['node/ml-dsa-65-encrypted', 'node/ml-dsa-65'],
    ['python/ml-dsa-65', 'python/ml-dsa-65'],
    ['python/p256', 'python/p256'],
  ])('%s', async (key, pub) => {
    const { keys, holder, purpose } = await open(keyFixture(`${key}.key`));
    expect([keys.length, holder, purpose]).toEqual([1, undefined, 'signing']);
    expect(keys.map(({ publicKey }) => encodeSpkiPem(publicKey))).toEqual([text(keyFixture(`${pub}.pub`))]);
  });

  test('a P-256 key without text is for what the caller needs', async () => {
    const opened = await open(keyFixture('openssl/p256-pbkdf2.key'), { purpose: 'encryption' });
    expect([opened.purpose, opened.keys[0]?.publicKey.algorithm]).toEqual(['encryption', 'DHKEM-P256']);
  });

  test('a key file of ours needs no such hint', async () => {
    const bytes = keyFixture('ours/DHKEM-P256.key');
    expect((await open(bytes, { purpose: 'signing' })).purpose).toBe('encryption');
    expect((await open(keyFixture('ours/ecdsa-p256.key'), { purpose: 'encryption' })).purpose).toBe('signing');
  });

  test('SEC1 and PKCS#1 are refused with the command that converts them', () => {
    const thrown = ((): unknown => {
      try {
        return decodeKeyFile(keyFixture('openssl/p256-sec1.key'));
      } catch (error) {
        return error;
      }
    })();
    expect(isFailure(thrown, 'KEY_FILE_MALFORMED') && thrown.hint).toContain('openssl pkcs8 -topk8');
  });
});

describe('damaged key files: a flipped byte never loads as another key', () => {
  const good = utf8(weakKeyFile(HYBRID));
  const goodIds = HYBRID.keys.map(({ publicKey }) => publicKey.keyId);

  /** What a changed file gives: the same keys, or a refusal. */
  const sameOrRefused = async (bytes: Uint8Array): Promise<string> => {
    try {
      const { keys } = await open(bytes);
      expect(keys.map(({ publicKey }) => publicKey.keyId)).toEqual(goodIds);
      return 'same';
    } catch (thrown) {
      if (!isFailure(thrown)) throw thrown;
      return thrown.code;
    }
  };

  test('every byte of the file, one bit each', async () => {
    const outcomes = new Map<string, number>();
    for (let at = 0; at < good.length; at++) {
      const damaged = good.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 7));
      const outcome = await sameOrRefused(damaged);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    expect(outcomes.get('KEY_FILE_MISMATCH')).toBeGreaterThan(10);
    expect(outcomes.get('PASSPHRASE_WRONG')).toBeGreaterThan(100);
  });

  test('every byte of every ciphertext, several bits', async () => {
    // A small file, so that each base64 digit can be turned into several others.
    const single = weakKeyFile({ keys: [constantKey('ed25519')], purpose: 'signing' });
    const id = constantKey('ed25519').publicKey.keyId;
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const body = single.indexOf('-----\n') + 6;
    for (let at = body; at < single.indexOf('\n-----END'); at++) {
      for (const step of [1, 2, 4, 8, 16, 32]) {
        const digit = digits.indexOf(single.charAt(at));
        if (digit < 0) continue;
        const changed = single.slice(0, at) + digits.charAt(digit ^ step) + single.slice(at + 1);
        const found = await open(utf8(changed)).then(
          ({ keys }) => keys[0]?.publicKey.keyId ?? '',
          (thrown: unknown) => (isFailure(thrown) ? id : String(thrown)),
        );
        expect(found).toBe(id);
      }
    }
  });

  test('sampled bytes of a real file, with scrypt', async () => {
    const bytes = keyFixture('ours/hybrid.key');
    const body = text(bytes).indexOf('-----\n') + 6;
    for (let at = body + 150; at < body + 350; at += 67) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(await openCode(damaged)).not.toBe('accepted');
    }
  });

  test('cut short anywhere, it is refused', async () => {
    for (let length = 0; length < good.length - 1; length += 7) {
      expect(await openCode(good.slice(0, length)), `${length} bytes`).not.toBe('accepted');
    }
    const afterFirst = text(good).indexOf('-----END ENCRYPTED PRIVATE KEY-----\n') + 36;
    expect(await openCode(good.slice(0, afterFirst))).toBe('KEY_FILE_MALFORMED');
    expect(await openCode(good.slice(afterFirst))).toBe('KEY_FILE_MALFORMED');
  });

  const other: PrivateIdentity = { ...HYBRID, keys: [constantKey('ecdsa-p256', 8), constantKey('ml-dsa-65', 8)] };
  const blocks = (identity: PrivateIdentity): string[] => weakKeyFile(identity).split(/(?<=-----END .*\n)/);
  const [first = '', second = ''] = blocks(HYBRID);
  const [, otherSecond = ''] = blocks(other);
  const pemOf = (block: string): string => block.slice(block.indexOf('-----BEGIN'));
  const textOf = (block: string): string => block.slice(0, block.indexOf('-----BEGIN'));
  const single = weakKeyFile({ ...HYBRID, keys: [constantKey('ecdsa-p256')] });

  test.each([
    [
      'the text of one key before the block of another',
      first + textOf(second) + pemOf(otherSecond),
      'KEY_FILE_MISMATCH',
    ],
    ['the parts in the other order', second + first, 'KEY_FILE_MALFORMED'],
    ['the first part twice', first + first, 'KEY_FILE_MALFORMED'],
    ['two single keys', single + single, 'KEY_FILE_MALFORMED'],
    ['two blocks without text', pemOf(first) + pemOf(second), 'KEY_FILE_MALFORMED'],
    ['three blocks', first + second + second, 'KEY_FILE_MALFORMED'],
    [
      'two classical keys',
      weakKeyFile({ ...HYBRID, keys: [constantKey('ecdsa-p256'), constantKey('ed25519')] }),
      'KEY_FILE_MALFORMED',
    ],
    ['a post-quantum key first', weakKeyFile({ ...HYBRID, keys: HYBRID.keys.toReversed() }), 'KEY_FILE_MALFORMED'],
    ['text without a key id', single.replace(/key id: .*\n/, ''), 'KEY_FILE_MALFORMED'],
    ['two key ids', single.replace(/(key id: .*\n)/, '$1$1'), 'KEY_FILE_MALFORMED'],
    [
      'the key id of another key',
      single.replace(/key id: ./, (found) => `key id: ${found.endsWith('0') ? '1' : '0'}`),
      'KEY_FILE_MISMATCH',
    ],
    [
      'another algorithm in the text',
      single.replace('algorithm: ecdsa-p256', 'algorithm: DHKEM-P256'),
      'KEY_FILE_MISMATCH',
    ],
    ['another purpose', single.replace('purpose: signing', 'purpose: encryption'), 'KEY_FILE_MISMATCH'],
    ['a purpose that is none', single.replace('purpose: signing', 'purpose: fun'), 'KEY_FILE_MALFORMED'],
    ['a holder with a control character', single.replace('holder: Ada', 'holder: A\u0007'), 'KEY_FILE_MALFORMED'],
    ['different holders', first.replace('Ada', 'Eve') + second, 'KEY_FILE_MALFORMED'],
    ['a time that is none', single.replace('algorithm:', 'created: yesterday\nalgorithm:'), 'KEY_FILE_MALFORMED'],
    ['a public key file', text(keyFixture('ours/hybrid.pub')), 'KEY_FILE_MALFORMED'],
    ['an empty file', '', 'KEY_FILE_MALFORMED'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'KEY_FILE_MALFORMED'],
    ['no text file', new Uint8Array(10).fill(0xff), 'PEM_MALFORMED'],
  ])('refuses %s', async (_, file, expected) => {
    expect(await openCode(file)).toBe(expected);
  });

  test('a wrong passphrase', async () => {
    expect(await openCode(good, { passphrase: utf8('wrong') })).toBe('PASSPHRASE_WRONG');
    expect(await openCode(keyFixture('ours/hybrid.key'), { passphrase: utf8('') })).toBe('PASSPHRASE_WRONG');
  });

  test('no wrong passphrase ever opens it (padding that fits by chance)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1 }), async (passphrase) => {
        expect(await openCode(good, { passphrase: utf8(passphrase) })).toBe('PASSPHRASE_WRONG');
      }),
      { numRuns: 600 },
    );
  });
});

describe('key files', () => {
  test('the passphrase is asked for once, and only where something is encrypted', async () => {
    let asked = 0;
    const passphrase = async (): Promise<Uint8Array> => {
      asked++;
      return PASSPHRASE;
    };
    await openKeyFile(decodeKeyFile(utf8(weakKeyFile(HYBRID))), { engine: 'native', passphrase });
    expect(asked).toBe(1);
    await openKeyFile(decodeKeyFile(keyFixture('openssl/p256-plain.key')), { engine: 'native', passphrase });
    expect(asked).toBe(1);
  });

  test('holds no secret and no public key in the clear but the id', async () => {
    const [vector] = keyVectors();
    const secret = Buffer.from(vector?.keys[0]?.secret ?? '', 'hex');
    const bytes = concatBytes(...keyVectors().map(({ file }) => keyFixture(`ours/${file}.key`)));
    for (const form of ['hex', 'base64'] as const)
      expect(text(bytes)).not.toContain(secret.toString(form).slice(0, 20));
  });

  test('refuses randomness of a wrong length', async () => {
    const protection = { engine: 'native', passphrase: PASSPHRASE, randomness: new Uint8Array(32) } as const;
    expect(await codeOf(() => encodeKeyFile(HYBRID, protection))).toBe('INTERNAL');
  });
});
