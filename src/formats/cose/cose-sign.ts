/**
 * COSE_Sign with detached payload (RFC 9052 section 4), as bundles, transcripts and journals are signed.
 *
 * Invariants: tag 98; empty outer headers; `alg` and `kid` (the 32-byte key id) protected in each signature, nothing
 * unprotected; signatures sorted by key id, one for each key; `externalAad` carries the label of the use, so that nothing
 * signed in one place means anything in another.
 */
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { SignatureId } from '../../crypto/signatures/index.ts';
import { bytesOf, integerOf, itemsOf, mapOf, misfit } from '../cbor-reader.ts';
import type { Placed } from '../cbor-reader.ts';
import { cborTag, decodeCbor, encodeCbor, isCborMap, isCborTag } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { coseNumber, fromCoseNumber } from './algorithms.ts';

const COSE_SIGN_TAG = 98;
const HEADER = { algorithm: 1, keyId: 4 } as const;
const KEY_ID_BYTES = 32;
const EMPTY = new Uint8Array(0);

/** Largest COSE_Sign that is read, in bytes. */
export const COSE_SIGN_BYTES_MAX = 512 * 1024;
/** Most signatures in one COSE_Sign. */
export const COSE_SIGNATURES_MAX = 64;
const SIGNATURE_BYTES_MAX = 8192;

/** One signature, by whom it claims to be. */
export interface CoseSignature {
  readonly algorithm: SignatureId;
  /** 64 hex digits; 32 bytes on the wire. */
  readonly keyId: KeyId;
  /** Raw, as `crypto/signatures` makes it. */
  readonly signature: Uint8Array;
}

/** What one key is to sign. */
export interface CoseMessage {
  readonly algorithm: SignatureId;
  readonly keyId: KeyId;
  /** The label of the use and what else is bound. */
  readonly externalAad: Uint8Array;
  /** The detached payload. */
  readonly payload: Uint8Array;
}

/**
 * The bytes that a signature covers: `Sig_structure` with context "Signature".
 *
 * @throws COSE_ALGORITHM_UNKNOWN
 * @see RFC 9052 section 4.4
 */
export function coseToBeSigned(message: CoseMessage): Uint8Array<ArrayBuffer> {
  const { externalAad, payload } = message;
  return encodeCbor(['Signature', EMPTY, protectedHeader(message), externalAad, payload]);
}

/**
 * Encodes a COSE_Sign of `signatures`, in the order of their key ids.
 *
 * @throws COSE_MALFORMED for two signatures of one key, or for none
 */
export function encodeCoseSign(signatures: readonly CoseSignature[]): Uint8Array<ArrayBuffer> {
  const sorted = signatures.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1));
  requireDistinct(sorted);
  const items = sorted.map((one): Cbor => [protectedHeader(one), new Map(), one.signature]);
  return encodeCbor(cborTag(COSE_SIGN_TAG, [EMPTY, new Map(), null, items]));
}

/**
 * Decodes a COSE_Sign of ours; nothing in it is verified.
 *
 * @throws COSE_MALFORMED, COSE_ALGORITHM_UNKNOWN, CBOR_MALFORMED
 */
export function decodeCoseSign(bytes: Uint8Array): readonly CoseSignature[] {
  const decoded = decodeCbor(bytes, { maxBytes: COSE_SIGN_BYTES_MAX, maxDepth: 5, maxItems: 1024 });
  if (!isCborTag(decoded)) throw failure('COSE_MALFORMED', 'the signatures are not a tagged COSE_Sign');
  const placed: Placed = { value: decoded.value, at: 'COSE_Sign', code: 'COSE_MALFORMED' };
  const [outer, unprotected, payload, list] = itemsOf(placed, { min: 4, max: 4 });
  if (!outer || !unprotected || !payload || !list) throw misfit(placed, 'four items');
  bytesOf(outer, 0);
  requireEmptyMap(unprotected);
  if (payload.value !== null) throw misfit(payload, 'nil (the payload is detached)');
  const signatures = itemsOf(list, { min: 1, max: COSE_SIGNATURES_MAX }).map(decodeSignature);
  requireDistinct(signatures);
  return signatures;
}

function decodeSignature(placed: Placed): CoseSignature {
  const [header, unprotected, signature] = itemsOf(placed, { min: 3, max: 3 });
  if (!header || !unprotected || !signature) throw misfit(placed, 'three items');
  requireEmptyMap(unprotected);
  const { value } = signature;
  if (!(value instanceof Uint8Array) || value.length > SIGNATURE_BYTES_MAX) throw misfit(signature, 'a signature');
  return { ...decodeHeader(header), signature: value };
}

function decodeHeader(placed: Placed): Pick<CoseSignature, 'algorithm' | 'keyId'> {
  if (!(placed.value instanceof Uint8Array)) throw misfit(placed, 'a byte string');
  const value = decodeCbor(placed.value, { maxBytes: 64, maxDepth: 1, maxItems: 8 });
  const field = mapOf({ ...placed, value }, HEADER);
  return {
    algorithm: fromCoseNumber(integerOf(field('algorithm'), { min: -65536, max: 65535 })),
    keyId: parseKeyId(toHex(bytesOf(field('keyId'), KEY_ID_BYTES))),
  };
}

function protectedHeader(one: Pick<CoseSignature, 'algorithm' | 'keyId'>): Uint8Array {
  const keyId = fromHex(one.keyId, 'key id');
  if (keyId.length !== KEY_ID_BYTES) throw failure('COSE_MALFORMED', `key id ${one.keyId} is not 32 bytes`);
  return encodeCbor(
    new Map<number, Cbor>([
      [HEADER.algorithm, coseNumber(one.algorithm)],
      [HEADER.keyId, keyId],
    ]),
  );
}

function requireEmptyMap(placed: Placed): void {
  if (!isCborMap(placed.value) || placed.value.size > 0) throw misfit(placed, 'an empty map');
}

/** Sorted and without a second signature of one key. */
function requireDistinct(signatures: readonly CoseSignature[]): void {
  if (signatures.length === 0) throw failure('COSE_MALFORMED', 'no signature');
  for (const [i, { keyId }] of signatures.entries()) {
    const before = signatures[i - 1];
    if (before !== undefined && before.keyId >= keyId) {
      throw failure('COSE_MALFORMED', `signatures are not sorted by key id, or two are of key ${keyId}`);
    }
  }
}
