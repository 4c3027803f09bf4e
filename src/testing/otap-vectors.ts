/**
 * The vectors of `fixtures/otap/`: bundles that a reader of version 2 must accept or refuse, made from fixed keys. Where a
 * reader must refuse, it says with which code; signatures are good in all of them, so that it is the format that refuses.
 */
import { parseName, parseTargetName, parseVersion } from '../core/brands.ts';
import { concatBytes, fromHex, utf8 } from '../core/bytes.ts';
import type { ErrorCode } from '../core/errors.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import type { SignatureId } from '../crypto/signatures/index.ts';
import type { CoseSignature } from '../formats/cose/cose-sign.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';
import type { BundleImage, Manifest } from '../formats/otap/bundle.ts';
import { toBeSignedV2 } from '../formats/otap/v2.ts';
import type { SignedParts } from '../formats/otap/v2.ts';
import { assembleBundle, imageEntry, manifestOf, storeImage } from './bundles.ts';
import type { StoredImage } from './bundles.ts';

/** A vector: the bundle, and what a reader must say to it. */
export interface OtapVector {
  readonly name: string;
  readonly about: string;
  readonly bytes: Uint8Array;
  /** Undefined where it must be accepted. */
  readonly refused: ErrorCode | undefined;
}

/** The private keys of the vectors: the P-256 key of RFC 6979 appendix A.2.5, and the ML-DSA-65 seed 00 01 ... 1f. */
export const VECTOR_KEYS: readonly { algorithm: SignatureId; secret: Uint8Array }[] = [
  { algorithm: 'ecdsa-p256', secret: fromHex('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721') },
  { algorithm: 'ml-dsa-65', secret: Uint8Array.from({ length: 32 }, (_, i) => i) },
];

/** Deterministic signatures by some of {@link VECTOR_KEYS}. */
export function vectorSignatures(parts: SignedParts, keys = VECTOR_KEYS): readonly CoseSignature[] {
  return keys.map(({ algorithm, secret }) => {
    const { sign, publicKeyOf } = signatureAlgorithm(algorithm);
    const { keyId } = makePublicKey(algorithm, publicKeyOf('noble', secret));
    const message = toBeSignedV2(parts, { algorithm, keyId });
    return { algorithm, keyId, signature: sign({ engine: 'noble', secret, message }) };
  });
}

/** The worked example of FORMAT.md: one raw image of 3,000 bytes in two chunks, one ECDSA signature. */
export async function workedExample(): Promise<{ bytes: Uint8Array; stored: StoredImage; manifest: Manifest }> {
  const stored = storeImage({ bytes: exampleImage(), codec: 'raw' }, 'noble');
  const manifest: Manifest = {
    ...manifestOf([
      {
        ...imageEntry(stored, 0),
        target: parseTargetName('EV-1/BMS/1.1/bms.bin'),
        ecus: [{ id: parseName('BMS_1'), hardwareId: parseName('bms-a'), currentVersion: parseName('1.0') }],
        ecuType: parseName('BMS'),
        version: parseName('1.1'),
        releaseCounter: parseVersion(7),
      },
    ]),
    zstdLibrary: undefined,
  };
  const bytes = await assembleBundle([stored], manifest, (parts) => vectorSignatures(parts, VECTOR_KEYS.slice(0, 1)));
  return { bytes, stored, manifest };
}

/** Byte i is i modulo 251. */
function exampleImage(): Uint8Array {
  return Uint8Array.from({ length: 3000 }, (_, i) => i % 251);
}

/** All vectors, made afresh. */
export async function otapVectors(): Promise<readonly OtapVector[]> {
  const hybrid = await hybridBundle();
  return [
    { name: 'worked-example', about: 'the worked example', bytes: (await workedExample()).bytes, refused: undefined },
    { name: 'hybrid-zstd', about: 'two images, zstd and raw, two signatures', bytes: hybrid, refused: undefined },
    ...(await headVectors(hybrid)),
    ...(await payloadVectors()),
  ];
}

async function hybridBundle(): Promise<Uint8Array> {
  const text = utf8('All the firmware of a small zone. '.repeat(900));
  const stored = [storeImage({ bytes: text }), storeImage({ bytes: exampleImage(), codec: 'raw' })];
  return signed(stored, stored.map(imageEntry));
}

