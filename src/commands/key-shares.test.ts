import { decodeQR } from 'qr/decode.js';
import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { decodeShareText, encodeShareQr } from '../formats/shares/key-share.ts';
import { fromUtf8 } from '../core/bytes.ts';
import { cliSession } from '../testing/run-cli.ts';
import type { CliSession } from '../testing/run-cli.ts';

const env = { SECUREEV_PASSPHRASE: 'correct horse' };
let session: CliSession;

beforeAll(async () => {
  session = await cliSession({ env });
  await session.ok('keygen root-a --scheme hybrid-ed25519 --out keys');
  await session.ok('key split keys/root-a.key --shares 4 --threshold 3 --out pages');
}, 60_000);
afterAll(async () => session[Symbol.asyncDispose]());

const page = (number: number): string => `pages/root-a-share-${number}-of-4.txt`;
const text = async (number: number): Promise<string> => fromUtf8(await session.read(page(number)));

describe('key split and key combine', () => {
  test('any three of four pages restore the key, under a new passphrase', async () => {
    const original = await session.json('key show keys/root-a.key --check');
    for (const left of [1, 4]) {
      const some = [1, 2, 3, 4].filter((n) => n !== left).map(page);
      await session.ok(['key', 'combine', ...some, '--out', `back-${left}.key`], {
        env: { SECUREEV_PASSPHRASE: 'another one' },
      });
      const again = await session.json(`key show back-${left}.key --check`, {
        env: { SECUREEV_PASSPHRASE: 'another one' },
      });
      expect(keysIn(again)).toEqual(keysIn(original));
    }
  });

  test('typed lines and the content of the QR code do as well as the page; a line typed wrong is named', async () => {
    const lines = (await text(1)).split('\n').filter((line) => /^\d\d: /.test(line));
    await session.write(
      'typed.txt',
      lines.map((line) => line.slice(0, 4) + line.slice(4).toLowerCase().replaceAll('0', 'o')).join('\n'),
    );
    await session.write('scanned.txt', encodeShareQr(decodeShareText(await text(2))));
    expect((await session.json(['key', 'combine', 'typed.txt', 'scanned.txt', page(3)])).ok).toBe(true);
    await session.write('wrong.txt', lines.map((line, i) => (i === 1 ? line.replace(/: ./, ': *') : line)).join('\n'));
    const wrong = await session.json(['key', 'combine', 'wrong.txt', page(2), page(3)]);
    expect([wrong.status, wrong.error?.code]).toEqual([4, 'SHARE_MALFORMED']);
    await session.write(
      'off.txt',
      (await text(1)).replace(/^02: (.)/m, (_, c) => `02: ${c === '7' ? '8' : '7'}`),
    );
    const off = await session.json(['key', 'combine', 'off.txt', page(2), page(3)]);
    expect(off.error).toMatchObject({ code: 'SHARE_MALFORMED', details: { line: 2, path: 'off.txt' } });
  });

  test('the drawn QR code is read by a decoder as the share', async () => {
    const drawn = (await text(1)).split('\n').filter((line) => /^[█▀▄ ]+$/.test(line));
    const scale = 4;
    const width = Array.from(drawn[0] ?? '').length;
    const height = drawn.length * 2;
    const data = new Uint8Array(width * height * scale * scale * 4).fill(255);
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const [row, column] = [Math.floor(y / scale), Math.floor(x / scale)];
        const block = Array.from(drawn[row >> 1] ?? '')[column] ?? ' ';
        const dark = block === '█' || block === (row % 2 === 0 ? '▀' : '▄');
        if (dark) data.fill(0, (y * width * scale + x) * 4, (y * width * scale + x) * 4 + 3);
      }
    }
    const decoded = decodeQR({ width: width * scale, height: height * scale, data });
    expect(decodeShareText(decoded)).toEqual(decodeShareText(await text(1)));
  });

  test('too few shares, the same share twice, and shares of two splittings are refused', async () => {
    await session.ok('key split keys/root-a.key --shares 4 --threshold 3 --out others');
    const code = async (...pages: readonly string[]): Promise<unknown> => {
      const { status, error } = await session.json(['key', 'combine', ...pages]);
      return [status, error?.code];
    };
    expect(await code(page(1), page(2))).toEqual([3, 'SHARE_SHORT']);
    expect(await code(page(1), page(2), page(2))).toEqual([3, 'SHARE_MIXED']);
    expect(await code(page(1), page(2), page(3).replace('pages', 'others'))).toEqual([3, 'SHARE_MIXED']);
  });

  test('nothing is overwritten, and a threshold beyond the shares is refused before the key is opened', async () => {
    const again = await session.json('key split keys/root-a.key --shares 4 --threshold 3 --out pages');
    expect(again.error?.code).toBe('FILE_EXISTS');
    const short = await session.json('key split keys/root-a.key --shares 2 --threshold 3 --out more');
    expect([short.status, short.error?.code]).toEqual([2, 'USAGE']);
    const out = await session.json(['key', 'combine', page(1), page(2), page(3), '--out', 'keys/root-a.key']);
    expect(out.error?.code).toBe('FILE_EXISTS');
  });
});

function keysIn(document: { readonly result?: Readonly<Record<string, unknown>> }): unknown {
  return (JSON.parse(JSON.stringify(document.result)) as { files: { keys: unknown }[] }).files.map(({ keys }) => keys);
}
