/**
 * A metadata file: `signatures`, `signed`, and our `x-secureev` with the post-quantum signatures.
 *
 * Invariant: the bytes of `signed` stand in the file exactly as they were made; signatures cover its canonical form.
 */
import { fromBase64, toBase64 } from '../../core/base64.ts';
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../core/errors.ts';
import type { Unverified } from '../../core/verified.ts';
import type { EngineName } from '../../core/ports.ts';
import { sha512 } from '../../crypto/hash.ts';
import { isJsonMap, jsonMap } from '../json/json.ts';
import type { Json } from '../json/json.ts';
import { METADATA_JSON_LIMITS, parseJson } from '../json/parse.ts';
import { jsonList, jsonMember, jsonMisfit, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { writeJsonText } from '../json/write.ts';
import { decodeSigned, encodeSignedJson } from './body.ts';
import { EXTENSION_MEMBER } from './extension.ts';
import type { Dialect, KeySignature } from './dialect.ts';
import { DIALECTS } from './index.ts';
import { METADATA_CODE, SIGNATURE_CHARS_MAX, SIGNATURES_MAX } from './limits.ts';
import { tuf } from './tuf.ts';
import type { Envelope, MetadataSignature, Signed } from './types.ts';

export type { KeySignature } from './dialect.ts';

/**
 * The bytes of a new `signed` object, as they will stand in the file.
 *
 * @throws METADATA_MALFORMED for text not in NFC (U1), KEY_UNSUITABLE, DIALECT_UNSUITABLE
 */
export function encodeSigned(body: Signed, dialect: Dialect = tuf): Uint8Array<ArrayBuffer> {
  const text = writeJsonText(encodeSignedJson(body, dialect));
  if (text !== text.normalize('NFC')) throw failure(METADATA_CODE, 'metadata holds text that is not in NFC');
  dialect.requireBody(body, text);
  return utf8(text);
}

/** The canonical form of `signed` bytes: what classical signatures cover. @throws JSON_MALFORMED */
export function canonicalOf(signedBytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const signed = signedPlace(signedBytes);
  return dialectOfSigned(signed).canonical(signed.value ?? null);
}

/** The dialect of `signed` bytes. @throws JSON_MALFORMED, METADATA_MALFORMED */
export function dialectOfBytes(signedBytes: Uint8Array): Dialect {
  return dialectOfSigned(signedPlace(signedBytes));
}

function signedPlace(signedBytes: Uint8Array): JsonPlace {
  return { value: parseJson(signedBytes), path: 'signed', code: METADATA_CODE };
}

/** What a key of either family signs, of a canonical `signed`. */
export function signatureMessage(
  family: 'classical' | 'post-quantum',
  canonical: Uint8Array,
  engine: EngineName = 'noble',
): Uint8Array {
  if (family === 'classical') return canonical;
  return concatBytes(HYBRID_LABEL, sha512(engine, canonical));
}

const HYBRID_LABEL = concatBytes(utf8('tuf'), Uint8Array.of(1));

/** The file made of `signed` bytes and raw signatures, classical and post-quantum. */
export function assembleEnvelope(
  signedBytes: Uint8Array,
  signatures: { classical: readonly KeySignature[]; postQuantum: readonly KeySignature[] },
  dialect: Dialect = tuf,
): Uint8Array<ArrayBuffer> {
  const listed = signatures.classical.map((signature) => dialect.encodeSignature(signature));
  const hybrid = signatures.postQuantum.map(({ key, signature }) =>
    jsonMap({ keyid: key.keyId, sig: toBase64(signature) }),
  );
  const extension =
    hybrid.length === 0 ? '' : `,"${EXTENSION_MEMBER}":${writeJsonText(jsonMap({ signatures: hybrid }))}`;
  return concatBytes(
    utf8(`{"signatures":${writeJsonText(listed)},"signed":`),
    signedBytes,
    utf8(`${extension}}${dialect.fileEnd}`),
  );
}

/**
 * Reads a metadata file; nothing of it is believed.
 *
 * @throws JSON_MALFORMED, JSON_TOO_LARGE, METADATA_MALFORMED
 */
export function decodeMetadata(bytes: Uint8Array, name = 'metadata'): Unverified<Envelope> {
  const json = parsed(bytes, name);
  const place: JsonPlace = { value: json, path: name, code: METADATA_CODE };
  const signed = jsonMember(place, 'signed');
  const dialect = dialectOfSigned(signed);
  return {
    unverified: {
      signed: decodeSigned(signed, dialect),
      canonical: dialect.canonical(signed.value ?? null),
      signatures: decodeSignatures(jsonMember(place, 'signatures'), dialect),
      hybridSignatures: decodeHybridSignatures(jsonMember(place, EXTENSION_MEMBER)),
      bytes,
      dialect: dialect.id,
    },
  };
}

/** The parser does not know what it reads; whoever looks for the mistake wants to. */
function parsed(bytes: Uint8Array, name: string): Json {
  try {
    return parseJson(bytes, METADATA_JSON_LIMITS);
  } catch (thrown) {
    if (!isFailure(thrown)) throw thrown;
    const { code, message, hint, details } = thrown;
    throw new SecureevError(code, { message: `${name}: ${message}`, hint, details });
  }
}

/** The dialect that `_type` is of; the default one where it is of none, whose reader then says what is wrong. */
function dialectOfSigned(signed: JsonPlace): Dialect {
  const type = jsonMember(signed, '_type').value;
  return DIALECTS.find(({ typeNames }) => Object.values(typeNames).some((name) => name === type)) ?? tuf;
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

/**
 * Reads `signed` bytes alone, as the repository and requests keep them: exactly as {@link encodeSigned} writes them.
 *
 * @throws JSON_MALFORMED, METADATA_MALFORMED, METADATA_UNKNOWN_MEMBER for anything in them that is not understood here
 */
export function decodeSignedBytes(signedBytes: Uint8Array): Signed {
  const signed = signedPlace(signedBytes);
  const dialect = dialectOfSigned(signed);
  const body = decodeSigned(signed, dialect);
  if (!equalBytes(encodeSigned(body, dialect), signedBytes)) {
    throw failure('METADATA_UNKNOWN_MEMBER', 'signed says more than is understood here, or is not as written here');
  }
  return body;
}

/** The `signatures` of an envelope. @throws the place's code */
export function decodeSignatures(place: JsonPlace, dialect: Dialect): readonly MetadataSignature[] {
  const signatures = jsonList(place, SIGNATURES_MAX).map((item) => {
    dialect.checkSignature(item);
    return {
      keyId: jsonParsed(jsonMember(item, 'keyid'), parseKeyId),
      encoded: decodeSignatureText(jsonMember(item, 'sig')),
    };
  });
  requireDistinct(signatures, place);
  return signatures;
}

function decodeSignatureText(place: JsonPlace): string {
  const text = jsonText(place);
  if (text.length > SIGNATURE_CHARS_MAX) throw jsonMisfit(place, `at most ${SIGNATURE_CHARS_MAX} characters`);
  return text;
}

/** The post-quantum signatures in an envelope's `x-secureev`; none where it is missing. @throws the place's code */
export function decodeHybridSignatures(place: JsonPlace): Envelope['hybridSignatures'] {
  if (place.value === undefined) return [];
  const member = jsonMember(place, 'signatures');
  const signatures = jsonList(member, SIGNATURES_MAX).map((item) => ({
    keyId: jsonParsed(jsonMember(item, 'keyid'), parseKeyId),
    signature: decodeBase64(jsonMember(item, 'sig')),
  }));
  requireDistinct(signatures, member);
  return signatures;
}

function decodeBase64(place: JsonPlace): Uint8Array {
  return jsonParsed({ ...place, value: decodeSignatureText(place) }, (text) => fromBase64(text));
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
