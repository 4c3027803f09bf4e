/**
 * Envelopes: the content key of one payload, sealed by HPKE to one recipient, and the CBOR sequence they stand in.
 *
 * Invariants: an envelope opens only for its recipient, VIN, payload header, suite and expiry, all of which HPKE's `info`
 * holds; every size is bounded before it is believed.
 *
 * @see FORMAT.md section 5; RFC 9180 (HPKE); RFC 8742 (CBOR sequences)
 */
import { instantOf, parseKeyId, parseVin } from '../../core/brands.ts';
import type { Instant, KeyId, Vin } from '../../core/brands.ts';
import { concatBytes, fromHex, toHex } from '../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../core/errors.ts';
import { decodeCborFirst, encodeCbor } from '../cbor.ts';
import type { Cbor } from '../cbor.ts';
import { bytesOf, integerOf, itemsOf, misfit, parsedOf, textOf } from '../cbor-reader.ts';
import type { Placed } from '../cbor-reader.ts';
import { suiteNamed } from './suites.ts';
import type { Suite } from './suites.ts';

const LABEL = 'secureev/env/1';
/** Most bytes of one envelope; ours have 163 (DHKEM-P256) to 1,770 (MLKEM1024-P384). */
export const ENVELOPE_BYTES_MAX = 4096;
const ENCAPSULATED_BYTES_MAX = 2048;
const KEY_ID_BYTES = 32;
const HEADER_HASH_BYTES = 32;
/** The content key and the AEAD's tag. */
const CIPHERTEXT_BYTES = 48;
const LAST_INSTANT = 253_402_300_799;

/** What an envelope is bound to. */
export interface EnvelopeScope {
  /** The vehicle; null for the repository's escrow key. */
  readonly vin: Vin | null;
  /** The recipient's key: SHA-256 of its SPKI in hex. */
  readonly keyId: KeyId;
  /** SHA-256 of the payload's 24 header bytes. */
  readonly headerSha256: Uint8Array;
  readonly suite: Suite;
  /** Advice to a vehicle with a secure clock; null for never. */
  readonly expires: Instant | null;
}

/** An envelope, decoded but not opened. */
export interface Envelope extends EnvelopeScope {
  /** The KEM's ciphertext. */
  readonly encapsulated: Uint8Array;
  /** The content key under HPKE: 48 bytes. */
  readonly ciphertext: Uint8Array;
}

/** HPKE's `info`: deterministic CBOR `[label, VIN, key id, SHA-256(payload header), suite, expiry or null]`. */
export function envelopeInfo(scope: EnvelopeScope): Uint8Array<ArrayBuffer> {
  return encodeCbor(scopeItems(scope));
}

/** Encodes an envelope: the array of `info` with the encapsulated key and the ciphertext added. */
export function encodeEnvelope(envelope: Envelope): Uint8Array<ArrayBuffer> {
  return encodeCbor([...scopeItems(envelope), envelope.encapsulated, envelope.ciphertext]);
}

/** Decodes one envelope that fills `bytes`. @throws ENVELOPE_MALFORMED */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const { envelope, sizeBytes } = decodeFirstEnvelope(bytes, 0);
  if (sizeBytes !== bytes.length) throw failure('ENVELOPE_MALFORMED', `bytes after the envelope, at ${sizeBytes}`);
  return envelope;
}

/**
 * Reads a sequence of envelopes as it comes, holding one envelope and one piece at a time.
 *
 * @throws ENVELOPE_MALFORMED
 */
export async function* decodeEnvelopes(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Envelope> {
  let rest: Uint8Array = new Uint8Array(0);
  let offset = 0;
  const take = (): Envelope => {
    const { envelope, sizeBytes } = decodeFirstEnvelope(rest, offset);
    rest = rest.subarray(sizeBytes);
    offset += sizeBytes;
    return envelope;
  };
  for await (const piece of pieces) {
    rest = concatBytes(rest, piece);
    while (rest.length >= ENVELOPE_BYTES_MAX) yield take();
  }
  while (rest.length > 0) yield take();
}

function scopeItems({ vin, keyId, headerSha256, suite, expires }: EnvelopeScope): readonly Cbor[] {
  return [LABEL, vin, fromHex(keyId, 'key id'), headerSha256, suite.name, expires];
}

/** Attacker-controlled; `offset` is where in the file the bytes stand. */
function decodeFirstEnvelope(bytes: Uint8Array, offset: number): { envelope: Envelope; sizeBytes: number } {
  try {
    const bounded = bytes.subarray(0, ENVELOPE_BYTES_MAX);
    const { value, sizeBytes } = decodeCborFirst(bounded, { maxBytes: ENVELOPE_BYTES_MAX, maxDepth: 1, maxItems: 9 });
    return { envelope: envelopeOf(value), sizeBytes };
  } catch (cause) {
    if (!isFailure(cause)) throw cause;
    const message = `malformed envelope at byte ${offset}: ${cause.message}`;
    throw new SecureevError('ENVELOPE_MALFORMED', { message, details: { offset }, cause });
  }
}

function envelopeOf(value: Cbor): Envelope {
  const items = itemsOf({ value, at: 'envelope', code: 'ENVELOPE_MALFORMED' }, { min: 8, max: 8 });
  const [label, vin, keyId, headerSha256, suite, expires, encapsulated, ciphertext] = items as Eight<Placed>;
  if (label.value !== LABEL) throw misfit(label, `the label ${LABEL}`);
  return {
    vin: vin.value === null ? null : parsedOf(vin, parseVin),
    keyId: parseKeyId(toHex(bytesOf(keyId, KEY_ID_BYTES))),
    headerSha256: bytesOf(headerSha256, HEADER_HASH_BYTES),
    suite: suiteNamed(textOf(suite)),
    expires: expires.value === null ? null : instantOf(integerOf(expires, { min: 0, max: LAST_INSTANT })),
    encapsulated: boundedBytes(encapsulated),
    ciphertext: bytesOf(ciphertext, CIPHERTEXT_BYTES),
  };
}

type Eight<T> = readonly [T, T, T, T, T, T, T, T];

function boundedBytes(placed: Placed): Uint8Array {
  const { value } = placed;
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > ENCAPSULATED_BYTES_MAX) {
    throw misfit(placed, `1 to ${ENCAPSULATED_BYTES_MAX} bytes`);
  }
  return value;
}
