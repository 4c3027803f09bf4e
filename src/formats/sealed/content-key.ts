/**
 * From the content key to the key of one payload file, and the commitment that ties the two together.
 *
 * Invariant: the commitment is checked before anything is decrypted, so one file opens under one content key only.
 *
 * @see FORMAT.md section 3
 */
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { SecureevError } from '../../core/errors.ts';
import type { EngineName } from '../../core/ports.ts';
import { hkdfSha256 } from '../../crypto/kdf.ts';
import { COMMITMENT_BYTES } from './header.ts';
import type { PayloadPrefix } from './header.ts';

/** Bytes of a content key (CEK): random, one per payload. */
export const CONTENT_KEY_BYTES = 32;
const FILE_KEY_BYTES = 32;
const LABEL = utf8('secureev/sev/1');

/** A file's AES-256 key and the commitment to it, 32 bytes each. */
export interface FileKey {
  readonly fileKey: Uint8Array;
  readonly commitment: Uint8Array;
}

/** Derives a file's key and commitment from its content key (32 bytes), salt (32) and header (24). */
export function deriveFileKey(
  engine: EngineName,
  contentKey: Uint8Array,
  file: { readonly headerBytes: Uint8Array; readonly salt: Uint8Array },
): FileKey {
  const derived = hkdfSha256({
    engine,
    ikm: contentKey,
    salt: file.salt,
    info: concatBytes(LABEL, file.headerBytes),
    length: FILE_KEY_BYTES + COMMITMENT_BYTES,
  });
  return { fileKey: derived.subarray(0, FILE_KEY_BYTES), commitment: derived.subarray(FILE_KEY_BYTES) };
}

/** The file's key, if the content key is the one the payload commits to. @throws SEALED_COMMITMENT */
export function openFileKey(engine: EngineName, contentKey: Uint8Array, prefix: PayloadPrefix): Uint8Array {
  const { fileKey, commitment } = deriveFileKey(engine, contentKey, prefix);
  if (equalBytes(commitment, prefix.commitment)) return fileKey;
  throw new SecureevError('SEALED_COMMITMENT', {
    message: 'the content key is not the one that the payload commits to: wrong envelope, or an altered payload header',
    details: { offset: 56 },
  });
}
