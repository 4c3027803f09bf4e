/**
 * What `--key` says: a plain path, `scheme:...`, and two of them joined by `+`.
 *
 * A `+` inside a path is told from a join by looking: where a file of the whole name exists, that file is meant.
 */
import { quote } from '../core/brands.ts';
import { fromUtf8 } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { Files } from '../core/ports.ts';

/** One part of a signer's address. */
export interface PartAddress {
  /** E.g. `file`, `pkcs11`; of a plain path `file`. */
  readonly scheme: string;
  /** As given. */
  readonly text: string;
}

/** A key file's address. */
export interface FileAddress {
  readonly path: string;
  /** Where this key's passphrase is, if the address says so. */
  readonly passphraseFile: string | undefined;
}

const ADDRESS_CHARS_MAX = 4096;
/** A scheme has two letters at least, so that `C:\\keys` is a path. */
const SCHEME = /^([a-z][a-z0-9-]+):/;
const JOIN = '+';
const SIGNER_FILE = '.signer';

/** The parts of an address, one or two; `NAME.signer` files are replaced by what they say. @throws SIGNER_URI_MALFORMED */
export async function resolveAddress(text: string, files: Files): Promise<readonly PartAddress[]> {
  const resolved: PartAddress[] = [];
  for (const part of await splitAddress(text, files)) {
    const isSignerFile = part.scheme === 'file' && parseFileAddress(part.text).path.endsWith(SIGNER_FILE);
    if (isSignerFile) resolved.push(...(await readSignerFile(part.text, files)));
    else resolved.push(part);
  }
  if (resolved.length > 2) throw malformed(text, 'a hybrid signer is joined of two');
  return resolved;
}

async function splitAddress(text: string, files: Files): Promise<readonly PartAddress[]> {
  if (text === '' || text.length > ADDRESS_CHARS_MAX || text.includes('\0'))
    throw malformed(text, 'it names no signer');
  // The words of a command may hold a +, and stand to its end.
  const isOne = text.startsWith('exec:') || !text.includes(JOIN) || (await isFile(text, files));
  const parts = isOne ? [text] : text.split(JOIN);
  if (parts.includes('')) throw malformed(text, 'nothing stands on one side of the +');
  return parts.map((part) => ({ scheme: SCHEME.exec(part)?.[1] ?? 'file', text: part }));
}

async function isFile(text: string, files: Files): Promise<boolean> {
  return !SCHEME.test(text) && (await files.status(text))?.kind === 'file';
}

/** The one line of a `NAME.signer` file; relative paths in it begin at its folder. */
async function readSignerFile(text: string, files: Files): Promise<readonly PartAddress[]> {
  const { path } = parseFileAddress(text);
  const line = fromUtf8(await files.read(path, ADDRESS_CHARS_MAX), path).replace(/\r?\n$/, '');
  if (/[\r\n]/.test(line))
    throw failure('SIGNER_URI_MALFORMED', `${path} is not one line with the address of a signer`);
  const folder = /^(.*\/)?/.exec(path)?.[0] ?? '';
  const parts = await splitAddress(line, files);
  return parts.map((part) => (part.scheme === 'file' ? inFolder(folder, part.text) : part));
}

function inFolder(folder: string, text: string): PartAddress {
  const { path, passphraseFile } = parseFileAddress(text);
  if (path.endsWith(SIGNER_FILE)) throw malformed(text, 'a .signer file names no other one');
  const whole = (relative: string): string => (relative.startsWith('/') ? relative : folder + relative);
  const encoded = (plain: string): string => plain.split('/').map(encodeURIComponent).join('/');
  const query = passphraseFile === undefined ? '' : `?passphrase-file=${encoded(whole(passphraseFile))}`;
  return { scheme: 'file', text: `file:${encoded(whole(path))}${query}` };
}

/**
 * The path of a plain path or of `file:PATH?passphrase-file=FILE`; only the latter is percent-encoded.
 * @throws SIGNER_URI_MALFORMED
 */
export function parseFileAddress(text: string): FileAddress {
  if (!text.startsWith('file:')) return { path: text, passphraseFile: undefined };
  const [encoded = '', query, ...more] = text.slice('file:'.length).split('?');
  const path = decoded(text, encoded.replace(/^\/\/(?=\/)/, ''));
  if (path === '' || path.startsWith('//') || more.length > 0) throw malformed(text, 'it is not file:PATH');
  if (query === undefined) return { path, passphraseFile: undefined };
  const [name, value = '', ...rest] = query.split('=');
  if (name !== 'passphrase-file' || value === '' || rest.length > 0) {
    throw malformed(text, 'after the ? stands passphrase-file=FILE and nothing else');
  }
  return { path, passphraseFile: decoded(text, value) };
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw malformed(text, 'a % in it does not begin an encoded character');
  }
}

function malformed(text: string, reason: string): Error {
  // What follows the ? may be a passphrase that somebody put there.
  const shown = quote(text.replace(/\?[^]*/, '?...'));
  return failure('SIGNER_URI_MALFORMED', `malformed signer ${shown}: ${reason}`);
}
