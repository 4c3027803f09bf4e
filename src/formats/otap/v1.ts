/**
 * OTAP version 1, the format of the OTA server: header, then per firmware its facts and its payload, and nothing more.
 *
 * Attacker-controlled input, and nobody signs it. Nothing tells how a payload is stored, nor its stored size: it is one zstd
 * frame where that frame gives the promised size and hash, else the raw image where that does, else the bundle is malformed.
 * So the whole of it is read twice: once to find out what is in it, and again to use it.
 *
 * @see FORMAT-V1.md
 */
import { instantOf, parseName, parseTargetName, parseVersion } from '../../core/brands.ts';
import type { Name } from '../../core/brands.ts';
import { concatBytes, equalBytes, fromUtf8, toHex, utf8 } from '../../core/bytes.ts';
import { failure, isFailure } from '../../core/errors.ts';
import type { EngineName, Zstd } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import type { ByteReader } from './byte-reader.ts';
import { OTAP_LIMITS } from './bundle.ts';
import type { BundleHead, BundleImage, Manifest } from './bundle.ts';
import { encodePrefix, PREFIX_BYTES } from './header.ts';
import type { Prefix } from './header.ts';
import type { ImageSink, PayloadContext } from './payload.ts';
import { frameBytes } from './zstd-frame.ts';

