/** `file:NAME.key` and plain paths: keys that this process holds while it signs. */
import { failure } from '../core/errors.ts';
import type { Io } from '../core/ports.ts';
import { signChecked } from '../crypto/sign.ts';
import { signatureAlgorithm } from '../crypto/signatures/index.ts';
import type { PrivateKey } from '../formats/keys/pkcs8.ts';
import { openPrivateFile } from './private-file.ts';
import type { Signer, SignerKey, SignerSetting } from './signer.ts';

const RANDOMNESS_BYTES = 32;

/**
 * Opens a key file to sign with.
 * @throws FILE_NOT_FOUND, KEY_FILE_MODE, KEY_FILE_MALFORMED, PASSPHRASE_*, KEY_UNSUITABLE for an encryption key
 */
export async function openFile(text: string, setting: SignerSetting): Promise<Signer> {
  const { path, identity } = await openPrivateFile(text, setting);
  const forget = (): void => {
    for (const { secret } of identity.keys) secret.fill(0);
  };
  if (identity.purpose !== 'signing') {
    forget();
    throw failure('KEY_UNSUITABLE', `${path} is an encryption key and cannot sign`);
  }
  let open = true;
  const isOpen = (): boolean => open;
  const holder = identity.holder === undefined ? '' : ` of ${identity.holder}`;
  return {
    uri: path,
    description: `key file ${path}${holder}`,
    keys: identity.keys.map((key) => signerKey(key, { io: setting.io, deterministic: setting.deterministic, isOpen })),
    [Symbol.dispose]: () => {
      open = false;
      forget();
    },
  };
}

interface Use {
  readonly io: Io;
  readonly deterministic: boolean | undefined;
  readonly isOpen: () => boolean;
}

function signerKey({ publicKey, secret }: PrivateKey, { io, deterministic, isOpen }: Use): SignerKey {
  const algorithm = signatureAlgorithm(publicKey.algorithm);
  const requireOpen = (): void => {
    if (!isOpen()) throw failure('INTERNAL', 'a signer was used after it was closed');
  };
  return {
    publicKey,
    lend: () => {
      requireOpen();
      return { algorithm: publicKey.algorithm, secret, publicKey: publicKey.bytes };
    },
    sign: async (message) => {
      requireOpen();
      const randomness = deterministic === true ? undefined : io.random.bytes(RANDOMNESS_BYTES);
      return signChecked({ algorithm, engine: io.engine, secret, publicKey: publicKey.bytes, message, randomness });
    },
  };
}
