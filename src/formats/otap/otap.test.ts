import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, toHex } from '../../core/bytes.ts';
import { isFailure } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import { nodeZstd } from '../../io/zstd.ts';
import {
  assembleBundle,
  imageEntry,
  manifestOf,
  PLACEHOLDER_SIGNATURE,
  storeImage,
  testBundle,
} from '../../testing/bundles.ts';
import type { StoredImage } from '../../testing/bundles.ts';
import type { BundleImage, Manifest } from './bundle.ts';
import { openBundle } from './index.ts';
import { decodeManifest, encodeManifest } from './manifest.ts';

const zstd = nodeZstd();

/** Bytes that compress somewhat: words of a small language. */
function text(sizeBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[i] = i % 7 < 4 ? 0x61 + (i % 13) : state >>> 24;
  }
  return bytes;
}

function* inPieces(bytes: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
}

interface ReadResult {
  readonly manifest: Manifest;
  readonly images: readonly Uint8Array[];
  readonly sha256: Uint8Array;
}

async function readAll(bundle: Uint8Array, pieceBytes = 1 << 20): Promise<ReadResult> {
  const opened = await openBundle(inPieces(bundle, pieceBytes), 'native');
  const manifest = opened.head.manifest.unverified;
  const images = manifest.images.map((): Uint8Array[] => []);
  await opened.readPayloads(manifest.images, {
    engine: 'native',
    zstd,
    sinkOf: (image) => (bytes) => {
      images[manifest.images.indexOf(image)]?.push(bytes.slice());
    },
  });
  const whole = await opened.finish();
  return { manifest, images: images.map((pieces) => concatBytes(...pieces)), sha256: whole.sha256 };
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | 'none' | 'uncoded'> {
  return work.then(
    () => 'none' as const,
    (thrown: unknown) => (isFailure(thrown) ? thrown.code : ('uncoded' as const)),
  );
}

/** One bundle of one image whose manifest entry, and stored bytes, the test has bent. */
async function bent(
  image: StoredImage,
  entry: Partial<BundleImage>,
  manifest: Partial<Manifest> = {},
): Promise<Uint8Array> {
  const images = [{ ...imageEntry(image, 0), ...entry }];
  return assembleBundle([image], { ...manifestOf(images), ...manifest });
}

/** A stored form with these bytes, whatever they are, under a proper tree. */
function storedAs(stored: Uint8Array, claim: Partial<StoredImage>): StoredImage {
  return { ...storeImage({ bytes: stored, codec: 'raw' }), codec: 'zstd', windowBytes: stored.length, ...claim };
}

describe('OTAP version 2', () => {
  it('gives back the images, whatever the codec, the chunk size and the pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            bytes: fc.integer({ min: 1, max: 20_000 }).map((size) => text(size, size)),
            codec: fc.constantFrom('raw' as const, 'zstd' as const),
            chunkBytes: fc.constantFrom(2048, 2049, 4096, 65_536),
          }),
          { minLength: 1, maxLength: 3 },
        ),
        fc.integer({ min: 1, max: 5000 }),
        async (images, pieceBytes) => {
          const bundle = await testBundle(...images);
          const read = await readAll(bundle, pieceBytes);
          expect(read.images.map(toHex)).toEqual(images.map(({ bytes }) => toHex(bytes)));
          expect(read.sha256).toEqual(sha256('noble', bundle));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not depend on how an image is cut into pieces, nor on the number of workers', () => {
    const bytes = text(9_000_000);
    const whole = storeImage({ bytes, chunkBytes: 65_536 });
    for (const variant of [{ pieceBytes: 70_001 }, { workers: 1 }, { workers: 4, pieceBytes: 1 << 20 }]) {
      const other = storeImage({ bytes, chunkBytes: 65_536, ...variant });
      expect(equalBytes(other.stored, whole.stored)).toBe(true);
      expect(toHex(other.tree.root)).toBe(toHex(whole.tree.root));
    }
  });

  it('hashes the same with both engines', () => {
    const bytes = text(10_000);
    expect(storeImage({ bytes }, 'noble')).toEqual(storeImage({ bytes }, 'native'));
  });

  it('manifest: decodes what it encodes, to the same bytes again', () => {
    const entry = imageEntry(storeImage({ bytes: text(5000) }), 0);
    const requires = [{ kind: 'type' as const, name: entry.version, version: entry.version }];
    const { ecuType: _, ...forOneEcu } = imageEntry(storeImage({ bytes: text(99), codec: 'raw' }), 1);
    const manifest = {
      ...manifestOf([
        { ...entry, requires },
        { ...forOneEcu, ecuType: undefined },
      ]),
      installOrder: [1, 0],
    };
    const bytes = encodeManifest(manifest);
    expect(decodeManifest(bytes)).toEqual(manifest);
    expect(encodeManifest(decodeManifest(bytes))).toEqual(bytes);
  });

  it('refuses any flipped bit of the structure and of the payload', async () => {
    const bundle = await testBundle({ bytes: text(9000) }, { bytes: text(5000, 3), codec: 'raw' });
    const signature = bundle.length - PLACEHOLDER_SIGNATURE.signature.length;
    // What no key covers here, ops tests flip under real signatures: fields that stay well-formed, and the signature.
    const accepted: number[] = [];
    for (let at = 0; at < bundle.length; at += at < 1200 ? 1 : 13) {
      const flipped = bundle.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const code = await codeOf(readAll(flipped));
      expect(code).not.toBe('uncoded');
      if (code === 'none') accepted.push(at);
    }
    const head = await openBundle([bundle], 'native');
    const covered = toHex(head.head.toBeSigned(PLACEHOLDER_SIGNATURE));
    for (const at of accepted) {
      const flipped = bundle.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      const other = (await openBundle([flipped], 'native')).head;
      const [theirs] = other.signatures;
      const sameMessage = theirs !== undefined && toHex(other.toBeSigned(theirs)) === covered;
      expect(sameMessage && equalBytes(theirs.signature, PLACEHOLDER_SIGNATURE.signature), `byte ${at}`).toBe(false);
    }
    expect(signature).toBeGreaterThan(0);
  }, 30_000);

  it('refuses truncation at every byte of the head and sampled ones of the payload', async () => {
    const bundle = await testBundle({ bytes: text(9000) });
    for (let length = 0; length < bundle.length; length += length < 500 ? 1 : 97) {
      expect(await codeOf(readAll(bundle.slice(0, length))), `${length} bytes`).toBe('OTAP_TRUNCATED');
    }
  });

  it('refuses bytes after the last payload', async () => {
    const bundle = concatBytes(await testBundle({ bytes: text(100) }), Uint8Array.of(0));
    expect(await codeOf(readAll(bundle))).toBe('OTAP_TRAILING_BYTES');
  });

  it.each<[string, number, readonly number[], ErrorCode]>([
    ['other magic bytes', 0, [0x00], 'OTAP_MALFORMED'],
    ['another version', 4, [0, 3], 'OTAP_VERSION_UNKNOWN'],
    ['version 0', 4, [0, 0], 'OTAP_VERSION_UNKNOWN'],
    ['no ECU', 6, [0, 0], 'OTAP_MALFORMED'],
    ['more ECUs than the limit', 6, [0xff, 0xff], 'OTAP_TOO_LARGE'],
    ['another number of ECUs', 6, [0, 2], 'OTAP_MALFORMED'],
    ['an empty gateway id', 8, [0], 'OTAP_MALFORMED'],
    ['a gateway id with a slash', 9, [0x2f], 'OTAP_MALFORMED'],
    ['a gateway id that is not UTF-8', 9, [0xff], 'OTAP_MALFORMED'],
    ['an unknown flag', 13, [0x80, 0, 0, 0], 'OTAP_FLAGS_UNKNOWN'],
    ['an oversized manifest', 17, [0xff, 0xff, 0xff, 0xff], 'OTAP_TOO_LARGE'],
    ['an empty manifest', 17, [0, 0, 0, 0], 'OTAP_MALFORMED'],
    ['oversized signatures', 21, [0x7f, 0, 0, 0], 'OTAP_TOO_LARGE'],
    ['a reserved field in use', 25, [0, 0, 0, 1], 'OTAP_FLAGS_UNKNOWN'],
  ])('header: refuses %s', async (_, at, bytes, code) => {
    const bundle = await testBundle({ bytes: text(100) });
    bundle.set(bytes, at);
    expect(await codeOf(readAll(bundle))).toBe(code);
  });
});

