/**
 * PBES2 around PKCS#8: written with scrypt and AES-256-CBC; read with those, and with PBKDF2 as `openssl pkey` writes.
 *
 * Invariants: the cost that a file asks for is bounded before any of it is spent; a wrong passphrase and a damaged
 * ciphertext are one error, for CBC cannot tell them apart.
 *
 * @see RFC 8018 sections 6.2 and A; RFC 7914 section 7
 */
import * as asn1js from 'asn1js';
import { toHex } from '../../core/bytes.ts';
import { SecureevError, failure, isFailure } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { aes256CbcDecrypt, aes256CbcEncrypt } from '../../crypto/cbc.ts';
import { scrypt } from '../../crypto/kdf.ts';
import { PBKDF2_ITERATIONS_MAX, pbkdf2 } from '../../crypto/pbkdf2.ts';
import type { Pbkdf2Hash } from '../../crypto/pbkdf2.ts';
import {
  decodeDer,
  derIntegerOf,
  derOctets,
  derOctetsOf,
  derOid,
  derOidOf,
  derSequence,
  derSequenceOf,
  derSmallInteger,
  encodeDer,
} from './der.ts';
import type { DerNode } from './der.ts';

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';
const HMAC_HASHES: ReadonlyMap<string, Pbkdf2Hash> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.11', 'sha512'],
] as const);

/** Bytes of a salt and of an initialization vector as written. */
export const SALT_BYTES = 16;
export const IV_BYTES = 16;
const SALT_BYTES_MAX = 64;
const KEY_BYTES = 32;
/** What we write: OpenSSL 3.0 refuses a larger N. */
const COST = { n: 2 ** 14, r: 8, p: 8 } as const;
/** The most memory and work that a file may ask of scrypt: 256 MiB, and 16 times our own cost. */
const SCRYPT_MEMORY_MAX = 256 * 1024 * 1024;
const SCRYPT_WORK_MAX = 2 ** 24;
const SCRYPT_PARALLEL_MAX = 64;

const WHAT = 'encrypted private key';

/** A passphrase, and the keys derived from it so far: blocks of one file that share a salt cost one derivation. */
export interface PassphraseKeys {
  readonly engine: EngineName;
  readonly passphrase: Uint8Array;
  readonly derived: Map<string, Promise<Uint8Array>>;
}

/** Begins with a passphrase. */
export function passphraseKeys(engine: EngineName, passphrase: Uint8Array): PassphraseKeys {
  return { engine, passphrase, derived: new Map() };
}

/** Encrypts a PrivateKeyInfo; `salt` and `iv` are 16 fresh random bytes each. Gives EncryptedPrivateKeyInfo DER. */
export async function encryptPbes2(
  plaintext: Uint8Array,
  keys: PassphraseKeys,
  { salt, iv }: { readonly salt: Uint8Array; readonly iv: Uint8Array },
): Promise<Uint8Array<ArrayBuffer>> {
  const { n, r, p } = COST;
  const cost = [n, r, p].map(derIntegerOf);
  const kdf = derSequenceOf(derOidOf(SCRYPT), derSequenceOf(derOctetsOf(salt), ...cost));
  const cipher = derSequenceOf(derOidOf(AES_256_CBC), derOctetsOf(iv));
  const key = await derive(keys, kdf);
  const ciphertext = aes256CbcEncrypt({ engine: keys.engine, key, iv, bytes: plaintext });
  const algorithm = derSequenceOf(derOidOf(PBES2), derSequenceOf(kdf, cipher));
  return encodeDer(derSequenceOf(algorithm, derOctetsOf(ciphertext)));
}

/** Decrypts EncryptedPrivateKeyInfo DER. @throws KEY_MALFORMED, KEY_ENCRYPTION_UNKNOWN, KEY_COST_REFUSED, PASSPHRASE_WRONG */
export async function decryptPbes2(der: Uint8Array, keys: PassphraseKeys): Promise<Uint8Array<ArrayBuffer>> {
  const [algorithm, octets] = sequence(decodeDer(der, WHAT), 2);
  const [scheme, parameters] = sequence(algorithm, 2);
  if (derOid(scheme, WHAT) !== PBES2) throw unknown('it is not PBES2');
  const [kdf, cipher] = sequence(parameters, 2);
  const [cipherOid, ivNode] = sequence(cipher, 2);
  if (derOid(cipherOid, WHAT) !== AES_256_CBC) throw unknown('its cipher is not AES-256-CBC');
  const iv = derOctets(ivNode, WHAT);
  const bytes = derOctets(octets, WHAT);
  if (iv.length !== IV_BYTES)
    throw failure('KEY_MALFORMED', `malformed ${WHAT}: an initialization vector of ${iv.length} bytes`);
  const key = await derive(keys, kdf);
  try {
    return aes256CbcDecrypt({ engine: keys.engine, key, iv, bytes });
  } catch (thrown) {
    if (isFailure(thrown, 'DECRYPT_FAILED')) throw wrongPassphrase();
    throw thrown;
  }
}

