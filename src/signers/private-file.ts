/** Opens `NAME.key` files: who may read them, which passphrase, what is inside. */
import { atPath } from '../core/at-path.ts';
import { SecureevError } from '../core/errors.ts';
import { decodeKeyFile, openKeyFile, passphraseBytes } from '../formats/keys/key-file.ts';
import type { KeyFile, PrivateIdentity } from '../formats/keys/key-file.ts';
import type { KeyPurpose } from '../formats/keys/algorithms.ts';
import { PEM_BYTES_MAX } from '../formats/keys/pem.ts';
import { parseFileAddress } from './address.ts';
import { passphraseSource } from './passphrase.ts';
import type { SignerSetting } from './signer.ts';

/** Permission bits of group and others. */
const OTHERS = 0o077;

/** An opened key file. */
export interface OpenedKeyFile {
  readonly path: string;
  readonly identity: PrivateIdentity;
}

/** Reads a key file without opening it. @throws FILE_NOT_FOUND, PEM_MALFORMED, KEY_FILE_MALFORMED, KEY_FILE_MODE */
export async function readPrivateFile(path: string, { io }: Pick<SignerSetting, 'io'>): Promise<KeyFile> {
  const bytes = await io.files.read(path, PEM_BYTES_MAX);
  const file = await atPath(path, () => decodeKeyFile(bytes));
  const status = await io.files.status(path);
  if (status?.kind === 'file' && (status.mode & OTHERS) !== 0) throw readableByOthers(path, status.mode);
  return file;
}

/** Opens the key file of an address. @throws as {@link readPrivateFile} and `openKeyFile`, PASSPHRASE_* */
export async function openPrivateFile(
  text: string,
  setting: SignerSetting & { readonly purpose?: KeyPurpose },
): Promise<OpenedKeyFile> {
  const { path, passphraseFile } = parseFileAddress(text);
  const { io, purpose } = setting;
  const file = await readPrivateFile(path, setting);
  const source = passphraseFile === undefined ? setting.passphrases : passphraseSource(io, { file: passphraseFile });
  const passphrase = async (): Promise<Uint8Array> => passphraseBytes(await source.next(path));
  return { path, identity: await atPath(path, () => openKeyFile(file, { engine: io.engine, passphrase, purpose })) };
}

function readableByOthers(path: string, mode: number): SecureevError {
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return new SecureevError('KEY_FILE_MODE', {
    message: `${path}: a private key that others on this machine may read or change (mode ${octal})`,
    hint: `chmod 600 ${shellWord(path)}`,
    details: { path, mode: octal },
  });
}

/** A path as one word of a shell's command line. */
function shellWord(path: string): string {
  if (/^[A-Za-z0-9_./][A-Za-z0-9_./+@%=:,-]*$/.test(path)) return path;
  return `-- '${path.replaceAll("'", "'\\''")}'`;
}
