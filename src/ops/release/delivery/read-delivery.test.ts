/** The worked example of FORMAT.md, and what becomes of it when a byte of it is another. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../../core/errors.ts';
import { decodeDeliveredTarget } from '../../../formats/delivery/delivery.ts';
import { jsonMap } from '../../../formats/json/json.ts';
import { decodeRole } from '../../../formats/metadata/envelope.ts';
import { fakeIo } from '../../../testing/fake-io.ts';
import { extractImage, imagesIn, readMetadata } from './read-delivery.ts';

const EXAMPLE = new Uint8Array(
  readFileSync(new URL('../../../../fixtures/delivery/worked-example.delivery', import.meta.url)),
);
const IMAGE = 'd11f583cc45fba2144159b63c212fdae6aa37ef3e141fc917369789ecaf704d9';
const METADATA_BYTES = 630;

interface Read {
  readonly role: string;
  readonly metadata: Uint8Array;
  readonly images: readonly { readonly sha256: string; readonly content: string }[];
}

async function read(bytes: Uint8Array): Promise<Read | string> {
  const io = fakeIo({ files: { d: bytes } });
  try {
    await using file = await io.files.open('d');
    const { role, bytes: metadata, end } = await readMetadata(file);
    const images: { sha256: string; content: string }[] = [];
    for await (const image of imagesIn(file, end)) {
      await extractImage(io, file, { ...image, to: image.sha256 });
      const content = Buffer.from(await io.files.read(image.sha256, 1000)).toString();
      images.push({ sha256: image.sha256, content });
    }
    return { role, metadata, images };
  } catch (thrown) {
    if (isFailure(thrown)) return thrown.code;
    throw thrown;
  }
}

describe('U19 the file of a delivery', () => {
  test('the worked example: metadata, then the image that it lists', async () => {
    const delivery = await read(EXAMPLE);
    if (typeof delivery === 'string') throw new Error(delivery);
    expect(delivery).toMatchObject({ role: 'acme', images: [{ sha256: IMAGE, content: 'battery management 2.1\n' }] });
    const { signed } = decodeRole(delivery.metadata, 'targets').unverified;
    const targets = [...signed.targets].map(([name, file]) => decodeDeliveredTarget(name, file));
    expect(targets).toMatchObject([
      { name: 'EV-1/BMS/2.1/bms.bin', length: 23, hardwareIds: ['BMS-H2'], releaseCounter: 7, version: '2.1' },
    ]);
  });

  test('cut off anywhere, or longer, it is malformed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(EXAMPLE.length - 1), async (length) => {
        expect(await read(EXAMPLE.slice(0, length))).toBe('DELIVERY_MALFORMED');
      }),
    );
    expect(await read(Buffer.concat([EXAMPLE, new Uint8Array(1)]))).toBe('DELIVERY_MALFORMED');
  });

  test('with any byte changed outside the signed metadata it is refused', async () => {
    const outside = EXAMPLE.length - METADATA_BYTES;
    await fc.assert(
      fc.asyncProperty(fc.nat(outside - 1), fc.integer({ min: 1, max: 255 }), async (place, mask) => {
        const at = place < 512 ? place : place + METADATA_BYTES;
        const changed = EXAMPLE.slice();
        changed[at] = (changed[at] ?? 0) ^ mask;
        const result = await read(changed);
        const code = typeof result === 'string' ? result : 'read';
        const isOtherName =
          typeof result !== 'string' && (result.role !== 'acme' || result.images[0]?.sha256 !== IMAGE);
        expect(isOtherName || ['DELIVERY_MALFORMED', 'DELIVERY_IMAGE_DAMAGED'].includes(code)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test('a target says its hardware and SHA-256, and nothing that leaves its folder', () => {
    const hashes = new Map([['sha256', IMAGE]]);
    const custom = new Map([['hardwareIds', ['H']]]);
    const bad = [
      ['../x', { length: 1, hashes, custom }],
      ['a/b', { length: 1, hashes, custom: undefined }],
      ['a/b', { length: 1, hashes, custom: new Map([['hardwareIds', []]]) }],
      ['a/b', { length: 1, hashes, custom: new Map([['hardwareIds', [7]]]) }],
      ['a/b', { length: 1, hashes: new Map([['sha512', 'ab']]), custom }],
      ['a/b', { length: 1, hashes, custom: jsonMap({ hardwareIds: ['H'], releaseCounter: 0 }) }],
    ] as const;
    for (const [name, file] of bad) {
      let code = 'nothing thrown';
      try {
        decodeDeliveredTarget(name, file);
      } catch (thrown) {
        code = isFailure(thrown) ? thrown.code : String(thrown);
      }
      expect(code).toBe('DELIVERY_MALFORMED');
    }
  });
});
