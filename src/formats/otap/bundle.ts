/**
 * What a bundle says, whatever its version: the types that every reader decodes to and every writer encodes from,
 * and the limits that hold for all of them.
 */
import type { Instant, Name, TargetName, Version } from '../../core/brands.ts';
import type { Unverified } from '../../core/verified.ts';
import type { CoseSignature } from '../cose/cose-sign.ts';
import type { CoseSignatureId } from '../cose/algorithms.ts';

/** How an image is stored; the index is its number on the wire. */
export const CODECS = ['raw', 'zstd'] as const;
/** A way to store an image. */
export type CodecId = (typeof CODECS)[number];

/** Bounds that a reader enforces before it believes or allocates anything. */
export const OTAP_LIMITS = {
  manifestBytes: 4 * 1024 * 1024,
  signaturesBytes: 512 * 1024,
  ecus: 4096,
  images: 1024,
  requirements: 64,
  chunkBytesMin: 2 * 1024,
  chunkBytesMax: 1024 * 1024,
  chunksPerPayload: 2 ** 20,
  /** Zstandard window, 8 MiB: what RFC 8878 asks every decoder to have. */
  windowBytes: 8 * 1024 * 1024,
} as const;

/** An ECU that an image is for. */
export interface BundleEcu {
  readonly id: Name;
  readonly hardwareId: Name;
  /** The version it is expected to run before the update, where known. */
  readonly currentVersion: Name | undefined;
}

/** What must be on another ECU, or on every ECU of a type, once the release is installed. */
export interface Requirement {
  readonly kind: 'ecu' | 'type';
  readonly name: Name;
  /** This version or a later one. */
  readonly version: Name;
}

/** One image of a bundle, for all ECUs that get it. */
export interface BundleImage {
  readonly target: TargetName;
  readonly ecus: readonly BundleEcu[];
  /** The ECU type it was released for, or undefined where it is for one ECU by id. */
  readonly ecuType: Name | undefined;
  readonly version: Name;
  readonly releaseCounter: Version;
  /** Size of the image itself, in bytes, at least 1. */
  readonly sizeBytes: number;
  /** SHA-256 of the image itself, 32 bytes. */
  readonly sha256: Uint8Array;
  readonly codec: CodecId;
  /** Size as stored: of the compressed frame, or of the raw image. */
  readonly storedBytes: number;
  /** The window that decoding takes, in bytes; 0 for raw. */
  readonly windowBytes: number;
  readonly chunkBytes: number;
  /** Root of the SHA-256 tree over the stored chunks, 32 bytes. */
  readonly treeRoot: Uint8Array;
  readonly requires: readonly Requirement[];
}

/** What the signatures cover, beside the header. */
export interface Manifest {
  readonly release: Name;
  readonly time: Instant;
  readonly model: Name;
  readonly releaseCounter: Version;
  /** Algorithms that every reader demands at least one valid signature of. */
  readonly algorithms: readonly CoseSignatureId[];
  /** The library that compressed, e.g. `1.5.7`; undefined where nothing is compressed. */
  readonly zstdLibrary: string | undefined;
  /** Indices of `images`, each once, in the order to install them. */
  readonly installOrder: readonly number[];
  /** In the order of their payloads. */
  readonly images: readonly BundleImage[];
}

/** A bundle up to its payloads; nothing in it is verified. */
export interface BundleHead {
  readonly version: number;
  /** Whether bundles of this version have signatures, a tree and a manifest of their own at all. */
  readonly isSignable: boolean;
  readonly gateway: Name;
  readonly manifest: Unverified<Manifest>;
  readonly signatures: readonly CoseSignature[];
  /** The bytes that `signature` of this bundle covers. */
  toBeSigned(signature: Pick<CoseSignature, 'algorithm' | 'keyId'>): Uint8Array;
}
