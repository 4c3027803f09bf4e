/**
 * DER through the ASN.1 library, strictly: what is read must be exactly what would be written.
 *
 * @see ITU-T X.690
 */
import * as asn1js from 'asn1js';
import { equalBytes } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';

/** Largest DER structure read, in bytes: an expanded ML-DSA-87 key with its seed is under 8 KiB. */
export const DER_BYTES_MAX = 32 * 1024;

/** Any decoded value. */
export type DerNode = asn1js.BaseBlock;

/** Reads one DER value and nothing else. @throws KEY_MALFORMED */
export function decodeDer(bytes: Uint8Array, what: string): DerNode {
  if (bytes.length === 0 || bytes.length > DER_BYTES_MAX) throw malformed(what, 'empty or too long');
  const { offset, result } = parse(bytes, what);
  if (offset !== bytes.length || result.error !== '') throw malformed(what, 'not one DER value');
  if (!equalBytes(encodeDer(result), bytes)) throw malformed(what, 'BER that is not DER');
  return result;
}

function parse(bytes: Uint8Array, what: string): asn1js.FromBerResult {
  try {
    return asn1js.fromBER(Uint8Array.from(bytes));
  } catch {
    throw malformed(what, 'not DER');
  }
}

/** Writes a value. */
export function encodeDer(node: asn1js.BaseBlock): Uint8Array {
  return new Uint8Array(node.toBER(false));
}

/** The members of a SEQUENCE with `min` to `max` of them. @throws KEY_MALFORMED */
export function derSequence(node: DerNode | undefined, size: { min: number; max: number; what: string }): DerNode[] {
  const members = node instanceof asn1js.Sequence ? node.valueBlock.value : [];
  const blocks = members.filter((member) => member instanceof asn1js.BaseBlock);
  if (!(node instanceof asn1js.Sequence) || blocks.length < size.min || blocks.length > size.max) {
    throw malformed(size.what, 'not the SEQUENCE that belongs there');
  }
  return blocks;
}

/** The text of an OBJECT IDENTIFIER, `1.2.840...`. @throws KEY_MALFORMED */
export function derOid(node: DerNode | undefined, what: string): string {
  if (!(node instanceof asn1js.ObjectIdentifier)) throw malformed(what, 'not an object identifier');
  return node.valueBlock.toString();
}

/** The content of a primitive OCTET STRING. @throws KEY_MALFORMED */
export function derOctets(node: DerNode | undefined, what: string): Uint8Array {
  if (!(node instanceof asn1js.OctetString)) throw malformed(what, 'not an OCTET STRING');
  return node.valueBlock.valueHexView.slice();
}

/** The bytes of a BIT STRING without unused bits. @throws KEY_MALFORMED */
export function derBits(node: DerNode | undefined, what: string): Uint8Array {
  if (!(node instanceof asn1js.BitString) || node.valueBlock.unusedBits !== 0)
    throw malformed(what, 'not a BIT STRING');
  return node.valueBlock.valueHexView.slice();
}

/** A non-negative INTEGER of at most 48 bits. @throws KEY_MALFORMED */
export function derSmallInteger(node: DerNode | undefined, what: string): number {
  const bytes = node instanceof asn1js.Integer ? node.valueBlock.valueHexView : new Uint8Array();
  const [first = 0x80] = bytes;
  if (first >= 0x80 || bytes.length > 6) throw malformed(what, 'not a small INTEGER');
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

function malformed(what: string, reason: string): Error {
  return failure('KEY_MALFORMED', `malformed ${what}: ${reason}`);
}
