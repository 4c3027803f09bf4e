/**
 * DER through the ASN.1 library, strictly: the values read are written anew, and must give the same bytes. The library
 * itself reads BER and writes it back as it came, so its own re-encoding would prove nothing.
 *
 * Invariants: only the types that key files are made of are read (SEQUENCE, INTEGER, OBJECT IDENTIFIER, primitive OCTET
 * STRING, BIT STRING of whole bytes, NULL, context tags); size and depth are bounded.
 *
 * @see ITU-T X.690 sections 8, 10 and 11
 */
import * as asn1js from 'asn1js';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SecureevError } from '../../core/errors.ts';

/** Largest DER structure read, in bytes: an expanded ML-DSA-87 key with its seed is under 8 KiB. */
export const DER_BYTES_MAX = 32 * 1024;
const DEPTH_MAX = 8;
const CONTEXT_CLASS = 3;

/** Any decoded value. */
export type DerNode = asn1js.BaseBlock;

/** Reads one DER value and nothing else. @throws KEY_MALFORMED */
export function decodeDer(bytes: Uint8Array, what: string): DerNode {
  if (bytes.length === 0 || bytes.length > DER_BYTES_MAX) throw malformed(what, 'empty or too long');
  const { offset, result } = parse(bytes, what);
  if (offset !== bytes.length) throw malformed(what, 'not one DER value');
  const node = rebuilt(result, { what, depth: 0 });
  if (!equalBytes(encodeDer(node), bytes)) throw malformed(what, 'BER that is not DER');
  return node;
}

function parse(bytes: Uint8Array, what: string): asn1js.FromBerResult {
  try {
    return asn1js.fromBER(Uint8Array.from(bytes));
  } catch {
    throw malformed(what, 'not DER');
  }
}

/** A fresh node with the value of `node` and nothing of how it was written. */
function rebuilt(node: DerNode, place: { what: string; depth: number }): DerNode {
  if (place.depth > DEPTH_MAX) throw malformed(place.what, 'nested too deeply');
  const inner = { ...place, depth: place.depth + 1 };
  if (node instanceof asn1js.Sequence)
    return derSequenceOf(...node.valueBlock.value.map((item) => rebuilt(item, inner)));
  if (node instanceof asn1js.ObjectIdentifier) return derOidOf(node.valueBlock.toString());
  if (node instanceof asn1js.Null) return derNull();
  if (node instanceof asn1js.Integer) return rebuiltInteger(node, place.what);
  if (node instanceof asn1js.OctetString) return derOctetsOf(node.valueBlock.valueHexView);
  if (node instanceof asn1js.BitString && node.valueBlock.unusedBits === 0) {
    return derBitsOf(node.valueBlock.valueHexView);
  }
  const { tagClass, tagNumber } = node.idBlock;
  if (tagClass !== CONTEXT_CLASS) throw malformed(place.what, 'a type that no key has');
  if (node instanceof asn1js.Constructed) {
    return derTaggedOf(tagNumber, ...node.valueBlock.value.map((item) => rebuilt(item, inner)));
  }
  if (node instanceof asn1js.Primitive) return derImplicitOf(tagNumber, node.valueBlock.valueHexView);
  throw malformed(place.what, 'a type that no key has');
}

function rebuiltInteger(node: asn1js.Integer, what: string): DerNode {
  const bytes = node.valueBlock.valueHexView;
  const [first, second = 0] = bytes;
  const needless = bytes.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (first === undefined || needless) throw malformed(what, 'an INTEGER that is not the shortest');
  return new asn1js.Integer({ valueHex: Uint8Array.from(bytes) });
}

/** Writes a value. */
export function encodeDer(node: DerNode): Uint8Array<ArrayBuffer> {
  return new Uint8Array(node.toBER(false));
}

/** Makes a SEQUENCE. */
export function derSequenceOf(...value: DerNode[]): DerNode {
  return new asn1js.Sequence({ value });
}

/** Makes an INTEGER, 0 to 2^53 - 1. */
export function derIntegerOf(value: number): DerNode {
  return asn1js.Integer.fromBigInt(BigInt(value));
}