async function signed(
  stored: readonly StoredImage[],
  images: readonly BundleImage[],
  change: Partial<Manifest> = {},
): Promise<Uint8Array> {
  const manifest: Manifest = { ...manifestOf(images), algorithms: ['ecdsa-p256', 'ml-dsa-65'], ...change };
  return assembleBundle(stored, manifest, vectorSignatures);
}

async function headVectors(good: Uint8Array): Promise<readonly OtapVector[]> {
  const stored = storeImage({ bytes: exampleImage(), codec: 'raw' });
  const entry = imageEntry(stored, 0);
  return [
    patched(good, { name: 'version-3', about: 'version 3', at: 4, bytes: [0, 3], refused: 'OTAP_VERSION_UNKNOWN' }),
    patched(good, { name: 'flag', about: 'a flag is set', at: 13, bytes: [0, 0, 0, 1], refused: 'OTAP_FLAGS_UNKNOWN' }),
    patched(good, {
      name: 'manifest-length',
      about: 'a manifest of 4 GiB',
      at: 17,
      bytes: [255, 255, 255, 255],
      refused: 'OTAP_TOO_LARGE',
    }),
    {
      name: 'truncated',
      about: 'the last byte is missing',
      bytes: good.slice(0, -1),
      refused: 'OTAP_TRUNCATED',
    },
    {
      name: 'trailing',
      about: 'one byte after the last payload',
      bytes: concatBytes(good, Uint8Array.of(0)),
      refused: 'OTAP_TRAILING_BYTES',
    },
    {
      name: 'duplicate-ecu',
      about: 'an ECU in two images',
      bytes: await signed([stored, stored], [entry, { ...imageEntry(stored, 1), ecus: entry.ecus }]),
      refused: 'OTAP_DUPLICATE_ECU',
    },
    {
      name: 'install-order',
      about: 'an install order that leaves an image out',
      bytes: await signed([stored, stored], [entry, imageEntry(stored, 1)], { installOrder: [1, 1] }),
      refused: 'OTAP_MANIFEST_MALFORMED',
    },
  ];
}

async function payloadVectors(): Promise<readonly OtapVector[]> {
  const bomb = storeImage({ bytes: new Uint8Array(1_000_000) });
  const plain = storeImage({ bytes: utf8('firmware '.repeat(1000)) });
  const skippable = concatBytes(fromHex('502a4d1801000000ff'), plain.stored);
  const twice = concatBytes(plain.stored, plain.stored);
  const tampered = await signed([plain], [imageEntry(plain, 0)]);
  return [
    patched(tampered, {
      name: 'chunk',
      about: 'a payload byte changed',
      at: tampered.length - 1,
      bytes: [(tampered.at(-1) ?? 0) ^ 1],
      refused: 'OTAP_CHUNK_MISMATCH',
    }),
    await framed('bomb', 'a frame of more bytes than are signed', {
      stored: bomb.stored,
      like: plain,
      refused: 'ZSTD_CONTENT_SIZE',
    }),
    await framed('skippable', 'a skippable frame first', {
      stored: skippable,
      like: plain,
      refused: 'ZSTD_SKIPPABLE_FRAME',
    }),
    await framed('two-frames', 'a second frame', { stored: twice, like: plain, refused: 'ZSTD_TRAILING_BYTES' }),
  ];
}

interface Patch {
  readonly name: string;
  readonly about: string;
  readonly at: number;
  readonly bytes: readonly number[];
  readonly refused: ErrorCode;
}

function patched(good: Uint8Array, { name, about, at, bytes, refused }: Patch): OtapVector {
  const changed = good.slice();
  changed.set(bytes, at);
  return { name, about, bytes: changed, refused };
}

/** A bundle whose one payload is `stored`, under a good tree, while the manifest says what it says of `like`. */
async function framed(
  name: string,
  about: string,
  frame: { stored: Uint8Array; like: StoredImage; refused: ErrorCode },
): Promise<OtapVector> {
  const raw = storeImage({ bytes: frame.stored, codec: 'raw' });
  const { sizeBytes, sha256, windowBytes } = frame.like;
  const image: StoredImage = { ...raw, sizeBytes, sha256, windowBytes, codec: 'zstd' };
  return { name, about, bytes: await signed([image], [imageEntry(image, 0)]), refused: frame.refused };
}
