/**
 * AES-256-CBC with PKCS#7 padding, for PBES2 key files only: it has no integrity of its own.
 *
 * @see NIST SP 800-38A; RFC 8018 section 6.2
 */
import * as nodeCrypto from 'node:crypto';
import { concatBytes } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { EngineName } from '../core/ports.ts';
import { demandBytes, orThrow } from './key-bytes.ts';
import { noble } from './noble.ts';

const KEY_BYTES = 32;
const BLOCK_BYTES = 16;

/** A key, a start value, and the bytes to work on. */
export interface CbcRequest {
  readonly engine: EngineName;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** 16 bytes. */
  readonly iv: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Encrypts and pads to the next multiple of 16 bytes. @throws KEY_MALFORMED */
export function aes256CbcEncrypt(request: CbcRequest): Uint8Array<ArrayBuffer> {
  demandLengths(request);
  const { engine, key, iv, bytes } = request;
  if (engine === 'noble') return noble().cbc(key, iv).encrypt(bytes);
  const cipher = nodeCrypto.createCipheriv('aes-256-cbc', key, iv);
  return concatBytes(cipher.update(bytes), cipher.final());
}

/** Decrypts and unpads. @throws DECRYPT_FAILED where length or padding is wrong, KEY_MALFORMED */
export function aes256CbcDecrypt(request: CbcRequest): Uint8Array<ArrayBuffer> {
  demandLengths(request);
  const { engine, key, iv, bytes } = request;
  const failed = () => failure('DECRYPT_FAILED', 'the AES-256-CBC ciphertext does not decrypt with this key');
  if (bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) throw failed();
  return orThrow(() => {
    if (engine === 'noble') return new Uint8Array(noble().cbc(key, iv).decrypt(bytes));
    const decipher = nodeCrypto.createDecipheriv('aes-256-cbc', key, iv);
    return concatBytes(decipher.update(bytes), decipher.final());
  }, failed);
}

function demandLengths({ key, iv }: CbcRequest): void {
  demandBytes(key, KEY_BYTES, { algorithm: 'aes-256-cbc', part: 'key' });
  demandBytes(iv, BLOCK_BYTES, { algorithm: 'aes-256-cbc', part: 'initialization vector' });
}
