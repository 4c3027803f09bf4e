/** OTAP version 1: the vectors of `fixtures/otap/v1/`, FORMAT-V1.md's example, and properties over bundles of all kinds. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, equalBytes, fromHex, toHex } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import { ENGINES } from '../../crypto/engine.ts';
import { sha256 } from '../../crypto/hash.ts';
import { nodeZstd } from '../../io/zstd.ts';
import { bundleV1, memoryBytes, otapV1Vectors, WORKED_EXAMPLE_V1 } from '../../testing/otap-v1-vectors.ts';
import type { TestFirmware } from '../../testing/otap-v1-vectors.ts';
import { OTAP_LIMITS } from './bundle.ts';
import type { BundleImage } from './bundle.ts';
import { openBundle } from './index.ts';
import { V1_IMAGES_BYTES_MAX } from './v1.ts';
import { frameBytes } from './zstd-frame.ts';

const FOLDER = new URL('../../../fixtures/otap/v1/', import.meta.url);
const zstd = nodeZstd();

interface Read {
  readonly gateway: string;
  readonly images: readonly BundleImage[];
  readonly contents: readonly Uint8Array[];
  readonly sha256: Uint8Array;
}

/** Reads a bundle to its end, cut into pieces of `step` bytes. */
async function read(
  bytes: Uint8Array,
  engine: (typeof ENGINES)[number] = 'native',
  step = bytes.length,
): Promise<Read> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / step) }, (_, i) =>
    bytes.subarray(i * step, (i + 1) * step),
  );
  const bundle = await openBundle(pieces, engine, { file: memoryBytes(bytes), zstd });
  const contents: Uint8Array[] = [];
  const { images } = bundle.head.manifest.unverified;
  await bundle.readPayloads(images, {
    engine,
    zstd,
    sinkOf: () => {
      const index = contents.push(new Uint8Array(0)) - 1;
      return (piece) => {
        contents[index] = concatBytes(contents[index] ?? new Uint8Array(0), piece);
      };
    },
  });
  const { sha256: hash } = await bundle.finish();
  return { gateway: bundle.head.gateway, images, contents, sha256: hash };
}

async function outcome(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (thrown) {
    return isFailure(thrown) ? thrown.code : 'uncoded';
  }
}

function compressed(image: Uint8Array): Uint8Array {
  using encoder = zstd.compress({ level: 3, workers: 1, contentSizeBytes: image.length });
  const pieces: Uint8Array[] = [];
  for (const piece of [...collect(encoder.push(image)), ...collect(encoder.finish())]) pieces.push(piece);
  return concatBytes(...pieces);
}

function collect(pieces: Iterable<Uint8Array>): readonly Uint8Array[] {
  const all: Uint8Array[] = [];
  for (const piece of pieces) all.push(piece.slice());
  return all;
}

describe('vectors of OTAP version 1', async () => {
  const listed = JSON.parse(await readFile(new URL('vectors.json', FOLDER), 'utf8')) as {
    vectors: readonly { name: string; about: string; sha256: string; refused: string | null }[];
  };

  test('are all of them, each as it is made afresh', () => {
    const made = otapV1Vectors().map(({ name, about, bytes, refused }) => {
      return { name, about, sha256: toHex(sha256('noble', bytes)), refused: refused ?? null };
    });
    expect(listed.vectors).toEqual(made);
  });

  test.each(listed.vectors)('$name: $about', async ({ name, sha256: hash, refused }) => {
    const bytes = new Uint8Array(await readFile(new URL(`${name}.otap`, FOLDER)));
    expect(toHex(sha256('noble', bytes))).toBe(hash);
    for (const engine of ENGINES) expect(await outcome(() => read(bytes, engine))).toBe(refused);
  });
});

test('FORMAT-V1.md shows the worked example byte for byte, and its limits', async () => {
  const text = await readFile(new URL('FORMAT-V1.md', import.meta.url), 'utf8');
  const block = text.split('## 3. A worked example')[1]?.match(/```\n([\s\S]*?)```/)?.[1] ?? '';
  expect(toHex(fromHex(block.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, '')))).toBe(toHex(WORKED_EXAMPLE_V1));
  const limits = [OTAP_LIMITS.ecus, OTAP_LIMITS.windowBytes, V1_IMAGES_BYTES_MAX, 2 ** 32 - 1];
  for (const limit of limits) expect(text).toContain(limit.toLocaleString('en'));
});

