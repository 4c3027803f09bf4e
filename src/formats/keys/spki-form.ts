/**
 * SubjectPublicKeyInfo byte by byte, for DER has one spelling only: of a key of fixed size everything before its raw bytes
 * is known, and an RSA key is two numbers. Read and written here without the ASN.1 library, which is as large as the rest
 * of what a verifier loads.
 *
 * @see RFC 5280 section 4.1.2.7; RFC 5480, 8410, 9881, 9935; ITU-T X.690 sections 8 and 10
 */
import { concatBytes, fromHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';
import type { KeyAlgorithm } from './algorithms.ts';

/** The AlgorithmIdentifier of each algorithm, in hex. */
const IDENTIFIERS: ReadonlyMap<KeyAlgorithm, string> = new Map([
  ['ecdsa-p256', '301306072a8648ce3d020106082a8648ce3d030107'],
  ['ed25519', '300506032b6570'],
  ['ml-dsa-44', '300b0609608648016503040311'],
  ['ml-dsa-65', '300b0609608648016503040312'],
  ['ml-dsa-87', '300b0609608648016503040313'],
  ['rsa-pss-sha256', '300d06092a864886f70d0101010500'],
  ['DHKEM-P256', '301306072a8648ce3d020106082a8648ce3d030107'],
  ['DHKEM-X25519', '300506032b656e'],
  ['ML-KEM-512', '300b0609608648016503040401'],
  ['ML-KEM-768', '300b0609608648016503040402'],
  ['ML-KEM-1024', '300b0609608648016503040403'],
  ['MLKEM768-X25519', '300d060b2b0601040183e62d81c87a'],
] as const);

/** Tags. */
const [INTEGER, BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE] = [0x02, 0x03, 0x06, 0x30];
/** Largest SPKI read, in bytes. */
export const SPKI_BYTES_MAX = 32 * 1024;

/** The AlgorithmIdentifier in DER; undefined for an algorithm without one. */
export function algorithmBytes(algorithm: KeyAlgorithm): Uint8Array | undefined {
  const hex = IDENTIFIERS.get(algorithm);
  return hex === undefined ? undefined : fromHex(hex);
}

/** Everything before the raw bytes of a key. */
export function spkiPrefix(identifier: Uint8Array, keyBytes: number): Uint8Array {
  const bits = concatBytes(header(BIT_STRING, keyBytes + 1), Uint8Array.of(0));
  return concatBytes(header(SEQUENCE, identifier.length + bits.length + keyBytes), identifier, bits);
}

/** A tag and a length in the shortest form. */
function header(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  if (length < 0x100) return Uint8Array.of(tag, 0x81, length);
  return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
}

/** The parts of an SPKI. */
export interface SpkiParts {
  /** The AlgorithmIdentifier, whole. */
  readonly identifier: Uint8Array;
  /** Its object identifier as text, `1.2.840...`. */
  readonly oid: string;
  /** The content of the BIT STRING. */
  readonly key: Uint8Array;
}

/** Takes an SPKI apart. @throws KEY_MALFORMED */
export function readSpki(der: Uint8Array): SpkiParts {
  if (der.length > SPKI_BYTES_MAX) throw malformed('too long');
  const [whole, ...more] = values(der);
  if (whole?.tag !== SEQUENCE || more.length > 0) throw malformed('not one SEQUENCE');
  const [algorithm, bits, ...others] = values(whole.content);
  if (algorithm?.tag !== SEQUENCE || bits?.tag !== BIT_STRING || others.length > 0) {
    throw malformed('not an algorithm and a BIT STRING');
  }
  const [oid, ...parameters] = values(algorithm.content);
  if (oid?.tag !== OBJECT_IDENTIFIER || parameters.length > 1) throw malformed('not an AlgorithmIdentifier');
  if (bits.content[0] !== 0) throw malformed('not a BIT STRING of whole bytes');
  const identifier = whole.content.subarray(0, algorithm.end);
  return { identifier, oid: oidText(oid.content), key: bits.content.slice(1) };
}

/** Demands that the bytes are a SEQUENCE of two positive numbers, each in its shortest form. @throws KEY_MALFORMED */
export function requireRsaNumbers(bytes: Uint8Array): void {
  const [whole, ...more] = values(bytes);
  if (whole?.tag !== SEQUENCE || more.length > 0) throw malformed('not one SEQUENCE of numbers');
  const numbers = values(whole.content);
  const isShortest = ({ tag, content: [first, second = 0x80] }: DerValue): boolean =>
    tag === INTEGER && first !== undefined && first < 0x80 && (first !== 0 || second >= 0x80);
  if (numbers.length !== 2 || !numbers.every(isShortest)) throw malformed('not two numbers in their shortest form');
}

interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Where it ends in the bytes that it was read from. */
  readonly end: number;
}

/** The values that follow one another in `bytes`, each with the shortest length. @throws KEY_MALFORMED */
function values(bytes: Uint8Array): readonly DerValue[] {
  const found: DerValue[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, first = 0, second = 0, third = 0] = bytes.subarray(at, at + 4);
    const long = first === 0x82 ? second * 256 + third : second;
    const isShortest = first < 0x80 || (first === 0x81 && long >= 0x80) || (first === 0x82 && long >= 0x100);
    const start = at + 2 + (first < 0x80 ? 0 : first - 0x80);
    const end = start + (first < 0x80 ? first : long);
    if (!isShortest || end > bytes.length) throw malformed('a length that is not DER');
    found.push({ tag, content: bytes.subarray(start, end), end });
    if (found.length > MEMBERS_MAX) throw malformed('too many values');
    at = end;
  }
  return found;
}

const MEMBERS_MAX = 4;

/** @see ITU-T X.690 section 8.19 */
function oidText(bytes: Uint8Array): string {
  const arcs: number[] = [];
  let value = 0;
  let isFirst = true;
  for (const [index, byte] of bytes.entries()) {
    if (isFirst && byte === 0x80) throw malformed('an object identifier that is not the shortest');
    value = value * 128 + (byte & 0x7f);
    isFirst = byte < 0x80;
    if (value > Number.MAX_SAFE_INTEGER / 128 || (!isFirst && index === bytes.length - 1)) {
      throw malformed('not an object identifier');
    }
    if (!isFirst) continue;
    arcs.push(value);
    value = 0;
  }
  const [head = 0, ...rest] = arcs;
  const top = Math.min(2, Math.floor(head / 40));
  return [top, head - 40 * top, ...rest].join('.');
}

function malformed(reason: string): SecureevError {
  return failure('KEY_MALFORMED', `malformed public key (SPKI): ${reason}`);
}