/** The error where what came out is no key: CBC has no integrity, so the reason stays open. */
export function wrongPassphrase(): SecureevError {
  return failure('PASSPHRASE_WRONG', 'wrong passphrase, or the key file is damaged');
}

async function derive(keys: PassphraseKeys, kdf: DerNode | undefined): Promise<Uint8Array> {
  const [oid, parameters] = sequence(kdf, 2);
  const id = toHex(encodeDer(derSequenceOf(...sequence(kdf, 2))));
  const known = keys.derived.get(id);
  if (known !== undefined) return await known;
  const key = start(derOid(oid, WHAT), parameters, keys);
  keys.derived.set(id, key);
  return await key;
}

function start(kdf: string, parameters: DerNode | undefined, keys: PassphraseKeys): Promise<Uint8Array> {
  if (kdf === SCRYPT) return startScrypt(parameters, keys);
  if (kdf === PBKDF2) return startPbkdf2(parameters, keys);
  throw unknown('its key derivation is neither scrypt nor PBKDF2');
}

/** @see RFC 7914 section 7.1 */
function startScrypt(node: DerNode | undefined, { engine, passphrase }: PassphraseKeys): Promise<Uint8Array> {
  const [saltNode, ...numbers] = derSequence(node, { min: 4, max: 5, what: WHAT });
  const [n = 0, r = 0, p = 0, length = KEY_BYTES] = numbers.map((number) => derSmallInteger(number, WHAT));
  const salt = boundedSalt(saltNode);
  demandKeyLength(length);
  const powerOfTwo = n >= 2 && Number.isInteger(Math.log2(n));
  if (
    !powerOfTwo ||
    r < 1 ||
    p < 1 ||
    p > SCRYPT_PARALLEL_MAX ||
    128 * n * r > SCRYPT_MEMORY_MAX ||
    n * r * p > SCRYPT_WORK_MAX
  ) {
    throw tooCostly(`scrypt with N=${n} r=${r} p=${p}`);
  }
  return scrypt({ engine, password: passphrase, salt, n, r, p, length });
}

/** @see RFC 8018 section A.2 */
function startPbkdf2(node: DerNode | undefined, { engine, passphrase }: PassphraseKeys): Promise<Uint8Array> {
  const [saltNode, iterationsNode, ...rest] = derSequence(node, { min: 2, max: 4, what: WHAT });
  const salt = boundedSalt(saltNode);
  const iterations = derSmallInteger(iterationsNode, WHAT);
  const lengthNode = rest[0] instanceof asn1js.Integer ? rest.shift() : undefined;
  demandKeyLength(lengthNode === undefined ? KEY_BYTES : derSmallInteger(lengthNode, WHAT));
  if (rest.length > 1) throw failure('KEY_MALFORMED', `malformed ${WHAT}: more PBKDF2 parameters than there are`);
  const hash = rest[0] === undefined ? 'sha1' : hashOf(rest[0]);
  if (iterations < 1 || iterations > PBKDF2_ITERATIONS_MAX) throw tooCostly(`PBKDF2 with ${iterations} iterations`);
  return pbkdf2({ engine, hash, password: passphrase, salt, iterations, length: KEY_BYTES });
}

function hashOf(node: DerNode): Pbkdf2Hash {
  const [oid, nothing] = sequence(node, 2);
  const hash = HMAC_HASHES.get(derOid(oid, WHAT));
  if (hash === undefined || !(nothing instanceof asn1js.Null)) throw unknown('its PBKDF2 uses an unknown hash');
  return hash;
}

function boundedSalt(node: DerNode | undefined): Uint8Array {
  const salt = derOctets(node, WHAT);
  if (salt.length <= SALT_BYTES_MAX) return salt;
  throw failure(
    'KEY_MALFORMED',
    `malformed ${WHAT}: a salt of ${salt.length} bytes, at most ${SALT_BYTES_MAX} are read`,
  );
}

function demandKeyLength(length: number): void {
  if (length !== KEY_BYTES) throw failure('KEY_MALFORMED', `malformed ${WHAT}: a key of ${length} bytes for AES-256`);
}

function sequence(node: DerNode | undefined, count: number): DerNode[] {
  return derSequence(node, { min: count, max: count, what: WHAT });
}

function unknown(reason: string): SecureevError {
  return new SecureevError('KEY_ENCRYPTION_UNKNOWN', {
    message: `the ${WHAT} cannot be read: ${reason}`,
    hint: 'write it anew with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW',
  });
}

function tooCostly(found: string): SecureevError {
  return failure('KEY_COST_REFUSED', `the ${WHAT} asks for too costly a key derivation: ${found}`);
}