describe('OTAP version 2: manifests that do not fit', () => {
  const image = storeImage({ bytes: text(9000) });
  const entry = imageEntry(image, 0);
  const [ecu] = entry.ecus;

  it.each<[string, Partial<BundleImage>, ErrorCode]>([
    ['no ECU', { ecus: [] }, 'OTAP_MALFORMED'],
    ['one ECU twice', { ecus: [...entry.ecus, ...entry.ecus] }, 'OTAP_DUPLICATE_ECU'],
    ['an empty image', { sizeBytes: 0 }, 'OTAP_MANIFEST_MALFORMED'],
    ['a chunk that is too small', { chunkBytes: 2047 }, 'OTAP_MANIFEST_MALFORMED'],
    ['a chunk that is too large', { chunkBytes: 1024 * 1024 + 1 }, 'OTAP_MANIFEST_MALFORMED'],
    ['more than 2^20 chunks', { storedBytes: 2048 * 2 ** 20 + 1 }, 'OTAP_MANIFEST_MALFORMED'],
    ['a window over the cap', { windowBytes: 8 * 1024 * 1024 + 1 }, 'OTAP_MANIFEST_MALFORMED'],
    ['compression without a window', { windowBytes: 0 }, 'OTAP_MANIFEST_MALFORMED'],
    ['a raw image of another size', { codec: 'raw', windowBytes: 0 }, 'OTAP_MANIFEST_MALFORMED'],
    ['a short hash', { sha256: new Uint8Array(31) }, 'OTAP_MANIFEST_MALFORMED'],
    ['another tree root', { treeRoot: new Uint8Array(32) }, 'OTAP_TREE_MISMATCH'],
    ['another image hash', { sha256: new Uint8Array(32) }, 'OTAP_IMAGE_HASH'],
    ['a shorter payload', { storedBytes: image.storedBytes - 1 }, 'OTAP_CHUNK_MISMATCH'],
    ['a longer payload', { storedBytes: image.storedBytes + 1 }, 'OTAP_TRUNCATED'],
    ['a larger image', { sizeBytes: 9001 }, 'ZSTD_CONTENT_SIZE'],
    ['another window', { windowBytes: image.windowBytes - 1 }, 'ZSTD_WINDOW'],
  ])('refuses %s', async (_, change, code) => {
    expect(ecu).toBeDefined();
    expect(await codeOf(bent(image, change).then(readAll))).toBe(code);
  });

  it.each<[string, Partial<Manifest>, ErrorCode]>([
    ['an image twice in the install order', { installOrder: [0, 0] }, 'OTAP_MANIFEST_MALFORMED'],
    ['an unknown image in the install order', { installOrder: [1] }, 'OTAP_MANIFEST_MALFORMED'],
    ['algorithms out of order', { algorithms: ['ml-dsa-65', 'ecdsa-p256'] }, 'OTAP_MANIFEST_MALFORMED'],
    ['no algorithm', { algorithms: [] }, 'OTAP_MANIFEST_MALFORMED'],
    ['a strange library version', { zstdLibrary: '1.5.7; rm -rf' }, 'OTAP_MANIFEST_MALFORMED'],
  ])('refuses %s', async (_, change, code) => {
    expect(await codeOf(bent(image, {}, change).then(readAll))).toBe(code);
  });

  it('refuses an ECU in two images, and a target twice', async () => {
    const second = { ...imageEntry(image, 1), ecus: entry.ecus };
    const twice = { ...imageEntry(image, 1), target: entry.target };
    expect(await codeOf(assembleBundle([image, image], manifestOf([entry, second])).then(readAll))).toBe(
      'OTAP_DUPLICATE_ECU',
    );
    expect(await codeOf(assembleBundle([image, image], manifestOf([entry, twice])).then(readAll))).toBe(
      'OTAP_MANIFEST_MALFORMED',
    );
  });
});

