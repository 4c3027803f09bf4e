/**
 * Dialect `aktualizr`: what libaktualizr (the Uptane client of Eclipse's and HERE's OTA stacks) reads.
 *
 * Invariants of what is written: canonical JSON there is compact JSON with sorted members, so that a PEM's line feed is
 * `\n`, and a whole file, signatures included, is its own canonical form; all of it is printable ASCII, for everything else
 * would depend on the JSON library; a key list holds Ed25519 and RSA keys alone, since one other makes the file unreadable.
 *
 * @see libaktualizr, `src/libaktualizr/uptane/tuf.cc`, `metawithkeys.cc`, `fetcher.h`, `iterator.cc`, and FORMAT.md section 3
 */
import { fromBase64, toBase64 } from '../../core/base64.ts';
import { parseKeyId } from '../../core/brands.ts';
import type { KeyId } from '../../core/brands.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { Json, JsonMap } from '../json/json.ts';
import { jsonMap } from '../json/json.ts';
import { jsonMember, jsonMisfit, jsonObject, jsonParsed, jsonText } from '../json/read.ts';
import type { JsonPlace } from '../json/read.ts';
import { writeJson } from '../json/write.ts';
import type { KeyAlgorithm } from '../keys/algorithms.ts';
import { makePublicKey } from '../keys/public-key.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { decodeSpkiPem, encodeSpkiPem } from '../keys/spki.ts';
import type { Dialect } from './dialect.ts';
import type { Delegations, MetadataKey, RepositoryKind, Signed, TopLevelRole } from './types.ts';

const KIB = 1024;
/** What libaktualizr downloads at most, by role of the Image repository; of the Director's Targets see below. */
const BYTES_MAX = { root: 64 * KIB, timestamp: 64 * KIB, snapshot: 64 * KIB, targets: 8 * KIB * KIB } as const;
/** Bytes of a Director's Targets. */
const DIRECTOR_TARGETS_BYTES_MAX = 64 * KIB;
/** SPKI DER of RSA keys with 2048, 3072 and 4096 bits and exponent 65537: the lengths that are told apart there. */
const RSA_SPKI_BYTES: readonly number[] = [294, 422, 550];
const ED25519_BYTES = 32;
/** A signature threshold that is read there. */
const THRESHOLD_MAX = 1000;
/** Names that are roles of their own there, in any case of letters. */
const RESERVED_NAMES = ['root', 'targets', 'snapshot', 'timestamp', 'offline-snapshot', 'offline-updates'];
/** JSON text that every library writes alike. */
const PRINTABLE = /^[ -~]*$/;
const METHODS: ReadonlyMap<KeyAlgorithm, string> = new Map([
  ['ed25519', 'ed25519'],
  ['rsa-pss-sha256', 'rsassa-pss-sha256'],
] as const);
/** In lower case; more are read than written. */
const METHODS_READ = ['ed25519', 'rsassa-pss-sha256', 'rsassa-pss'];

/** Reads `{keytype, keyval: {public}}`. @throws METADATA_MALFORMED for any other type of key */
function decodeKey(keyId: KeyId, place: JsonPlace): MetadataKey {
  const keytype = jsonMember(place, 'keytype');
  const form = jsonText(keytype).toLowerCase();
  jsonObject(jsonMember(place, 'keyval'));
  const value = jsonMember(jsonMember(place, 'keyval'), 'public');
  if (form === 'ed25519') {
    return { keyId, publicKey: makePublicKey('ed25519', jsonParsed(value, ed25519Bytes)) };
  }
  if (form !== 'rsa') throw jsonMisfit(keytype, 'ED25519 or RSA');
  return { keyId, publicKey: makePublicKey('rsa-pss-sha256', jsonParsed(value, rsaBytes)) };
}

function ed25519Bytes(text: string): Uint8Array {
  const bytes = fromHex(text.toLowerCase(), 'public key');
  if (bytes.length !== ED25519_BYTES) throw new RangeError(`a public key of ed25519 has ${ED25519_BYTES} bytes`);
  return bytes;
}

/** The final line feed may be missing. */
function rsaBytes(text: string): Uint8Array {
  const key = decodeSpkiPem(text.endsWith('\n') ? text : `${text}\n`);
  if (key.algorithm !== 'rsa-pss-sha256') throw new TypeError(`the key is of ${key.algorithm}, not RSA`);
  if (!RSA_SPKI_BYTES.includes(key.bytes.length)) throw new RangeError('an RSA key has 2048, 3072 or 4096 bits');
  return key.bytes;
}

/** Writes a key. @throws KEY_UNSUITABLE for all but Ed25519 and RSA of the sizes that are read there */
function encodeKey(key: PublicKey): JsonMap {
  requireKey(key);
  const keytype = key.algorithm === 'ed25519' ? 'ED25519' : 'RSA';
  return jsonMap({ keytype, keyval: jsonMap({ public: publicText(key) }) });
}

function publicText(key: PublicKey): string {
  return key.algorithm === 'ed25519' ? toHex(key.bytes) : encodeSpkiPem(key);
}