/** Makes a NULL. */
export function derNull(): DerNode {
  return new asn1js.Null();
}

/** Makes an OBJECT IDENTIFIER. */
export function derOidOf(value: string): DerNode {
  return new asn1js.ObjectIdentifier({ value });
}

/** Makes an OCTET STRING. */
export function derOctetsOf(bytes: Uint8Array): DerNode {
  return new asn1js.OctetString({ valueHex: Uint8Array.from(bytes) });
}

/** Makes a BIT STRING of whole bytes. */
export function derBitsOf(bytes: Uint8Array): DerNode {
  return new asn1js.BitString({ valueHex: Uint8Array.from(bytes) });
}

/** Makes `[tag]` around values. */
export function derTaggedOf(tagNumber: number, ...value: DerNode[]): DerNode {
  return new asn1js.Constructed({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, value });
}

/** Makes `[tag] IMPLICIT` of a primitive value with this content. */
export function derImplicitOf(tagNumber: number, bytes: Uint8Array): DerNode {
  const idBlock = { tagClass: CONTEXT_CLASS, tagNumber };
  return new asn1js.Primitive({ idBlock, valueHex: Uint8Array.from(bytes) });
}

/** The members of a SEQUENCE with `min` to `max` of them. @throws KEY_MALFORMED */
export function derSequence(node: DerNode | undefined, size: { min: number; max: number; what: string }): DerNode[] {
  const members = node instanceof asn1js.Sequence ? node.valueBlock.value : [];
  if (!(node instanceof asn1js.Sequence) || members.length < size.min || members.length > size.max) {
    throw malformed(size.what, 'not the SEQUENCE that belongs there');
  }
  return members;
}

/** The text of an OBJECT IDENTIFIER, `1.2.840...`. @throws KEY_MALFORMED */
export function derOid(node: DerNode | undefined, what: string): string {
  if (!(node instanceof asn1js.ObjectIdentifier)) throw malformed(what, 'not an object identifier');
  return node.valueBlock.toString();
}

/** The content of an OCTET STRING. @throws KEY_MALFORMED */
export function derOctets(node: DerNode | undefined, what: string): Uint8Array<ArrayBuffer> {
  if (!(node instanceof asn1js.OctetString)) throw malformed(what, 'not an OCTET STRING');
  return Uint8Array.from(node.valueBlock.valueHexView);
}

/** The bytes of a BIT STRING. @throws KEY_MALFORMED */
export function derBits(node: DerNode | undefined, what: string): Uint8Array<ArrayBuffer> {
  if (!(node instanceof asn1js.BitString)) throw malformed(what, 'not a BIT STRING');
  return Uint8Array.from(node.valueBlock.valueHexView);
}

/** A non-negative INTEGER of at most 48 bits. @throws KEY_MALFORMED */
export function derSmallInteger(node: DerNode | undefined, what: string): number {
  const bytes = node instanceof asn1js.Integer ? node.valueBlock.valueHexView : new Uint8Array();
  const [first = 0x80] = bytes;
  if (first >= 0x80 || bytes.length > 6) throw malformed(what, 'not a small INTEGER');
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** The values in `[tag]`, undefined where `node` is none. */
export function derTagged(node: DerNode | undefined, tag: number): DerNode[] | undefined {
  if (!(node instanceof asn1js.Constructed) || !isContext(node, tag)) return undefined;
  return node.valueBlock.value;
}

/** The content of `[tag] IMPLICIT` of a primitive value, undefined where `node` is none. */
export function derImplicit(node: DerNode | undefined, tag: number): Uint8Array<ArrayBuffer> | undefined {
  if (!(node instanceof asn1js.Primitive) || !isContext(node, tag)) return undefined;
  return Uint8Array.from(node.valueBlock.valueHexView);
}

function isContext(node: DerNode, tag: number): boolean {
  return node.idBlock.tagClass === CONTEXT_CLASS && node.idBlock.tagNumber === tag;
}

function malformed(what: string, reason: string): SecureevError {
  return failure('KEY_MALFORMED', `malformed ${what}: ${reason}`);
}
