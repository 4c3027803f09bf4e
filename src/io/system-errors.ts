/** What the operating system's errors mean in our words. */
import { quote } from '../core/brands.ts';
import { SecureevError, isFailure } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';

const CODES: ReadonlyMap<string, { code: ErrorCode; words: string; hint?: string }> = new Map([
  ['ENOENT', { code: 'FILE_NOT_FOUND', words: 'no such file' }],
  ['ENOTDIR', { code: 'FILE_NOT_FOUND', words: 'no such file: a part of the path is not a folder' }],
  ['EEXIST', { code: 'FILE_EXISTS', words: 'file exists already', hint: 'choose another name or remove it first' }],
  [
    'ENOSPC',
    { code: 'DISK_FULL', words: 'no space left on the device', hint: 'free some space; nothing was left behind' },
  ],
  ['EDQUOT', { code: 'DISK_FULL', words: 'disk quota exceeded', hint: 'free some space; nothing was left behind' }],
  ['EFBIG', { code: 'DISK_FULL', words: 'the file system takes no file of this size' }],
  ['EACCES', { code: 'FILE_ACCESS', words: 'permission denied' }],
  ['EPERM', { code: 'FILE_ACCESS', words: 'operation not permitted' }],
  ['EROFS', { code: 'FILE_ACCESS', words: 'the file system is read-only' }],
  ['EISDIR', { code: 'FILE_ACCESS', words: 'it is a folder' }],
  ['ELOOP', { code: 'FILE_ACCESS', words: 'too many symbolic links' }],
  ['ENAMETOOLONG', { code: 'FILE_ACCESS', words: 'the name is too long' }],
  ['EMFILE', { code: 'FILE_ACCESS', words: 'too many open files' }],
  ['EIO', { code: 'FILE_ACCESS', words: 'input/output error of the device' }],
]);

/** The system's name of an error, e.g. `ENOENT`; empty where it is not the system's. */
export function systemCode(thrown: unknown): string {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : '';
}

/** Turns what a system call on `path` threw into a coded error; `doing` says what was tried, e.g. `read`. */
export function fileFailure(thrown: unknown, doing: string, path: string): unknown {
  if (isFailure(thrown)) return thrown;
  const name = systemCode(thrown);
  if (name === '') return thrown;
  const known = CODES.get(name) ?? { code: 'FILE_ACCESS', words: `the system says ${name}` };
  return new SecureevError(known.code, {
    message: `cannot ${doing} ${quote(path)}: ${known.words}`,
    hint: known.hint,
    details: { path, system: name },
    cause: thrown,
  });
}

/** Runs a system call on `path` with its errors in our words. @throws FILE_NOT_FOUND, FILE_EXISTS, FILE_ACCESS, DISK_FULL */
export async function onFile<T>(doing: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw fileFailure(thrown, doing, path);
  }
}