describe('OTAP version 2: hostile zstd under good trees', () => {
  const plain = text(50_000);
  const good = storeImage({ bytes: plain });

  async function read(stored: Uint8Array, claim: Partial<StoredImage> = {}): Promise<string> {
    const image = storedAs(stored, {
      sizeBytes: plain.length,
      sha256: good.sha256,
      windowBytes: good.windowBytes,
      ...claim,
    });
    return codeOf(bent(image, {}).then(readAll));
  }

  it('reads the good frame', async () => {
    expect(await read(good.stored)).toBe('none');
  });

  it('refuses a frame that yields more than it promises (bomb)', async () => {
    // The header promises 50,000 bytes; an RLE block of 128 KiB follows.
    const bomb = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x50, 0xc2, 0x03, 0x00, 0x10, 0x00);
    expect(await read(bomb)).toMatch(/^ZSTD_(CONTENT_SIZE|MALFORMED)$/);
    const big = storeImage({ bytes: new Uint8Array(10_000_000) });
    expect(big.storedBytes).toBeLessThan(5000);
    expect(await read(big.stored)).toBe('ZSTD_CONTENT_SIZE');
  });

  it('refuses skippable frames before and after the frame', async () => {
    const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0);
    expect(await read(concatBytes(skippable, good.stored))).toBe('ZSTD_SKIPPABLE_FRAME');
    expect(await read(concatBytes(good.stored, skippable))).toBe('ZSTD_TRAILING_BYTES');
  });

  it('refuses a second frame and trailing bytes', async () => {
    expect(await read(concatBytes(good.stored, good.stored))).toBe('ZSTD_TRAILING_BYTES');
    expect(await read(concatBytes(good.stored, Uint8Array.of(0)))).toBe('ZSTD_TRAILING_BYTES');
  });

  it('refuses a huge window before the decoder sees it', async () => {
    // No single segment, window descriptor 0xa0: 2^30 bytes, content size in 4 bytes.
    const huge = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x80, 0xa0, 0x50, 0xc3, 0, 0, 0x01, 0, 0);
    expect(await read(huge)).toBe('ZSTD_WINDOW');
  });

  it('refuses a dictionary id, an unknown content size, reserved bits, a short header, other bytes', async () => {
    expect(await read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x61, 7, 0x50, 0xc2, 1, 0, 0))).toBe('ZSTD_DICTIONARY');
    expect(await read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 1, 0, 0))).toBe('ZSTD_CONTENT_SIZE');
    expect(await read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x68, 0x50, 0xc2, 1, 0, 0))).toBe('ZSTD_MALFORMED');
    expect(await read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd))).toBe('ZSTD_MALFORMED');
    expect(await read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 1, 2))).toBe('ZSTD_MALFORMED');
    expect(await read(text(500))).toBe('ZSTD_MALFORMED');
  });

  it('refuses a frame that ends early, and one that is corrupt', async () => {
    expect(await read(good.stored.slice(0, -1))).toBe('ZSTD_MALFORMED');
    const corrupt = good.stored.slice();
    corrupt.fill(0xff, 20, 60);
    expect(await read(corrupt)).toMatch(/^ZSTD_MALFORMED|OTAP_IMAGE_HASH$/);
  });
});

