/** Makes a key pair: `NAME.key`, encrypted and for its owner's eyes, and `NAME.pub`. */
import { quote } from '../../core/brands.ts';
import { utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import { publicHalf } from '../../formats/keys/key-file.ts';
import { parseHolder } from '../../formats/keys/key-text.ts';
import { encodePublicFile } from '../../formats/keys/public-file.ts';
import { newPassphrase } from '../../signers/passphrase.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget, keyFileBytes, newIdentity } from './new-keys.ts';
import { chosenScheme } from './schemes.ts';

/** What to make. */
export interface KeygenInput {
  /** The files' name without its ending. */
  readonly name: string;
  readonly scheme?: string | undefined;
  readonly purpose?: KeyPurpose | undefined;
  readonly holder?: string | undefined;
  /** The folder, made where missing. */
  readonly folder: string;
  readonly passphrases: PassphraseChoice;
}

/** What was made. */
export interface KeygenAnswer extends IdentityFacts {
  readonly scheme: string;
  readonly keyFile: string;
  readonly publicFile: string;
}

/** A `+` would join two signers where the file is missing. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const PRIVATE_MODE = 0o600;

/** Makes a key pair. @throws USAGE, FILE_EXISTS before anything is asked or made, PASSPHRASE_*, ENGINE_DISAGREES */
export async function generateKey(input: KeygenInput, io: Io): Promise<KeygenAnswer> {
  const scheme = chosenScheme(input.scheme, input.purpose);
  const holder = input.holder === undefined ? undefined : parseHolder(input.holder);
  const { keyFile, publicFile } = await freeNames(input, io);
  const passphrase = await newPassphrase(io, input.passphrases, keyFile);
  const identity = newIdentity(scheme, io, { holder, created: io.clock.now() });
  try {
    const bytes = await keyFileBytes(identity, passphrase, io);
    const half = publicHalf(identity);
    await writePair(io, { keyFile, bytes, publicFile, text: encodePublicFile(half) });
    return { scheme: scheme.id, keyFile, publicFile, ...identityFacts(half) };
  } finally {
    forget(identity);
  }
}

async function freeNames({ name, folder }: KeygenInput, io: Io): Promise<{ keyFile: string; publicFile: string }> {
  if (!NAME.test(name)) {
    throw failure(
      'USAGE',
      `not a name for key files: ${quote(name)}; letters, digits, dots, dashes, and --out for the folder`,
    );
  }
  const base = folder === '' || folder === '.' ? name : `${folder.replace(/\/+$/, '')}/${name}`;
  const names = { keyFile: `${base}.key`, publicFile: `${base}.pub` };
  for (const path of Object.values(names)) {
    if ((await io.files.status(path)) === undefined) continue;
    throw failure('FILE_EXISTS', `${path} is there already, and key files are never overwritten`, { path });
  }
  return names;
}

interface Pair {
  readonly keyFile: string;
  readonly bytes: Uint8Array;
  readonly publicFile: string;
  readonly text: string;
}

/** Both files or none: a key that nobody was shown is no loss. */
async function writePair({ files }: Io, { keyFile, bytes, publicFile, text }: Pair): Promise<void> {
  await files.write(keyFile, bytes, { mode: PRIVATE_MODE });
  try {
    await files.write(publicFile, utf8(text));
  } catch (thrown) {
    await files.remove(keyFile);
    throw thrown;
  }
}
