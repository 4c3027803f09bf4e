/** `*.sig`: the signatures that an air-gapped machine gave to one request. Deterministic CBOR (FORMAT.md). */
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import type { Unverified } from '../../core/verified.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { bytesOf, itemsOf, mapOf, misfit, parsedOf, textOf } from '../cbor-reader.ts';
import type { Placed } from '../cbor-reader.ts';

/** The first member of every answer. */
export const ANSWER_FORMAT = 'secureev/sig/1';
/** Largest answer read, in bytes. */
export const ANSWER_BYTES_MAX = 1024 * 1024;
const SIGNATURES_MAX = 64;
const SIGNATURE_BYTES_MAX = 8192;
const DIGEST_BYTES = 32;

/** One signature, raw, and the family of its key. */
export interface AnsweredSignature {
  readonly section: 'classical' | 'post-quantum';
  readonly keyId: KeyId;
  readonly signature: Uint8Array;
}

/** Signatures for one request. */
export interface SigningAnswer {
  /** SHA-256 of the request's bytes. */
  readonly request: Uint8Array;
  /** One at least, none twice. */
  readonly signatures: readonly AnsweredSignature[];
}

const KEYS = { format: 1, request: 2, signatures: 3 } as const;
const CODE = 'REQUEST_ANSWER_MALFORMED';

/** Writes an answer, its signatures in the order of section and key id. */
export function encodeAnswer(answer: SigningAnswer): Uint8Array<ArrayBuffer> {
  const sorted = answer.signatures.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return encodeCbor(
    new Map<number, Cbor>([
      [KEYS.format, ANSWER_FORMAT],
      [KEYS.request, answer.request],
      [KEYS.signatures, sorted.map(({ section, keyId, signature }) => [section, keyId, signature])],
    ]),
  );
}

/** Reads an answer. @throws REQUEST_ANSWER_MALFORMED, CBOR_MALFORMED */
export function decodeAnswer(bytes: Uint8Array): Unverified<SigningAnswer> {
  const value = decodeCbor(bytes, { maxBytes: ANSWER_BYTES_MAX, maxDepth: 4, maxItems: 1024 });
  const field = mapOf({ value, at: 'answer', code: CODE }, KEYS);
  if (textOf(field('format')) !== ANSWER_FORMAT) throw misfit(field('format'), ANSWER_FORMAT);
  const list = field('signatures');
  const signatures = itemsOf(list, { min: 1, max: SIGNATURES_MAX }).map(decodeSignature);
  if (new Set(signatures.map(orderOf)).size !== signatures.length) throw misfit(list, 'free of duplicates');
  return { unverified: { request: bytesOf(field('request'), DIGEST_BYTES), signatures } };
}

function decodeSignature(placed: Placed): AnsweredSignature {
  const [section, keyId, signature] = itemsOf(placed, { min: 3, max: 3 });
  if (!section || !keyId || !signature) throw misfit(placed, 'three items');
  const family = textOf(section);
  if (family !== 'classical' && family !== 'post-quantum') throw misfit(section, 'classical or post-quantum');
  const { value } = signature;
  if (!(value instanceof Uint8Array) || value.length > SIGNATURE_BYTES_MAX) throw misfit(signature, 'a signature');
  return { section: family, keyId: parsedOf(keyId, parseKeyId), signature: value };
}

function orderOf(signature: AnsweredSignature): string {
  return `${signature.section}/${signature.keyId}`;
}
