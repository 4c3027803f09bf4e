/**
 * HPKE in base mode, single shot: any of our KEMs, HKDF-SHA256, AES-256-GCM.
 *
 * Invariant: each encapsulated secret seals exactly one message, so its base nonce is the only nonce.
 *
 * @see RFC 9180 section 5.1 and 6.1; draft-ietf-hpke-pq
 */
import { concatBytes, utf8 } from '../core/bytes.ts';
import type { EngineName } from '../core/ports.ts';
import { type Aead, aes256Gcm } from './aead.ts';
import type { KemAlgorithm } from './kems/algorithm.ts';
import { labeledExpand, labeledExtract, twoBytes } from './kems/labeled.ts';

const KDF_HKDF_SHA256 = 0x0001;
const AEAD_AES_256_GCM = 0x0002;
const MODE_BASE = 0x00;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const EMPTY = new Uint8Array(0);

/** What to seal, to whom. */
export interface HpkeSealRequest {
  readonly kem: KemAlgorithm;
  readonly engine: EngineName;
  /** The recipient's raw public key. */
  readonly recipient: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
  /** Fresh random bytes, `kem.randomnessBytes` of them. */
  readonly randomness: Uint8Array;
}

/** What to open. All but the secret may come from an attacker. */
export interface HpkeOpenRequest {
  readonly kem: KemAlgorithm;
  readonly engine: EngineName;
  /** The recipient's secret. */
  readonly secret: Uint8Array;
  readonly encapsulated: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** Seals one message; the ciphertext is 16 bytes longer. @throws KEY_MALFORMED */
export function hpkeSeal(request: HpkeSealRequest): { encapsulated: Uint8Array; ciphertext: Uint8Array } {
  const { kem, engine, recipient, info, aad, plaintext, randomness } = request;
  const { encapsulated, sharedSecret } = kem.encapsulate({ engine, publicKey: recipient, randomness });
  const { aead, nonce } = keySchedule({ kem, engine, sharedSecret, info });
  return { encapsulated, ciphertext: aead.seal(nonce, plaintext, aad) };
}

/** Opens one message. @throws DECRYPT_FAILED, KEY_MALFORMED for a secret that is none */
export function hpkeOpen(request: HpkeOpenRequest): Uint8Array {
  const { kem, engine, secret, encapsulated, info, aad, ciphertext } = request;
  const sharedSecret = kem.decapsulate({ engine, secret, encapsulated });
  const { aead, nonce } = keySchedule({ kem, engine, sharedSecret, info });
  return aead.open(nonce, ciphertext, aad);
}

function keySchedule(input: {
  readonly kem: KemAlgorithm;
  readonly engine: EngineName;
  readonly sharedSecret: Uint8Array;
  readonly info: Uint8Array;
}): { aead: Aead; nonce: Uint8Array } {
  const { kem, engine, sharedSecret, info } = input;
  const ids = concatBytes(twoBytes(kem.hpkeId), twoBytes(KDF_HKDF_SHA256), twoBytes(AEAD_AES_256_GCM));
  const scope = { engine, suiteId: concatBytes(utf8('HPKE'), ids) };
  const pskIdHash = labeledExtract(scope, 'psk_id_hash', { ikm: EMPTY });
  const infoHash = labeledExtract(scope, 'info_hash', { ikm: info });
  const context = concatBytes(Uint8Array.of(MODE_BASE), pskIdHash, infoHash);
  const prk = labeledExtract(scope, 'secret', { salt: sharedSecret, ikm: EMPTY });
  const key = labeledExpand(scope, 'key', { prk, info: context, length: KEY_BYTES });
  const nonce = labeledExpand(scope, 'base_nonce', { prk, info: context, length: NONCE_BYTES });
  return { aead: aes256Gcm(engine, key), nonce };
}
