/** `key split`: pages with the shares of a key file, one file each, for printing. */
import { requireFreePath } from '../../core/free-path.ts';
import { formatInstant } from '../../core/brands.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import type { KeyPurpose } from '../../formats/keys/algorithms.ts';
import { publicHalf } from '../../formats/keys/key-file.ts';
import { sharePage } from '../../formats/shares/share-page.ts';
import type { PassphraseChoice } from '../../signers/index.ts';
import { settled } from '../../signers/passphrase.ts';
import { openPrivateFile } from '../../signers/private-file.ts';
import { identityFacts } from './key-facts.ts';
import type { IdentityFacts } from './key-facts.ts';
import { forget } from './new-keys.ts';
import { splitKeys } from './shares.ts';
import type { Splitting } from './shares.ts';

/** What to split. */
export interface KeySplitInput {
  readonly file: string;
  readonly purpose?: KeyPurpose | undefined;
  readonly splitting: Splitting;
  /** Where the pages go, made where missing. */
  readonly folder: string;
  readonly passphrases: PassphraseChoice;
}

/** What was written. */
export interface KeySplitAnswer extends IdentityFacts {
  readonly setId: string;
  readonly files: readonly string[];
}

const PRIVATE_MODE = 0o600;

/** Writes the pages, all or none. @throws USAGE, FILE_EXISTS, PASSPHRASE_*, KEY_FILE_*, KEY_UNSUITABLE */
export async function splitKeyFile(input: KeySplitInput, io: Io): Promise<KeySplitAnswer> {
  const { shares: count, threshold } = input.splitting;
  if (count < threshold) throw failure('USAGE', `a threshold of ${threshold} needs at least as many shares`);
  const name = baseName(input.file);
  const paths = pagePaths(input.folder, { name, count });
  for (const path of paths) await requireFreePath(io.files, path);
  const { passphrases } = settled({ io, passphrases: input.passphrases });
  const purpose = input.purpose === undefined ? {} : { purpose: input.purpose };
  const { identity } = await openPrivateFile(input.file, { io, passphrases, ...purpose });
  try {
    const facts = identityFacts(publicHalf(identity));
    const shares = await splitKeys(identity.keys, input.splitting, io);
    const date = formatInstant(io.clock.now()).slice(0, 10);
    await writePages(
      io,
      shares.map((share, i) => ({ path: paths[i] ?? '', text: sharePage(share, { name, keys: facts.keys, date }) })),
    );
    return { setId: toHex(shares[0]?.setId ?? new Uint8Array()), files: paths, ...facts };
  } finally {
    forget(identity);
  }
}

function baseName(path: string): string {
  const last =
    path
      .replace(/^file:/, '')
      .replace(/\?.*$/, '')
      .split('/')
      .at(-1) ?? '';
  return last.replace(/\.key$/, '');
}

function pagePaths(folder: string, { name, count }: { name: string; count: number }): readonly string[] {
  const base = folder === '' || folder === '.' ? name : `${folder.replace(/\/+$/, '')}/${name}`;
  return Array.from({ length: count }, (_, i) => `${base}-share-${i + 1}-of-${count}.txt`);
}

async function writePages({ files }: Io, pages: readonly { path: string; text: string }[]): Promise<void> {
  const written: string[] = [];
  try {
    for (const { path, text } of pages) {
      await files.write(path, utf8(text), { mode: PRIVATE_MODE });
      written.push(path);
    }
  } catch (thrown) {
    for (const path of written) await files.remove(path);
    throw thrown;
  }
}