/** Bytes that can be read again from anywhere: an opened file. */
export interface RandomBytes {
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; shorter only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What finding out what is in a bundle takes. */
export interface ScanSource {
  readonly file: RandomBytes;
  readonly engine: EngineName;
  readonly zstd: Zstd;
}

/** What stands before a payload. */
export interface FirmwareV1 {
  readonly ecu: Name;
  /** Undefined where it is not told: a text of no bytes. */
  readonly currentVersion: Name | undefined;
  readonly version: Name;
  /** Of the image itself, 1 to 2^32 - 1. */
  readonly sizeBytes: number;
  /** SHA-256 of the image itself, 32 bytes. */
  readonly sha256: Uint8Array;
}

const ZEROS = 16;
const HASH_BYTES = 32;
const SIZE_BYTES = 4;
const SIZE_MAX = 2 ** 32 - 1;
const TEXT_MAX = 255;
/** The longest facts of a firmware: three texts with their lengths, size and hash. */
const FACTS_MAX = 3 * (1 + TEXT_MAX) + SIZE_BYTES + HASH_BYTES;
const STEP_BYTES = 1024 * 1024;
/** All images of a bundle together: a small frame may promise 4 GiB, and nobody has signed that promise. */
export const V1_IMAGES_BYTES_MAX = 16 * 2 ** 30;
/** Version 1 says none of these. */
const UNSAID = parseName('unsaid');

/** The header: 25 bytes and the gateway id. @throws OTAP_TOO_LARGE */
export function encodeHeaderV1(gateway: Name, ecuCount: number): Uint8Array<ArrayBuffer> {
  if (ecuCount > OTAP_LIMITS.ecus) throw failure('OTAP_TOO_LARGE', `${ecuCount} ECUs are over ${OTAP_LIMITS.ecus}`);
  return concatBytes(encodePrefix({ version: otapV1.version, ecuCount, gateway }), new Uint8Array(ZEROS));
}

/** What stands before a payload. @throws OTAP_TOO_LARGE for images over 4 GiB less a byte */
export function encodeFirmwareV1(firmware: FirmwareV1): Uint8Array<ArrayBuffer> {
  const { ecu, currentVersion, version, sizeBytes, sha256 } = firmware;
  if (sizeBytes > SIZE_MAX) throw failure('OTAP_TOO_LARGE', `an image of ${sizeBytes} bytes is over ${SIZE_MAX}`);
  const size = new Uint8Array(SIZE_BYTES);
  new DataView(size.buffer).setUint32(0, sizeBytes);
  return concatBytes(...[ecu, currentVersion ?? '', version].flatMap(lengthAndText), size, sha256);
}

function lengthAndText(text: string): readonly Uint8Array[] {
  const bytes = utf8(text);
  return [Uint8Array.of(bytes.length), bytes];
}

/** How version 1 is read. */
export const otapV1 = { version: 1, readHead, readPayload } as const;

/**
 * Reads the header, and finds out what is in the bundle by trying every payload.
 *
 * @throws OTAP_UNSIGNED where there is nothing to read it again from, OTAP_MALFORMED, OTAP_TRUNCATED, OTAP_DUPLICATE_ECU,
 * OTAP_TOO_LARGE, OTAP_IMAGE_HASH where a payload is the promised image in neither form
 */
async function readHead(reader: ByteReader, prefix: Prefix, source?: ScanSource): Promise<BundleHead> {
  const rest = await reader.take(prefix.gatewayBytes + ZEROS, 'header');
  const gateway = nameOf(rest.subarray(0, prefix.gatewayBytes), { what: 'gateway id', offset: PREFIX_BYTES });
  if (rest.subarray(prefix.gatewayBytes).some((byte) => byte !== 0)) {
    throw malformed('the last 16 bytes of the header are not zero', PREFIX_BYTES + prefix.gatewayBytes);
  }
  const { ecuCount } = prefix;
  if (ecuCount === 0) throw malformed('the bundle is for no ECU', 6);
  if (ecuCount > OTAP_LIMITS.ecus) throw failure('OTAP_TOO_LARGE', `${ecuCount} ECUs are over ${OTAP_LIMITS.ecus}`);
  if (source === undefined) {
    throw failure('OTAP_UNSIGNED', 'this is a bundle of version 1, which has no signatures');
  }
  const images = await scan(source, { gateway, ecuCount, offset: reader.offset() });
  return {
    version: otapV1.version,
    isSignable: false,
    gateway,
    manifest: { unverified: manifestOf(images) },
    signatures: [],
    toBeSigned: () => {
      throw failure('OTAP_UNSIGNED', 'a bundle of version 1 has no signatures');
    },
  };
}

/** Version 1 has no manifest; what it does not say is `unsaid`, 0 or 1 here. */
function manifestOf(images: readonly BundleImage[]): Manifest {
  return {
    release: UNSAID,
    time: instantOf(0),
    model: UNSAID,
    releaseCounter: parseVersion(1),
    algorithms: [],
    zstdLibrary: undefined,
    installOrder: images.map((_, index) => index),
    images,
  };
}

interface ScanStart {
  readonly gateway: Name;
  readonly ecuCount: number;
  readonly offset: number;
}

async function scan(source: ScanSource, { gateway, ecuCount, offset }: ScanStart): Promise<readonly BundleImage[]> {
  const images: BundleImage[] = [];
  const seen = new Set<string>();
  let at = offset;
  let promised = 0;
  for (let index = 0; index < ecuCount; index++) {
    const { firmware, bytes } = decodeFirmware(await source.file.read(at, FACTS_MAX), at);
    if (seen.has(firmware.ecu)) throw failure('OTAP_DUPLICATE_ECU', `ECU ${firmware.ecu} is in the bundle twice`);
    seen.add(firmware.ecu);
    at += bytes;
    promised += firmware.sizeBytes;
    if (promised > V1_IMAGES_BYTES_MAX) {
      throw failure('OTAP_TOO_LARGE', `the images of the bundle have over ${V1_IMAGES_BYTES_MAX} bytes`);
    }
    const image = imageOf(gateway, firmware, await storedAs(source, firmware, at));
    images.push(image);
    at += image.storedBytes;
  }
  return images;
}

type Stored = Pick<BundleImage, 'codec' | 'storedBytes' | 'windowBytes'>;

function imageOf(gateway: Name, firmware: FirmwareV1, stored: Stored): BundleImage {
  const { ecu, currentVersion, version, sizeBytes, sha256 } = firmware;
  return {
    target: parseTargetName(`${gateway}/${ecu}/${version}/image.bin`),
    ecus: [{ id: ecu, hardwareId: UNSAID, currentVersion }],
    ecuType: undefined,
    version,
    releaseCounter: parseVersion(1),
    sizeBytes,
    sha256,
    ...stored,
    chunkBytes: 0,
    treeRoot: new Uint8Array(0),
    requires: [],
  };
}

/** The first form in which the payload is the promised image. */
async function storedAs(source: ScanSource, firmware: FirmwareV1, at: number): Promise<Stored> {
  const frame = await frameBytes(source.file, { offset: at, contentBytes: firmware.sizeBytes });
  if (frame !== undefined && (await isImage(source, firmware, { at, codec: 'zstd', storedBytes: frame }))) {
    return { codec: 'zstd', storedBytes: frame, windowBytes: OTAP_LIMITS.windowBytes };
  }
  const raw = { codec: 'raw', storedBytes: firmware.sizeBytes, windowBytes: 0 } as const;
  if (at + raw.storedBytes > source.file.sizeBytes && frame === undefined) {
    throw failure('OTAP_TRUNCATED', `the bundle ends inside the image for ${firmware.ecu}`, { offset: at });
  }
  if (await isImage(source, firmware, { at, ...raw })) return raw;
  throw failure('OTAP_IMAGE_HASH', `the payload for ${firmware.ecu} is the promised image neither compressed nor raw`, {
    ecu: firmware.ecu,
    offset: at,
  });
}

interface Attempt {
  readonly at: number;
  readonly codec: 'zstd' | 'raw';
  readonly storedBytes: number;
}

async function isImage(source: ScanSource, firmware: FirmwareV1, attempt: Attempt): Promise<boolean> {
  const { sizeBytes } = firmware;
  const hash = startSha256(source.engine);
  let left = sizeBytes;
  try {
    using decoder = decoderOf(source.zstd, attempt.codec, sizeBytes);
    const take = (pieces: Iterable<Uint8Array>): void => {
      for (const piece of pieces) {
        left -= piece.length;
        hash.update(piece);
      }
    };
    for (let done = 0; done < attempt.storedBytes;) {
      const bytes = await source.file.read(attempt.at + done, Math.min(STEP_BYTES, attempt.storedBytes - done));
      if (bytes.length === 0) return false;
      done += bytes.length;
      take(decoder.push(bytes));
    }
    take(decoder.finish());
  } catch (thrown) {
    if (!isFailure(thrown) || !thrown.code.startsWith('ZSTD_')) throw thrown;
    return false;
  }
  return left === 0 && equalBytes(hash.digest(), firmware.sha256);
}

function decoderOf(zstd: Zstd, codec: 'zstd' | 'raw', sizeBytes: number) {
  if (codec === 'zstd') {
    return zstd.decompress({ windowBytesMax: OTAP_LIMITS.windowBytes, contentSizeBytes: sizeBytes });
  }
  return { push: (bytes: Uint8Array) => [bytes], finish: () => [], [Symbol.dispose]: () => undefined };
}

/**
 * Reads the facts and the payload of an image that {@link otapV1.readHead} found, and gives the image to `sink`.
 *
 * @throws OTAP_MALFORMED where the file says something else than it did, OTAP_TRUNCATED, OTAP_IMAGE_SIZE, OTAP_IMAGE_HASH, ZSTD_*
 */
async function readPayload(
  reader: ByteReader,
  image: BundleImage,
  context: PayloadContext & { readonly sink?: ImageSink | undefined },
): Promise<void> {
  const facts = encodeFirmwareV1({
    ecu: image.ecus[0]?.id ?? UNSAID,
    currentVersion: image.ecus[0]?.currentVersion,
    ...image,
  });
  const offset = reader.offset();
  if (!equalBytes(await reader.take(facts.length, 'facts of a firmware'), facts)) {
    throw malformed('the file has changed while it was read', offset);
  }
  const hash = startSha256(context.engine);
  using decoder = decoderOf(context.zstd, image.codec, image.sizeBytes);
  const take = async (pieces: Iterable<Uint8Array>): Promise<void> => {
    for (const piece of pieces) {
      hash.update(piece);
      await context.sink?.(piece);
    }
  };
  for (let left = image.storedBytes; left > 0;) {
    const bytes = await reader.take(Math.min(STEP_BYTES, left), `image of ${image.target}`);
    left -= bytes.length;
    await take(decoder.push(bytes));
    context.onChunk?.(bytes.length);
  }
  await take(decoder.finish());
  if (equalBytes(hash.digest(), image.sha256)) return;
  throw failure('OTAP_IMAGE_HASH', `the image of ${image.target} does not have the SHA-256 ${toHex(image.sha256)}`);
}

/** The facts at the beginning of `bytes`, and how many bytes they take. @throws OTAP_MALFORMED, OTAP_TRUNCATED */
function decodeFirmware(bytes: Uint8Array, offset: number): { firmware: FirmwareV1; bytes: number } {
  let at = 0;
  const take = (count: number): Uint8Array => {
    const part = bytes.subarray(at, at + count);
    if (part.length < count) {
      throw failure(
        'OTAP_TRUNCATED',
        `the bundle ends at byte ${offset + bytes.length}, inside the facts of a firmware`,
      );
    }
    at += count;
    return part;
  };
  const text = (what: string): { bytes: Uint8Array; what: string; offset: number } => {
    const [length = 0] = take(1);
    return { what, offset: offset + at, bytes: take(length) };
  };
  const [ecu, current, version] = [text('ECU id'), text('current version'), text('target version')];
  const size = take(SIZE_BYTES);
  const sizeBytes = new DataView(size.buffer, size.byteOffset, SIZE_BYTES).getUint32(0);
  if (sizeBytes === 0) throw malformed('an image is empty', offset + at - SIZE_BYTES);
  const firmware = {
    ecu: nameOf(ecu.bytes, ecu),
    currentVersion: current.bytes.length === 0 ? undefined : nameOf(current.bytes, current),
    version: nameOf(version.bytes, version),
    sizeBytes,
    sha256: take(HASH_BYTES).slice(),
  };
  return { firmware, bytes: at };
}

function nameOf(bytes: Uint8Array, { what, offset }: { what: string; offset: number }): Name {
  try {
    return parseName(fromUtf8(bytes, what), what);
  } catch (cause) {
    throw malformed(cause instanceof Error ? cause.message : what, offset);
  }
}

function malformed(why: string, offset: number): Error {
  return failure('OTAP_MALFORMED', `${why}, at byte ${offset}`, { offset });
}