describe('the working set of the verifier', () => {
  it('asks for the next block only when it needs it, and keeps nothing of what it has passed on', async () => {
    const bundle = await testBundle({ bytes: text(600_000), chunkBytes: 4096, codec: 'raw' });
    let given = 0;
    let passed = 0;
    const lead: number[] = [];
    const source = function* (): Generator<Uint8Array> {
      for (const block of inPieces(bundle, 4096)) {
        given += block.length;
        yield block;
        // A reader that kept views of a block would now read zeros.
        block.fill(0);
      }
    };
    const opened = await openBundle(source(), 'native');
    const headBytes = given;
    await opened.readPayloads(opened.head.manifest.unverified.images, {
      engine: 'native',
      zstd,
      sinkOf: () => async (bytes) => {
        passed += bytes.length;
        lead.push(given - passed);
        await Promise.resolve();
      },
    });
    expect(passed).toBe(600_000);
    const treeBytes = 64 * (Math.ceil(600_000 / 4096) - 1);
    // Head, all parents, and at most two blocks: the one in hand and the one that a chunk reaches into.
    expect(Math.max(...lead)).toBeLessThanOrEqual(headBytes + treeBytes + 2 * 4096);
  });

  it('verifies a chunk before the decoder sees it', async () => {
    const image = storeImage({ bytes: text(60_000) });
    const bundle = await bent(image, {});
    bundle[bundle.length - 10] = (bundle.at(-10) ?? 0) ^ 1;
    let decoded = 0;
    const watched = {
      ...zstd,
      libraryVersion: zstd.libraryVersion,
      decompress: (limits: Parameters<typeof zstd.decompress>[0]) => {
        const decoder = zstd.decompress(limits);
        return { ...decoder, push: (bytes: Uint8Array) => ((decoded += bytes.length), decoder.push(bytes)) };
      },
    };
    const opened = await openBundle([bundle], 'native');
    const reading = opened.readPayloads(opened.head.manifest.unverified.images, { engine: 'native', zstd: watched });
    expect(await codeOf(reading)).toBe('OTAP_CHUNK_MISMATCH');
    expect(decoded).toBe(image.storedBytes - (image.storedBytes % 2048));
  });
});
