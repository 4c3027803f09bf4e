/** Small version 2 bundles in memory, for tests: real images, trees and frames; the signatures are what the test gives. */
import { instantOf, parseKeyId, parseName, parseTargetName, parseVersion } from '../core/brands.ts';
import { concatBytes } from '../core/bytes.ts';
import type { EngineName } from '../core/ports.ts';
import type { CoseSignature } from '../formats/cose/cose-sign.ts';
import type { BundleImage, CodecId, Manifest } from '../formats/otap/bundle.ts';
import { imageEncoder } from '../formats/otap/image-encoder.ts';
import type { EncodedImage } from '../formats/otap/image-encoder.ts';
import type { SignedParts } from '../formats/otap/v2.ts';
import { encodeHead, interleave, signedParts } from '../formats/otap/writer.ts';
import { nodeZstd } from '../io/zstd.ts';

/** An image of a test bundle. */
export interface TestImage {
  readonly bytes: Uint8Array;
  readonly codec?: CodecId;
  readonly chunkBytes?: number;
  readonly level?: number;
  readonly workers?: number;
  /** Pieces that the encoder is given; all at once by default. */
  readonly pieceBytes?: number;
}

/** A stored image and its bytes. */
export interface StoredImage extends EncodedImage {
  readonly stored: Uint8Array;
}

/** Encodes an image in memory. */
export function storeImage(image: TestImage, engine: EngineName = 'native'): StoredImage {
  const { bytes, codec = 'zstd', chunkBytes = 2048, level = 3, workers = 2, pieceBytes = bytes.length } = image;
  const encoder = imageEncoder({
    engine,
    zstd: nodeZstd(),
    codec,
    level,
    workers,
    sizeBytes: bytes.length,
    chunkBytes,
  });
  const stored: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    for (const piece of encoder.push(bytes.subarray(at, at + pieceBytes))) stored.push(piece.slice());
  }
  for (const piece of encoder.finish()) stored.push(piece.slice());
  return { ...encoder.result(), stored: concatBytes(...stored) };
}

/** The manifest entry of image number `index`, for ECU `ECU_<index>`. */
export function imageEntry(image: StoredImage, index: number): BundleImage {
  return {
    target: parseTargetName(`EV-1/TYPE_${index}/1.${index}/image-${index}.bin`),
    ecus: [{ id: parseName(`ECU_${index}`), hardwareId: parseName(`hw-${index}`), currentVersion: parseName('1.0') }],
    ecuType: parseName(`TYPE_${index}`),
    version: parseName(`1.${index}`),
    releaseCounter: parseVersion(7),
    sizeBytes: image.sizeBytes,
    sha256: image.sha256,
    codec: image.codec,
    storedBytes: image.storedBytes,
    windowBytes: image.windowBytes,
    chunkBytes: image.chunkBytes,
    treeRoot: image.tree.root,
    requires: [],
  };
}

/** A manifest of `images`, made at 2026-11-21T00:00:00Z. */
export function manifestOf(images: readonly BundleImage[]): Manifest {
  return {
    release: parseName('2026.11'),
    time: instantOf(1_795_219_200),
    model: parseName('EV-1'),
    releaseCounter: parseVersion(7),
    algorithms: ['ecdsa-p256'],
    zstdLibrary: '1.5.7',
    installOrder: images.map((_, i) => i),
    images,
  };
}

/** A signature that no key made. */
export const PLACEHOLDER_SIGNATURE: CoseSignature = {
  algorithm: 'ecdsa-p256',
  keyId: parseKeyId('11'.repeat(32)),
  signature: new Uint8Array(64).fill(0x22),
};

/** Turns stored images and their manifest into a bundle for `ZG_1`. */
export async function assembleBundle(
  stored: readonly StoredImage[],
  manifest: Manifest,
  sign: (parts: SignedParts) => readonly CoseSignature[] = () => [PLACEHOLDER_SIGNATURE],
): Promise<Uint8Array> {
  const parts = signedParts(parseName('ZG_1'), manifest);
  const pieces: Uint8Array[] = [...encodeHead(parts, sign(parts))];
  for (const image of stored) {
    const { tree, storedBytes, chunkBytes } = image;
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield image.stored;
    };
    for await (const piece of interleave({ tree, storedBytes, chunkBytes, stream })) pieces.push(piece.slice());
  }
  return concatBytes(...pieces);
}

/** A bundle of `images` for `ZG_1`, with a signature that no key made. */
export async function testBundle(...images: readonly TestImage[]): Promise<Uint8Array> {
  const stored = images.map((image) => storeImage(image));
  return assembleBundle(stored, manifestOf(stored.map(imageEntry)));
}
