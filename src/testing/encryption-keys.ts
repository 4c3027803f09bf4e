/** Encryption keys as files without passphrase, the same for the same name; never for anything but tests. */
import { createHash } from 'node:crypto';
import { kemAlgorithm } from '../crypto/kems/index.ts';
import type { KemId } from '../crypto/kems/index.ts';
import { encodeKeyText } from '../formats/keys/key-text.ts';
import { encodePem } from '../formats/keys/pem.ts';
import { privateFormOf } from '../formats/keys/private-form.ts';
import { encodePublicFile } from '../formats/keys/public-file.ts';
import { makePublicKey } from '../formats/keys/public-key.ts';

/** A key pair as files. */
export interface EncryptionKeyFiles {
  readonly keyId: string;
  /** `NAME.pub`. */
  readonly publicFile: string;
  /** `NAME.key`. */
  readonly keyFile: string;
}

/** Makes the encryption key of `name`. */
export function encryptionKey(name: string, kem: KemId = 'MLKEM768-X25519'): EncryptionKeyFiles {
  const algorithm = kemAlgorithm(kem);
  const seed = createHash('shake256', { outputLength: algorithm.seedBytes }).update(`${kem}:${name}`).digest();
  const { secret, publicKey: bytes } = algorithm.keygen('noble', new Uint8Array(seed));
  const publicKey = makePublicKey(kem, bytes);
  const { keyId } = publicKey;
  const form = privateFormOf(kem);
  const text = encodeKeyText({ keyId, algorithm: kem, purpose: 'encryption', holder: name });
  return {
    keyId,
    publicFile: encodePublicFile({ keys: [publicKey], purpose: 'encryption', holder: name }),
    keyFile: text + encodePem(form.label, form.encode({ publicKey, secret })),
  };
}
