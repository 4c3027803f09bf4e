/**
 * HPKE's labeled HKDF-SHA-256.
 *
 * @see RFC 9180 section 4
 */
import { concatBytes, utf8 } from '../../core/bytes.ts';
import type { EngineName } from '../../core/ports.ts';
import { hkdfExpand, hkdfExtract } from '../kdf.ts';

const VERSION = utf8('HPKE-v1');
const EMPTY = new Uint8Array(0);

/** Whose labels these are: a KEM (`"KEM" || id`) or a whole suite (`"HPKE" || ids`). */
export interface LabelScope {
  readonly engine: EngineName;
  readonly suiteId: Uint8Array;
}

/** LabeledExtract, 32 bytes. */
export function labeledExtract(
  scope: LabelScope,
  label: string,
  input: { readonly ikm: Uint8Array; readonly salt?: Uint8Array },
): Uint8Array {
  const ikm = concatBytes(VERSION, scope.suiteId, utf8(label), input.ikm);
  return hkdfExtract({ engine: scope.engine, salt: input.salt ?? EMPTY, ikm });
}

/** LabeledExpand to `length` bytes, at most 8160. */
export function labeledExpand(
  scope: LabelScope,
  label: string,
  input: { readonly prk: Uint8Array; readonly info?: Uint8Array; readonly length: number },
): Uint8Array {
  const { prk, info = EMPTY, length } = input;
  const labeled = concatBytes(twoBytes(length), VERSION, scope.suiteId, utf8(label), info);
  return hkdfExpand({ engine: scope.engine, prk, info: labeled, length });
}

/** I2OSP(value, 2). */
export function twoBytes(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >> 8, value & 0xff);
}
