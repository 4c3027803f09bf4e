/**
 * The fixed header of a version 2 bundle, and the first bytes that all versions share.
 *
 * Invariant: big-endian; magic, version, ECU count and gateway stand where version 1 has them; unknown flags and a
 * reserved field other than zero are refused.
 *
 * @see FORMAT.md section 2
 */
import { parseName } from '../../core/brands.ts';
import type { Name } from '../../core/brands.ts';
import { concatBytes, equalBytes, fromUtf8, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import { OTAP_LIMITS } from './bundle.ts';

/** Bytes up to and including the length of the gateway id: the same in every version. */
export const PREFIX_BYTES = 9;
/** Bytes after the gateway id: flags and section lengths. */
export const LENGTHS_BYTES = 16;
const MAGIC = utf8('OTAP');
const VERSION = 2;

/** The header of a version 2 bundle. */
export interface HeaderV2 {
  readonly gateway: Name;
  /** ECU ids in the whole bundle. */
  readonly ecuCount: number;
  readonly manifestBytes: number;
  /** 0 where nobody has signed yet. */
  readonly signaturesBytes: number;
}

/** The first 9 bytes of a bundle. */
export interface Prefix {
  readonly version: number;
  readonly ecuCount: number;
  readonly gatewayBytes: number;
}

/** Encodes what all versions begin with: 9 bytes and the gateway id. */
export function encodePrefix(prefix: { version: number; ecuCount: number; gateway: Name }): Uint8Array<ArrayBuffer> {
  const gateway = utf8(prefix.gateway);
  const fixed = new Uint8Array(PREFIX_BYTES - MAGIC.length);
  const view = new DataView(fixed.buffer);
  view.setUint16(0, prefix.version);
  view.setUint16(2, prefix.ecuCount);
  view.setUint8(4, gateway.length);
  return concatBytes(MAGIC, fixed, gateway);
}

/** Encodes a header: 25 bytes and the gateway id. */
export function encodeHeader(header: HeaderV2): Uint8Array<ArrayBuffer> {
  const lengths = new Uint8Array(LENGTHS_BYTES);
  const numbers = new DataView(lengths.buffer);
  numbers.setUint32(4, header.manifestBytes);
  numbers.setUint32(8, header.signaturesBytes);
  return concatBytes(encodePrefix({ ...header, version: VERSION }), lengths);
}

/** Whether a file that begins so calls itself an OTAP bundle. */
export function startsWithMagic(first: Uint8Array): boolean {
  return equalBytes(first.subarray(0, MAGIC.length), MAGIC);
}

/** Decodes the first 9 bytes. @throws OTAP_MALFORMED */
export function decodePrefix(bytes: Uint8Array): Prefix {
  if (!startsWithMagic(bytes)) throw failure('OTAP_MALFORMED', 'not an OTAP bundle: no magic bytes');
  const view = viewOf(bytes);
  const [version, ecuCount, gatewayBytes] = [view.getUint16(4), view.getUint16(6), view.getUint8(8)];
  if (gatewayBytes === 0) throw failure('OTAP_MALFORMED', 'the gateway id is empty', { offset: 8 });
  return { version, ecuCount, gatewayBytes };
}

/**
 * Decodes what follows the prefix: the gateway id and 16 bytes.
 *
 * @throws OTAP_MALFORMED, OTAP_FLAGS_UNKNOWN, OTAP_TOO_LARGE
 */
export function decodeHeaderRest(prefix: Prefix, rest: Uint8Array): HeaderV2 {
  const gateway = decodeGateway(rest.subarray(0, prefix.gatewayBytes));
  const view = viewOf(rest.subarray(prefix.gatewayBytes));
  const [flags, manifestBytes, signaturesBytes, reserved] = [0, 4, 8, 12].map((at) => view.getUint32(at));
  if (flags !== 0) throw failure('OTAP_FLAGS_UNKNOWN', `unknown flags 0x${flags?.toString(16)}`, { flags });
  if (reserved !== 0) throw failure('OTAP_FLAGS_UNKNOWN', 'the reserved field of the header is not zero');
  if (prefix.ecuCount === 0) throw failure('OTAP_MALFORMED', 'the bundle is for no ECU', { offset: 6 });
  return {
    gateway,
    ecuCount: bounded(prefix.ecuCount, { max: OTAP_LIMITS.ecus, what: 'ECU count' }),
    manifestBytes: bounded(manifestBytes, { max: OTAP_LIMITS.manifestBytes, what: 'manifest length' }),
    signaturesBytes: atMost(signaturesBytes, { max: OTAP_LIMITS.signaturesBytes, what: 'signatures length' }),
  };
}

function decodeGateway(bytes: Uint8Array): Name {
  try {
    return parseName(fromUtf8(bytes, 'gateway id'), 'gateway id');
  } catch (cause) {
    throw failure('OTAP_MALFORMED', cause instanceof Error ? cause.message : 'gateway id', { offset: PREFIX_BYTES });
  }
}

function bounded(value: number | undefined, limit: { max: number; what: string }): number {
  if (value === undefined || value === 0) throw failure('OTAP_MALFORMED', `${limit.what} is zero`);
  return atMost(value, limit);
}

function atMost(value = 0, limit: { max: number; what: string }): number {
  if (value > limit.max) throw failure('OTAP_TOO_LARGE', `${limit.what} ${value} is over ${limit.max}`, { value });
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