describe('what is read', () => {
  test('gateway, ECUs, versions, sizes, hashes and images', async () => {
    const { gateway, images, contents, sha256: hash } = await read(WORKED_EXAMPLE_V1);
    expect(gateway).toBe('ZG');
    expect(
      images.map(({ ecus, version, codec, sizeBytes, storedBytes }) => [ecus, version, codec, sizeBytes, storedBytes]),
    ).toEqual([
      [[{ id: 'BRAKE', hardwareId: 'unsaid', currentVersion: '1.0' }], '1.1', 'raw', 5, 5],
      [[{ id: 'BMS', hardwareId: 'unsaid', currentVersion: undefined }], '2.0', 'zstd', 1000, 11],
    ]);
    expect(contents.map((content) => content.length)).toEqual([5, 1000]);
    expect(hash).toEqual(sha256('noble', WORKED_EXAMPLE_V1));
  });

  test('only where its bytes can be read again', async () => {
    expect(await outcome(() => openBundle([WORKED_EXAMPLE_V1], 'native'))).toBe('OTAP_UNSIGNED');
  });

  test('not signed: there is nothing that a signature could cover', async () => {
    const { head } = await openBundle([WORKED_EXAMPLE_V1], 'native', { file: memoryBytes(WORKED_EXAMPLE_V1), zstd });
    expect(head.signatures).toEqual([]);
    expect(() => head.toBeSigned({ algorithm: 'ed25519', keyId: '' as never })).toThrow('no signatures');
  });

  test('a file that changes between the two readings is refused', async () => {
    const other = bundleV1([{ ecu: 'OTHER', image: Uint8Array.of(1), stored: Uint8Array.of(1) }]);
    const first = bundleV1([{ ecu: 'FIRST', image: Uint8Array.of(1), stored: Uint8Array.of(1) }]);
    const bundle = await openBundle([first], 'native', { file: memoryBytes(other), zstd });
    const reading = () => bundle.readPayloads(bundle.head.manifest.unverified.images, { engine: 'native', zstd });
    expect(await outcome(reading)).toBe('OTAP_MALFORMED');
  });
});

const image = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3000 }),
  fc
    .tuple(fc.nat(255), fc.integer({ min: 1, max: 200_000 }))
    .map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.uint8Array({ minLength: 1, maxLength: 500 }).map(compressed),
);
const bundle = fc.array(fc.tuple(image, fc.boolean()), { minLength: 1, maxLength: 4 }).map((images) =>
  images.map(([content, isCompressed], index): TestFirmware => {
    return { ecu: `ECU_${index}`, image: content, stored: isCompressed ? compressed(content) : content };
  }),
);

describe('properties', () => {
  test('what is written is read, however it is cut and stored', async () => {
    await fc.assert(
      fc.asyncProperty(bundle, fc.integer({ min: 1, max: 5000 }), async (firmwares, step) => {
        const { images, contents } = await read(bundleV1(firmwares), 'native', step);
        expect(images.map(({ storedBytes }) => storedBytes)).toEqual(firmwares.map(({ stored }) => stored.length));
        expect(contents).toEqual(firmwares.map((firmware) => firmware.image));
      }),
      { numRuns: 40 },
    );
  });

  test('any changed byte is refused, or changes no image', async () => {
    const firmwares: readonly TestFirmware[] = [
      { ecu: 'A', current: '1', image: Uint8Array.of(1, 2, 3), stored: Uint8Array.of(1, 2, 3) },
      { ecu: 'B', image: new Uint8Array(300).fill(7), stored: compressed(new Uint8Array(300).fill(7)) },
    ];
    const bytes = bundleV1(firmwares);
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [1, 0x80, 0xff]) {
        const changed = bytes.slice();
        changed[at] = (changed[at] ?? 0) ^ mask;
        let contents: readonly Uint8Array[] | undefined;
        const code = await outcome(async () => {
          ({ contents } = await read(changed));
        });
        const same = contents?.every((content, i) => equalBytes(content, firmwares[i]?.image ?? new Uint8Array(0)));
        expect({ at, fine: code === null ? same : code !== 'uncoded' }).toEqual({ at, fine: true });
      }
    }
  });

  test('bytes of any kind are refused with a code', async () => {
    const bytes = fc.uint8Array({ maxLength: 400 }).map((rest) => concatBytes(fromHex('4f5441500001'), rest));
    await fc.assert(
      fc.asyncProperty(bytes, async (some) => {
        expect(await outcome(() => read(some))).not.toBe('uncoded');
      }),
    );
  });
});

describe('hostile lengths', () => {
  test('a promise of 4 GiB costs no more than the file has', async () => {
    const facts = (ecu: string) =>
      concatBytes(fromHex('01'), Buffer.from(ecu), fromHex('000131ffffffff'), new Uint8Array(32));
    const header = bundleV1([{ ecu: 'A', image: Uint8Array.of(1), stored: Uint8Array.of(1) }]).subarray(0, 27);
    const file = memoryBytes(concatBytes(header, facts('A')));
    const bytes = await file.read(0, file.sizeBytes);
    expect(await outcome(() => openBundle([bytes], 'native', { file, zstd }))).toBe('OTAP_TRUNCATED');
    expect(file.reads()).toBeLessThan(3 * bytes.length);
  });

  test('a chain of blocks is followed no further than the image could need', async () => {
    const empty = new Uint8Array(3 * 400_000);
    const file = memoryBytes(concatBytes(fromHex('28b52ffd0000'), empty, fromHex('010000')));
    expect(await frameBytes(file, { offset: 0, contentBytes: 100 })).toBeUndefined();
    expect(file.reads()).toBeLessThan(140_000);
    expect(await frameBytes(file, { offset: 0, contentBytes: empty.length })).toBe(6 + empty.length + 3);
  });

  test.each([
    ['a dictionary', '28b52ffd6101e802431f0041'],
    ['reserved bits', '28b52ffd68e802431f0041'],
    ['another magic', '29b52ffd60e802431f0041'],
    ['a block of over 128 KiB', '28b52ffd60e8020d001041'],
    ['nothing after its header', '28b52ffd60e802'],
    ['a checksum that is not there', '28b52ffd64e802431f0041'],
  ])('a frame with %s is none', async (_, hex) => {
    expect(await frameBytes(memoryBytes(fromHex(hex)), { offset: 0, contentBytes: 1000 })).toBeUndefined();
  });
});
