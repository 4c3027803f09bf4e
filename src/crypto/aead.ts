/**
 * AES-256-GCM with 12-byte nonces and 16-byte tags.
 *
 * Invariant: the caller never uses a nonce twice with one key; nothing is returned from a ciphertext whose tag is wrong.
 *
 * @see NIST SP 800-38D
 */
import * as nodeCrypto from 'node:crypto';
import { failure, type SecureevError } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { demandBytes, orThrow, plainBytes } from './key-bytes.ts';
import { noble } from './noble.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Bytes that a ciphertext is longer than its plaintext. */
export const GCM_TAG_BYTES = 16;
const NAME = 'aes-256-gcm';
const NOTHING = new Uint8Array(0);

/** AES-256-GCM under one key. Nonces are 12 bytes. */
export interface Aead {
  /** Ciphertext and tag, 16 bytes longer than the plaintext. @throws KEY_MALFORMED for a nonce of another length */
  seal(nonce: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The same, written to the start of `target`; gives the bytes written. Without allocation of its own where it can. */
  sealTo(target: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): number;
  /** The plaintext. @throws DECRYPT_FAILED, KEY_MALFORMED for a nonce of another length */
  open(nonce: Uint8Array, ciphertextAndTag: Uint8Array, aad?: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The same, written to the start of `target` once the tag is right; gives the bytes written. @throws as `open` */
  openTo(target: Uint8Array, nonce: Uint8Array, ciphertextAndTag: Uint8Array): number;
}

/** AES-256-GCM under `key`, 32 bytes. @throws KEY_MALFORMED */
export function aes256Gcm(engine: EngineName, key: Uint8Array): Aead {
  demandBytes(key, KEY_BYTES, { algorithm: NAME, part: 'key' });
  return engine === 'native' ? nativeGcm(nodeCrypto.createSecretKey(key)) : nobleGcm(key.slice());
}

/** One message to seal. */
interface Message {
  readonly nonce: Uint8Array;
  readonly plaintext: Uint8Array;
  readonly aad: Uint8Array;
}

function nativeGcm(key: nodeCrypto.KeyObject): Aead {
  function sealTo(target: Uint8Array, { nonce, plaintext, aad }: Message): void {
    const cipher = nodeCrypto.createCipheriv(NAME, key, nonce);
    if (aad.length > 0) cipher.setAAD(aad);
    moveTo(target, cipher.update(plaintext));
    cipher.final();
    target.set(cipher.getAuthTag(), plaintext.length);
  }

  function open(nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array<ArrayBuffer> {
    const end = sealed.length - GCM_TAG_BYTES;
    const decipher = nodeCrypto.createDecipheriv(NAME, key, nonce, { authTagLength: GCM_TAG_BYTES });
    if (aad.length > 0) decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = decipher.update(sealed.subarray(0, end));
    decipher.final();
    return plainBytes(plaintext);
  }

  return guarded(sealTo, open);
}

/**
 * Copies `bytes`, which are nobody else's, and frees their memory at once. Left to the collector, the output of a cipher
 * costs more time than the cipher: it counts against the heap, and each piece comes from cold memory.
 */
function moveTo(target: Uint8Array, bytes: Uint8Array): number {
  const { buffer, length } = bytes;
  target.set(bytes);
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
  return length;
}

function nobleGcm(key: Uint8Array): Aead {
  const { gcm } = noble();
  return guarded(
    (target, { nonce, plaintext, aad }) => {
      target.set(gcm(key, nonce, aad).encrypt(plaintext));
    },
    (nonce, sealed, aad) => gcm(key, nonce, aad).decrypt(sealed),
  );
}

/** The checks and buffers around an engine's `sealTo` and `open`, which may throw whatever they like. */
function guarded(
  sealTo: (target: Uint8Array, message: Message) => void,
  open: (nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array) => Uint8Array<ArrayBuffer>,
): Aead {
  return {
    seal: (nonce, plaintext, aad = NOTHING) => {
      demandNonce(nonce);
      const target = new Uint8Array(plaintext.length + GCM_TAG_BYTES);
      sealTo(target, { nonce, plaintext, aad });
      return target;
    },
    sealTo: (target, nonce, plaintext) => {
      demandNonce(nonce);
      sealTo(target, { nonce, plaintext, aad: NOTHING });
      return plaintext.length + GCM_TAG_BYTES;
    },
    open: (nonce, sealed, aad = NOTHING) => {
      demandNonce(nonce);
      if (sealed.length < GCM_TAG_BYTES) throw decryptFailed();
      return orThrow(() => open(nonce, sealed, aad), decryptFailed);
    },
    openTo: (target, nonce, sealed) => {
      demandNonce(nonce);
      if (sealed.length < GCM_TAG_BYTES) throw decryptFailed();
      return moveTo(
        target,
        orThrow(() => open(nonce, sealed, NOTHING), decryptFailed),
      );
    },
  };
}

function demandNonce(nonce: Uint8Array): void {
  demandBytes(nonce, NONCE_BYTES, { algorithm: NAME, part: 'nonce' });
}

function decryptFailed(): SecureevError {
  return failure('DECRYPT_FAILED', 'the AES-256-GCM ciphertext is not authentic under this key');
}
