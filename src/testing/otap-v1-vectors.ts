/** The vectors of `fixtures/otap/v1/`: bundles that a reader of version 1 must accept or refuse. */
import { parseName } from '../core/brands.ts';
import { concatBytes, fromHex, utf8 } from '../core/bytes.ts';
import type { ErrorCode } from '../core/errors.ts';
import { sha256 } from '../crypto/hash.ts';
import type { RandomBytes } from '../formats/otap/v1.ts';
import { encodeFirmwareV1, encodeHeaderV1 } from '../formats/otap/v1.ts';

/** A firmware: its image, and the bytes that stand for it in the bundle. */
export interface TestFirmware {
  readonly ecu: string;
  readonly current?: string;
  readonly version?: string;
  readonly image: Uint8Array;
  readonly stored: Uint8Array;
}

/** A bundle to `gateway`. */
export function bundleV1(firmwares: readonly TestFirmware[], gateway = 'ZG'): Uint8Array<ArrayBuffer> {
  return concatBytes(
    encodeHeaderV1(parseName(gateway), firmwares.length),
    ...firmwares.flatMap((firmware) => [factsOf(firmware), firmware.stored]),
  );
}

function factsOf({ ecu, current, version = '1.1', image }: TestFirmware): Uint8Array {
  return encodeFirmwareV1({
    ecu: parseName(ecu),
    currentVersion: current === undefined ? undefined : parseName(current),
    version: parseName(version),
    sizeBytes: image.length,
    sha256: sha256('noble', image),
  });
}

/** Bytes in memory as a file, which remembers how many were read of it. */
export function memoryBytes(bytes: Uint8Array): RandomBytes & { readonly reads: () => number } {
  let reads = 0;
  return {
    sizeBytes: bytes.length,
    reads: () => reads,
    read: (offset, length) => {
      const part = bytes.subarray(offset, offset + length);
      reads += part.length;
      return Promise.resolve(part);
    },
  };
}

const RAW = utf8('brake');
const LETTERS = new Uint8Array(1000).fill(0x41);
/** One run-length block of 1,000 letters A; the frame gives its content size. */
const RLE_FRAME = fromHex('28b52ffd60e802431f0041');

/** The worked example of FORMAT-V1.md. */
export const WORKED_EXAMPLE_V1 = bundleV1([
  { ecu: 'BRAKE', current: '1.0', version: '1.1', image: RAW, stored: RAW },
  { ecu: 'BMS', version: '2.0', image: LETTERS, stored: RLE_FRAME },
]);

/** A vector: the bundle, and what a reader must say to it. */
export interface OtapV1Vector {
  readonly name: string;
  readonly about: string;
  readonly bytes: Uint8Array;
  /** Undefined where it must be accepted. */
  readonly refused: ErrorCode | undefined;
}

const good = (ecu = 'BRAKE'): TestFirmware => ({ ecu, image: RAW, stored: RAW });

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

/** All of them. */
export function otapV1Vectors(): readonly OtapV1Vector[] {
  const one = bundleV1([good()]);
  const promised = (image: Uint8Array, stored: Uint8Array) => bundleV1([{ ecu: 'BMS', image, stored }]);
  const accept = (name: string, about: string, bytes: Uint8Array): OtapV1Vector => ({
    name,
    about,
    bytes,
    refused: undefined,
  });
  const refuse = (name: string, about: string, bytes: Uint8Array, refused: ErrorCode): OtapV1Vector => ({
    name,
    about,
    bytes,
    refused,
  });
  return [
    accept('worked-example', 'one raw image and one compressed one', WORKED_EXAMPLE_V1),
    accept(
      'raw-frame',
      'a raw image that is a zstd frame itself',
      bundleV1([{ ecu: 'BMS', image: RLE_FRAME, stored: RLE_FRAME }, good()]),
    ),
    accept(
      'frame-of-frame',
      'a zstd frame with a raw block that holds a zstd frame',
      promised(RLE_FRAME, fromHex('28b52ffd200b590000'.concat('28b52ffd60e802431f0041'))),
    ),
    accept('same-image-twice', 'two ECUs with the same image', bundleV1([good('A'), good('B')])),
    refuse('no-ecu', 'an ECU count of zero', changed(one, 7, 0), 'OTAP_MALFORMED'),
    refuse('count', 'an ECU count of one more than there are', changed(one, 7, 2), 'OTAP_TRUNCATED'),
    refuse(
      'count-less',
      'an ECU count of one less than there are',
      changed(WORKED_EXAMPLE_V1, 7, 1),
      'OTAP_TRAILING_BYTES',
    ),
    refuse('zeros', 'a byte of the header that is not zero', changed(one, 26, 1), 'OTAP_MALFORMED'),
    refuse('gateway', 'a gateway id of no bytes', changed(one, 8, 0), 'OTAP_MALFORMED'),
    refuse('duplicate-ecu', 'one ECU twice', bundleV1([good(), good()]), 'OTAP_DUPLICATE_ECU'),
    refuse('empty-image', 'an image of no bytes', promised(new Uint8Array(0), new Uint8Array(0)), 'OTAP_MALFORMED'),
    refuse('truncated', 'an image cut off', one.subarray(0, -1), 'OTAP_TRUNCATED'),
    refuse('truncated-facts', 'the facts of a firmware cut off', one.subarray(0, 40), 'OTAP_TRUNCATED'),
    refuse('trailing', 'a byte after the last image', concatBytes(one, Uint8Array.of(0)), 'OTAP_TRAILING_BYTES'),
    refuse('hash', 'an image of another hash', changed(one, one.length - 1, 0), 'OTAP_IMAGE_HASH'),
    refuse(
      'frame-size',
      'a frame that yields less than was promised',
      promised(new Uint8Array(1001).fill(0x41), RLE_FRAME),
      'OTAP_IMAGE_HASH',
    ),
    refuse('frame-cut', 'a frame cut off', promised(LETTERS, RLE_FRAME.subarray(0, -1)), 'OTAP_TRUNCATED'),
    refuse(
      'frame-reserved',
      'a frame with a block of the reserved type',
      promised(LETTERS, changed(RLE_FRAME, 7, 0x47)),
      'OTAP_TRUNCATED',
    ),
  ];
}