/** Demands that libaktualizr reads keys of this kind. @throws KEY_UNSUITABLE */
function requireKey({ algorithm, keyId, bytes }: PublicKey): void {
  if (algorithm === 'ed25519') return;
  if (algorithm === 'rsa-pss-sha256' && RSA_SPKI_BYTES.includes(bytes.length)) return;
  const found = algorithm === 'rsa-pss-sha256' ? 'RSA of another size than 2048, 3072 or 4096 bits' : algorithm;
  throw new SecureevError('KEY_UNSUITABLE', {
    message: `key ${keyId} is ${found}, and one such key makes a file unreadable to aktualizr vehicles`,
    hint: 'this repository takes `keygen --scheme hybrid-ed25519` (Ed25519 and ML-DSA-65), `ed25519` and `rsa-3072`',
    details: { keyId, algorithm, dialect: 'aktualizr' },
  });
}

/** SHA-256 of the public value as a JSON string, without its final line feeds: `PublicKey::KeyId()` there. */
function keyIdOf(key: PublicKey): KeyId {
  return parseKeyId(toHex(sha256('noble', writeJson(publicText(key).replace(/\n+$/, '')))));
}

function decodeSignature(_algorithm: KeyAlgorithm, text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    throw failure('SIGNATURE_INVALID', 'a signature that is not base64');
  }
}

/** One method that is not known there makes the file unreadable. @throws METADATA_MALFORMED */
function checkSignature(place: JsonPlace): void {
  const method = jsonMember(place, 'method');
  if (!METHODS_READ.includes(jsonText(method).toLowerCase())) throw jsonMisfit(method, METHODS_READ.join(', '));
}

/** The members of `custom` that are compared there between Image and Director, in the form that each must have. */
function targetCustom(custom: JsonMap): JsonMap {
  const ecus = custom.get('ecuIdentifiers');
  if (ecus === undefined) return onlyMembers(custom, ['hardwareIds']);
  if (!(ecus instanceof Map)) return new Map();
  const plain = [...ecus].map(([ecu, facts]): readonly [string, Json] => {
    return [ecu, facts instanceof Map ? onlyMembers(facts, ['hardwareId']) : facts];
  });
  return jsonMap({ ecuIdentifiers: new Map(plain) });
}

function onlyMembers(map: JsonMap, names: readonly string[]): JsonMap {
  return new Map([...map].filter(([name]) => names.includes(name)));
}

/** Refuses a body of ours that libaktualizr would misread. @throws DIALECT_UNSUITABLE */
function requireBody(body: Signed, text: string): void {
  if (!PRINTABLE.test(text) || text.includes('\\u')) throw unsuitable('it holds text other than printable ASCII');
  if (body.role === 'root') requireThresholds([...body.roles.values()]);
  if (body.role === 'targets' && body.delegations !== undefined) requireDelegations(body.delegations);
}

function requireDelegations({ roles, succinct }: Delegations): void {
  if (succinct !== undefined) throw unsuitable('it has hashed bins');
  for (const { name, scope, roles: held, hardwareIds } of roles) {
    if (held.length !== 1) throw unsuitable(`delegation ${name} has several roles`);
    if ('hashPrefixes' in scope) throw unsuitable(`delegation ${name} goes by hash prefixes`);
    if (hardwareIds !== undefined) throw unsuitable(`delegation ${name} is limited to hardware ids`);
    if (RESERVED_NAMES.includes(name.toLowerCase())) throw unsuitable(`${name} is a name of another role there`);
    requireThresholds(held);
  }
}

function requireThresholds(roles: readonly { readonly threshold: number }[]): void {
  const over = roles.find(({ threshold }) => threshold > THRESHOLD_MAX);
  if (over !== undefined) throw unsuitable(`a threshold of ${over.threshold} is over ${THRESHOLD_MAX}`);
}

function unsuitable(why: string): SecureevError {
  return failure('DIALECT_UNSUITABLE', `aktualizr vehicles cannot read this file: ${why}`);
}

/** The most bytes that are read there of a file. */
function bytesMax(role: TopLevelRole, kind: RepositoryKind): number {
  return role === 'targets' && kind === 'director' ? DIRECTOR_TARGETS_BYTES_MAX : BYTES_MAX[role];
}

/** The dialect of libaktualizr. */
export const aktualizr = {
  id: 'aktualizr',
  typeNames: { root: 'Root', targets: 'Targets', snapshot: 'Snapshot', timestamp: 'Timestamp' },
  pair: { classical: 'ed25519', postQuantum: 'ml-dsa-65' },
  fileEnd: '',
  demandsSpecVersion: false,
  consistentSnapshot: false,
  delegationsFolder: 'delegations/',
  delegationDepthMax: 5,
  targetsCount: false,
  namesAreFinal: true,
  canonical: writeJson,
  decodeKey,
  encodeKey,
  requireKey,
  listedId: (keyId, key) => (keyId === key.keyId ? keyIdOf(key) : keyId),
  decodeSignature,
  checkSignature,
  encodeSignature: ({ key, signature }) =>
    jsonMap({ keyid: keyIdOf(key), method: METHODS.get(key.algorithm) ?? '', sig: toBase64(signature) }),
  targetCustom,
  requireDelegations,
  requireBody,
  bytesMax,
} as const satisfies Dialect;
