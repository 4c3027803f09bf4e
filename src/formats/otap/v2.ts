/**
 * OTAP version 2: header, manifest, signatures, then one payload per image in the manifest's order, and nothing more.
 *
 * @see FORMAT.md
 */
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Unverified } from '../../core/verified.ts';
import { coseToBeSigned, decodeCoseSign } from '../cose/cose-sign.ts';
import type { CoseSignature } from '../cose/cose-sign.ts';
import type { ByteReader } from './byte-reader.ts';
import type { BundleHead, Manifest } from './bundle.ts';
import { decodeHeaderRest, decodePrefix, encodeHeader, LENGTHS_BYTES, PREFIX_BYTES } from './header.ts';
import type { HeaderV2, Prefix } from './header.ts';
import { decodeManifest } from './manifest.ts';
import { readPayload } from './payload.ts';

const LABEL = utf8('secureev/otap/2');

/** What all signatures of a bundle cover: its manifest, and its header with the signatures' length zeroed. */
export interface SignedParts {
  readonly header: Omit<HeaderV2, 'signaturesBytes'>;
  /** Encoded. */
  readonly manifest: Uint8Array;
}

/** The bytes that one signature of a version 2 bundle covers. @throws COSE_ALGORITHM_UNKNOWN */
export function toBeSignedV2(
  parts: SignedParts,
  signature: Pick<CoseSignature, 'algorithm' | 'keyId'>,
): Uint8Array<ArrayBuffer> {
  const externalAad = concatBytes(LABEL, encodeHeader({ ...parts.header, signaturesBytes: 0 }));
  return coseToBeSigned({ ...signature, externalAad, payload: parts.manifest });
}

/** Header and manifest as requests for signatures carry them: the header with its signatures length zeroed. */
export function encodeSignedParts(parts: SignedParts): Uint8Array<ArrayBuffer> {
  return concatBytes(encodeHeader({ ...parts.header, signaturesBytes: 0 }), parts.manifest);
}

/** Reads {@link encodeSignedParts}; nothing else may follow. @throws OTAP_*, as {@link otapV2} */
export function decodeSignedParts(bytes: Uint8Array): SignedParts & { readonly decoded: Unverified<Manifest> } {
  const prefix = decodePrefix(bytes.subarray(0, PREFIX_BYTES));
  const end = PREFIX_BYTES + prefix.gatewayBytes + LENGTHS_BYTES;
  if (prefix.version !== otapV2.version || bytes.length < end) throw malformedParts();
  const header = decodeHeaderRest(prefix, bytes.subarray(PREFIX_BYTES, end));
  const manifest = bytes.slice(end);
  if (header.signaturesBytes !== 0 || manifest.length !== header.manifestBytes) throw malformedParts();
  const decoded = decodeManifest(manifest);
  requireEcuCount(header, decoded);
  return { header, manifest, decoded: { unverified: decoded } };
}

function malformedParts(): Error {
  return failure('OTAP_MALFORMED', 'not the header and manifest of a version 2 bundle');
}

/** How version 2 is read. */
export const otapV2 = { version: 2, readHead, readPayload } as const;

/**
 * Reads header, manifest and signatures.
 *
 * @throws OTAP_MALFORMED, OTAP_TRUNCATED, OTAP_FLAGS_UNKNOWN, OTAP_TOO_LARGE, OTAP_MANIFEST_MALFORMED, OTAP_DUPLICATE_ECU,
 * COSE_MALFORMED, COSE_ALGORITHM_UNKNOWN, CBOR_MALFORMED
 */
async function readHead(reader: ByteReader, prefix: Prefix): Promise<BundleHead> {
  const header = decodeHeaderRest(prefix, await reader.take(prefix.gatewayBytes + LENGTHS_BYTES, 'header'));
  const manifestBytes = (await reader.take(header.manifestBytes, 'manifest')).slice();
  const manifest = decodeManifest(manifestBytes);
  const unsigned = header.signaturesBytes === 0;
  const signatures = unsigned ? [] : decodeCoseSign((await reader.take(header.signaturesBytes, 'signatures')).slice());
  requireEcuCount(header, manifest);
  return {
    version: otapV2.version,
    isSignable: true,
    gateway: header.gateway,
    manifest: { unverified: manifest } satisfies Unverified<Manifest>,
    signatures,
    toBeSigned: (signature) => toBeSignedV2({ header, manifest: manifestBytes }, signature),
  };
}

function requireEcuCount(header: HeaderV2, manifest: Manifest): void {
  const ecus = manifest.images.reduce((sum, image) => sum + image.ecus.length, 0);
  if (header.ecuCount !== ecus) {
    throw failure('OTAP_MALFORMED', `the header counts ${header.ecuCount} ECUs, the manifest ${ecus}`, { offset: 6 });
  }
}
