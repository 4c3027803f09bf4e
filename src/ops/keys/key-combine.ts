/** `key combine`: shares back to a key file under a new passphrase. */
import { requireFreePath } from '../../core/free-path.ts';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { SecureevError, failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { purposeOf } from '../../formats/keys/algorithms.ts';
import { publicHalf } from '../../formats/keys/key-file.ts';
import { parseHolder } from '../../formats/keys/key-text.ts';
import { encodePublicFile } from '../../formats/keys/public-file.ts';
import { decodeShareText } from '../../formats/shares/key-share.ts';
import type { KeyShare } from '../../formats/shares/key-share.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { newPassphrase } from '../../signers/passphrase.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget, keyFileBytes } from './new-keys.ts';
import { joinShares } from './shares.ts';

/** Which shares make which file. */
export interface KeyCombineInput {
  /** Files with one share each, as text or as the QR code's content. */
  readonly shares: readonly string[];
  /** The key file to write; undefined only checks that the shares restore a key. */
  readonly out: string | undefined;
  readonly holder?: string | undefined;
  readonly passphrases: PassphraseChoice;
}

/** What was restored. */
export interface KeyCombineAnswer extends IdentityFacts {
  readonly keyFile: string | undefined;
  readonly publicFile: string | undefined;
}

const SHARE_BYTES_MAX = 64 * 1024;
const PRIVATE_MODE = 0o600;

/** Restores the key. @throws SHARE_*, FILE_EXISTS, PASSPHRASE_* */
export async function combineShares(input: KeyCombineInput, io: Io): Promise<KeyCombineAnswer> {
  const holder = input.holder === undefined ? undefined : parseHolder(input.holder);
  const names = input.out === undefined ? undefined : await freeNames(input.out, io);
  const shares: KeyShare[] = [];
  for (const path of input.shares) shares.push(await readShare(path, io));
  const keys = await joinShares(shares, io.engine);
  const [first] = keys;
  if (first === undefined) throw failure('INTERNAL', 'shares joined to no key');
  const identity = { keys, purpose: purposeOf(first.publicKey.algorithm), holder, created: io.clock.now() };
  try {
    const half = publicHalf(identity);
    if (names === undefined) return { keyFile: undefined, publicFile: undefined, ...identityFacts(half) };
    const passphrase = await newPassphrase(io, input.passphrases, names.keyFile);
    await io.files.write(names.keyFile, await keyFileBytes(identity, passphrase, io), { mode: PRIVATE_MODE });
    await io.files.write(names.publicFile, utf8(encodePublicFile(half)));
    return { ...names, ...identityFacts(half) };
  } finally {
    forget(identity);
  }
}

async function freeNames(out: string, { files }: Io): Promise<{ keyFile: string; publicFile: string }> {
  const names = { keyFile: out, publicFile: `${out.replace(/\.key$/, '')}.pub` };
  for (const path of Object.values(names)) await requireFreePath(files, path);
  return names;
}

/** Says of which file an error is. */
async function readShare(path: string, { files }: Io): Promise<KeyShare> {
  const text = fromUtf8(await files.read(path, SHARE_BYTES_MAX), path);
  try {
    return decodeShareText(text);
  } catch (thrown) {
    if (!(thrown instanceof SecureevError)) throw thrown;
    const { code, message, details } = thrown;
    throw new SecureevError(code, { message: `${path}: ${message}`, details: { ...details, path } });
  }
}
