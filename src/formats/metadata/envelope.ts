/**
 * A metadata file: `signatures`, `signed`, and our `x-secureev` with the post-quantum signatures.
 *
 * Invariant: the bytes of `signed` stand in the file exactly as they were made; signatures cover its canonical form.
 */
import { base64 } from '@scure/base';
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Unverified } from '../../core/verified.ts';
import { sha512 } from '../../crypto/hash.ts';
import { canonicalJson } from '../json/canonical.ts';
import { isJsonMap, jsonMap } from '../json/json.ts';
import type { Json } from '../json/json.ts';
import { METADATA_JSON_LIMITS, parseJson } from '../json/parse.ts';
import { jsonList, jsonMember, jsonMisfit, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { writeJson, writeJsonText } from '../json/write.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { decodeSigned, encodeSignedJson } from './body.ts';
import { EXTENSION_MEMBER } from './extension.ts';
import { METADATA_CODE, SIGNATURES_MAX } from './limits.ts';
import { encodeTufSignature } from './tuf-key.ts';
import type { Envelope, MetadataSignature, Signed } from './types.ts';

const PQ_SIGNATURE_CHARS_MAX = 8192;

/** The bytes of a new `signed` object, as they will stand in the file. */
export function encodeSigned(body: Signed): Uint8Array<ArrayBuffer> {
  return writeJson(encodeSignedJson(body));
}

/** The canonical form of `signed` bytes: what classical signatures cover. @throws JSON_MALFORMED */
export function canonicalOf(signedBytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return canonicalJson(parseJson(signedBytes));
}

/** What a key of either family signs, of a canonical `signed`. */
export function signatureMessage(family: 'classical' | 'post-quantum', canonical: Uint8Array): Uint8Array {
  if (family === 'classical') return canonical;
  return concatBytes(HYBRID_LABEL, sha512('noble', canonical));
}

const HYBRID_LABEL = concatBytes(utf8('tuf'), Uint8Array.of(1));

/** A raw signature and the key it is of. */
export interface KeySignature {
  readonly key: PublicKey;
  readonly signature: Uint8Array;
}

/** The file made of `signed` bytes and raw signatures, classical and post-quantum. */
export function assembleEnvelope(
  signedBytes: Uint8Array,
  signatures: { classical: readonly KeySignature[]; postQuantum: readonly KeySignature[] },
): Uint8Array<ArrayBuffer> {
  const listed = signatures.classical.map(({ key, signature }) =>
    jsonMap({ keyid: key.keyId, sig: encodeTufSignature(key.algorithm, signature) }),
  );
  const hybrid = signatures.postQuantum.map(({ key, signature }) =>
    jsonMap({ keyid: key.keyId, sig: base64.encode(signature) }),
  );
  const extension =
    hybrid.length === 0 ? '' : `,"${EXTENSION_MEMBER}":${writeJsonText(jsonMap({ signatures: hybrid }))}`;
  return concatBytes(utf8(`{"signatures":${writeJsonText(listed)},"signed":`), signedBytes, utf8(`${extension}}\n`));
}

/**
 * Reads a metadata file; nothing of it is believed.
 *
 * @throws JSON_MALFORMED, JSON_TOO_LARGE, METADATA_MALFORMED
 */
export function decodeMetadata(bytes: Uint8Array, name = 'metadata'): Unverified<Envelope> {
  const json = parseJson(bytes, METADATA_JSON_LIMITS);
  const place: JsonPlace = { value: json, path: name, code: METADATA_CODE };
  const signed = jsonMember(place, 'signed');
  return {
    unverified: {
      signed: decodeSigned(signed),
      canonical: canonicalJson(signed.value ?? null),
      signatures: decodeSignatures(jsonMember(place, 'signatures')),
      hybridSignatures: decodeHybridSignatures(jsonMember(place, EXTENSION_MEMBER)),
      bytes,
      dialect: 'tuf',
    },
  };
}

/** Reads a metadata file of one role. @throws METADATA_WRONG_ROLE, and what {@link decodeMetadata} throws */
export function decodeRole<R extends Signed['role']>(
  bytes: Uint8Array,
  role: R,
): Unverified<Envelope<Extract<Signed, { role: R }>>> {
  const { unverified } = decodeMetadata(bytes, role);
  const { signed } = unverified;
  if (!isOfRole(signed, role)) {
    throw failure('METADATA_WRONG_ROLE', `this is metadata of ${signed.role}, not of ${role}`, { found: signed.role });
  }
  return { unverified: { ...unverified, signed } };
}

function isOfRole<R extends Signed['role']>(signed: Signed, role: R): signed is Extract<Signed, { role: R }> {
  return signed.role === role;
}

/** Reads `signed` bytes alone, as the repository and requests keep them. @throws JSON_MALFORMED, METADATA_MALFORMED */
export function decodeSignedBytes(signedBytes: Uint8Array): Signed {
  return decodeSigned({ value: parseJson(signedBytes), path: 'signed', code: METADATA_CODE });
}

function decodeSignatures(place: JsonPlace): readonly MetadataSignature[] {
  const signatures = jsonList(place, SIGNATURES_MAX).map((item) => ({
    keyId: jsonParsed(jsonMember(item, 'keyid'), parseKeyId),
    encoded: jsonText(jsonMember(item, 'sig')),
  }));
  requireDistinct(signatures, place);
  return signatures;
}

function decodeHybridSignatures(place: JsonPlace): Envelope['hybridSignatures'] {
  if (place.value === undefined) return [];
  const member = jsonMember(place, 'signatures');
  const signatures = jsonList(member, SIGNATURES_MAX).map((item) => ({
    keyId: jsonParsed(jsonMember(item, 'keyid'), parseKeyId),
    signature: jsonParsed(jsonMember(item, 'sig'), decodeBase64),
  }));
  requireDistinct(signatures, member);
  return signatures;
}

function decodeBase64(text: string): Uint8Array {
  if (text.length > PQ_SIGNATURE_CHARS_MAX) throw new RangeError('too long');
  return base64.decode(text);
}

/** T10: the same key id twice among the signatures is refused, not counted once. */
function requireDistinct(signatures: readonly { readonly keyId: KeyId }[], place: JsonPlace): void {
  const ids = new Set(signatures.map((signature) => signature.keyId));
  if (ids.size !== signatures.length) throw jsonMisfit(place, 'free of duplicates: a key id is there twice');
}

/** Whether two `signed` bytes say the same, version and expiry aside. */
export function sameContent(a: Uint8Array, b: Uint8Array): boolean {
  return contentText(a) === contentText(b);
}

function contentText(signedBytes: Uint8Array): string {
  const json: Json = parseJson(signedBytes);
  if (!isJsonMap(json)) throw failure(METADATA_CODE, 'signed is not an object');
  const content = new Map([...json].filter(([name]) => name !== 'version' && name !== 'expires'));
  return writeJsonText(content);
}
