/**
 * The manifest of a version 2 bundle: deterministic CBOR with integer keys.
 *
 * Invariants: decode(encode(m)) is m, encode(decode(b)) is b; an unknown key, a second entry for an ECU or a target, a
 * number out of its range are refused; the shape of each payload's tree follows from the fields here.
 *
 * @see FORMAT.md section 3
 */
import { instantOf, parseName, parseTargetName, parseVersion } from '../../core/brands.ts';
import type { Name } from '../../core/brands.ts';
import { failure } from '../../core/errors.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { bytesOf, integerOf, itemsOf, mapOf, misfit, optional, parsedOf, textOf } from '../cbor-reader.ts';
import type { Placed } from '../cbor-reader.ts';
import { coseNumber, fromCoseNumber } from '../cose/algorithms.ts';
import { CODECS, OTAP_LIMITS } from './bundle.ts';
import type { BundleEcu, BundleImage, Manifest, Requirement } from './bundle.ts';

const MANIFEST = {
  release: 1,
  time: 2,
  model: 3,
  releaseCounter: 4,
  algorithms: 5,
  zstdLibrary: 6,
  installOrder: 7,
  images: 8,
} as const;
const IMAGE = {
  target: 1,
  ecus: 2,
  ecuType: 3,
  version: 4,
  releaseCounter: 5,
  size: 6,
  sha256: 7,
  codec: 8,
  storedSize: 9,
  window: 10,
  chunkSize: 11,
  treeRoot: 12,
  requires: 13,
} as const;
const ECU = { id: 1, hardwareId: 2, currentVersion: 3 } as const;
const REQUIREMENT = { kind: 1, name: 2, version: 3 } as const;
const REQUIREMENT_KINDS = ['ecu', 'type'] as const;
const SAFE = { min: 1, max: Number.MAX_SAFE_INTEGER };
/** 9999-12-31T23:59:59Z. */
const LAST_SECOND = 253_402_300_799;
const LIBRARY = /^[0-9]{1,4}(?:\.[0-9]{1,4}){2}$/;

/** Encodes a manifest. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return encodeCbor(
    present([
      [MANIFEST.release, manifest.release],
      [MANIFEST.time, manifest.time],
      [MANIFEST.model, manifest.model],
      [MANIFEST.releaseCounter, manifest.releaseCounter],
      [MANIFEST.algorithms, manifest.algorithms.map(coseNumber)],
      [MANIFEST.zstdLibrary, manifest.zstdLibrary],
      [MANIFEST.installOrder, manifest.installOrder],
      [MANIFEST.images, manifest.images.map(encodeImage)],
    ]),
  );
}

function encodeImage(image: BundleImage): Cbor {
  return present([
    [IMAGE.target, image.target],
    [IMAGE.ecus, image.ecus.map(encodeEcu)],
    [IMAGE.ecuType, image.ecuType],
    [IMAGE.version, image.version],
    [IMAGE.releaseCounter, image.releaseCounter],
    [IMAGE.size, image.sizeBytes],
    [IMAGE.sha256, image.sha256],
    [IMAGE.codec, CODECS.indexOf(image.codec)],
    [IMAGE.storedSize, image.storedBytes],
    [IMAGE.window, image.windowBytes],
    [IMAGE.chunkSize, image.chunkBytes],
    [IMAGE.treeRoot, image.treeRoot],
    [IMAGE.requires, image.requires.length === 0 ? undefined : image.requires.map(encodeRequirement)],
  ]);
}

function encodeEcu(ecu: BundleEcu): Cbor {
  return present([
    [ECU.id, ecu.id],
    [ECU.hardwareId, ecu.hardwareId],
    [ECU.currentVersion, ecu.currentVersion],
  ]);
}

function encodeRequirement(requirement: Requirement): Cbor {
  return present([
    [REQUIREMENT.kind, REQUIREMENT_KINDS.indexOf(requirement.kind)],
    [REQUIREMENT.name, requirement.name],
    [REQUIREMENT.version, requirement.version],
  ]);
}

function present(entries: readonly [number, Cbor | undefined][]): ReadonlyMap<number, Cbor> {
  const map = new Map<number, Cbor>();
  for (const [key, value] of entries) if (value !== undefined) map.set(key, value);
  return map;
}

/**
 * Decodes a manifest and checks it against itself.
 *
 * @throws OTAP_MANIFEST_MALFORMED, OTAP_DUPLICATE_ECU, CBOR_MALFORMED, COSE_ALGORITHM_UNKNOWN
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const value = decodeCbor(bytes, { maxBytes: OTAP_LIMITS.manifestBytes, maxDepth: 8 });
  const field = mapOf({ value, at: 'manifest', code: 'OTAP_MANIFEST_MALFORMED' }, MANIFEST);
  const images = itemsOf(field('images'), { min: 1, max: OTAP_LIMITS.images }).map(decodeImage);
  requireDistinct(images);
  return {
    release: nameOf(field('release')),
    time: instantOf(integerOf(field('time'), { min: 0, max: LAST_SECOND })),
    model: nameOf(field('model')),
    releaseCounter: counterOf(field('releaseCounter')),
    algorithms: decodeAlgorithms(field('algorithms')),
    zstdLibrary: optional(field('zstdLibrary'), libraryOf),
    installOrder: decodeInstallOrder(field('installOrder'), images.length),
    images,
  };
}

function decodeImage(placed: Placed): BundleImage {
  const field = mapOf(placed, IMAGE);
  const image: BundleImage = {
    target: parsedOf(field('target'), parseTargetName),
    ecus: itemsOf(field('ecus'), { min: 1, max: OTAP_LIMITS.ecus }).map(decodeEcu),
    ecuType: optional(field('ecuType'), nameOf),
    version: nameOf(field('version')),
    releaseCounter: counterOf(field('releaseCounter')),
    sizeBytes: integerOf(field('size'), SAFE),
    sha256: bytesOf(field('sha256'), 32),
    codec: decodeCodec(field('codec')),
    storedBytes: integerOf(field('storedSize'), SAFE),
    windowBytes: integerOf(field('window'), { min: 0, max: OTAP_LIMITS.windowBytes }),
    chunkBytes: integerOf(field('chunkSize'), { min: OTAP_LIMITS.chunkBytesMin, max: OTAP_LIMITS.chunkBytesMax }),
    treeRoot: bytesOf(field('treeRoot'), 32),
    requires: optional(field('requires'), decodeRequirements) ?? [],
  };
  requireSound(image, placed);
  return image;
}

/** What one field demands of another. */
function requireSound(image: BundleImage, placed: Placed): void {
  const { codec, storedBytes, sizeBytes, windowBytes, chunkBytes } = image;
  if (storedBytes > chunkBytes * OTAP_LIMITS.chunksPerPayload) throw misfit(placed, 'of at most 2^20 chunks');
  if (codec === 'raw' && (storedBytes !== sizeBytes || windowBytes !== 0)) {
    throw misfit(placed, 'a raw image with its own size and no window');
  }
  if (codec === 'zstd' && windowBytes === 0) throw misfit(placed, 'a compressed image with a window');
}

