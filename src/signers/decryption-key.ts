/** Opens the key that decrypts: `NAME.key` of an encryption key. */
import { SecureevError } from '../core/errors.ts';
import { isKemId } from '../crypto/kems/index.ts';
import { requireProductionKey } from '../formats/keys/rehearsal-keys.ts';
import { resolveAddress } from './address.ts';
import { settled } from './passphrase.ts';
import { openPrivateFile } from './private-file.ts';
import type { DecryptionKey, SignerOptions } from './signer.ts';

/**
 * Opens a decryption key.
 * @throws FILE_NOT_FOUND, KEY_FILE_MODE, KEY_FILE_MALFORMED, PASSPHRASE_*, KEY_UNSUITABLE for a signing key
 */
export async function openDecryptionKey(uri: string, options: SignerOptions): Promise<DecryptionKey> {
  const setting = settled(options);
  const [part, ...more] = await resolveAddress(uri, setting.io.files);
  if (part?.scheme !== 'file' || more.length > 0) throw unsuitable(`${uri} is not a key file, which decryption takes`);
  const { path, identity } = await openPrivateFile(part.text, { ...setting, purpose: 'encryption' });
  const [key] = identity.keys;
  if (key === undefined || !isKemId(key.publicKey.algorithm)) {
    for (const { secret } of identity.keys) secret.fill(0);
    throw unsuitable(`${path} is a signing key and cannot decrypt`);
  }
  const { publicKey, secret } = key;
  try {
    requireProductionKey(publicKey, setting.rehearsal === true);
  } catch (thrown) {
    secret.fill(0);
    throw thrown;
  }
  return { uri: path, publicKey, secret, [Symbol.dispose]: () => secret.fill(0) };
}

function unsuitable(message: string): SecureevError {
  return new SecureevError('KEY_UNSUITABLE', {
    message,
    hint: 'make an encryption key with: secureev keygen NAME --purpose encryption',
  });
}
