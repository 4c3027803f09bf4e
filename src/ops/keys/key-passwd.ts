/** Gives a key file a new passphrase: the same keys, encrypted anew, in place of the old file. */
import type { Io } from '../../core/ports.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import { publicHalf } from '../../formats/keys/key-file.ts';
import { passphraseSource, settled, typedTwice } from '../../signers/passphrase.ts';
import { openPrivateFile } from '../../signers/private-file.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget, keyFileBytes } from './new-keys.ts';

/** Which file, and where both passphrases come from. */
export interface KeyPasswdInput {
  readonly file: string;
  /** Of a file without text: what its key is for. */
  readonly purpose?: KeyPurpose | undefined;
  readonly passphrases: PassphraseChoice;
  /** Typed twice at the terminal where it says nothing. */
  readonly newPassphrases: PassphraseChoice;
}

const PRIVATE_MODE = 0o600;

/** Changes the passphrase. @throws PASSPHRASE_*, KEY_FILE_*, FILE_ACCESS */
export async function changePassphrase(
  input: KeyPasswdInput,
  io: Io,
): Promise<IdentityFacts & { readonly keyFile: string }> {
  const { passphrases } = settled({ io, passphrases: input.passphrases });
  const purpose = input.purpose === undefined ? {} : { purpose: input.purpose };
  const { path, identity } = await openPrivateFile(input.file, { io, passphrases, ...purpose });
  try {
    const bytes = await keyFileBytes(identity, await newOne(io, path, input.newPassphrases), io);
    await io.files.write(path, bytes, { mode: PRIVATE_MODE, overwrite: true });
    return { keyFile: path, ...identityFacts(publicHalf(identity)) };
  } finally {
    forget(identity);
  }
}

/** The environment's passphrase is the old one; a new one is never taken from there. */
async function newOne(io: Io, path: string, choice: PassphraseChoice): Promise<string> {
  if (choice.file === undefined && choice.fd === undefined)
    return await typedTwice(io, path, '--new-passphrase-file or --new-passphrase-fd');
  return await passphraseSource(io, choice, { environment: false }).next(path);
}