function decodeEcu(placed: Placed): BundleEcu {
  const field = mapOf(placed, ECU);
  return {
    id: nameOf(field('id')),
    hardwareId: nameOf(field('hardwareId')),
    currentVersion: optional(field('currentVersion'), nameOf),
  };
}

function decodeRequirements(placed: Placed): readonly Requirement[] {
  return itemsOf(placed, { min: 1, max: OTAP_LIMITS.requirements }).map((item) => {
    const field = mapOf(item, REQUIREMENT);
    const kind = REQUIREMENT_KINDS[integerOf(field('kind'), { min: 0, max: REQUIREMENT_KINDS.length - 1 })];
    return { kind: kind ?? 'ecu', name: nameOf(field('name')), version: nameOf(field('version')) };
  });
}

function decodeCodec(placed: Placed): (typeof CODECS)[number] {
  const codec = CODECS[integerOf(placed, { min: 0, max: CODECS.length - 1 })];
  if (codec === undefined) throw misfit(placed, 'a codec');
  return codec;
}

/** Sorted by COSE number, descending, each once. */
function decodeAlgorithms(placed: Placed): Manifest['algorithms'] {
  const numbers = itemsOf(placed, { min: 1, max: 8 }).map((item) => integerOf(item, { min: -65536, max: -1 }));
  if (numbers.some((number, i) => i > 0 && number >= (numbers[i - 1] ?? 0))) {
    throw misfit(placed, 'a list of algorithms from high to low, each once');
  }
  return numbers.map(fromCoseNumber);
}

function decodeInstallOrder(placed: Placed, images: number): readonly number[] {
  const order = itemsOf(placed, { min: images, max: images }).map((item) =>
    integerOf(item, { min: 0, max: images - 1 }),
  );
  if (new Set(order).size !== images) throw misfit(placed, 'each image once');
  return order;
}

function libraryOf(placed: Placed): string {
  const text = textOf(placed);
  if (!LIBRARY.test(text)) throw misfit(placed, 'a version of the zstd library');
  return text;
}

function nameOf(placed: Placed): Name {
  return parsedOf(placed, (text) => parseName(text));
}

function counterOf(placed: Placed): Manifest['releaseCounter'] {
  return parseVersion(integerOf(placed, SAFE), placed.at);
}

function requireDistinct(images: readonly BundleImage[]): void {
  const ecus = new Set<string>();
  for (const { id } of images.flatMap((image) => image.ecus)) {
    if (ecus.has(id)) throw failure('OTAP_DUPLICATE_ECU', `the manifest has ECU ${id} twice`, { ecu: id });
    ecus.add(id);
  }
  const targets = new Set(images.map((image) => image.target));
  if (targets.size !== images.length) throw failure('OTAP_MANIFEST_MALFORMED', 'the manifest has a target twice');
  if (ecus.size > OTAP_LIMITS.ecus) throw failure('OTAP_TOO_LARGE', `the manifest is for ${ecus.size} ECUs`);
}
