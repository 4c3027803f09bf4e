/** Errors about a file, when what found them had only its bytes. */
import { isFailure, SecureevError } from './errors.ts';

/** Does `work` on what came from the file at `path`: its errors name that file. */
export async function atPath<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw namingPath(path, thrown);
  }
}

/** The same items; errors on the way name the file at `path`. */
export async function* itemsAtPath<T>(path: string, items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (thrown) {
    throw namingPath(path, thrown);
  }
}

function namingPath(path: string, thrown: unknown): unknown {
  if (!isFailure(thrown) || thrown.code === 'INTERRUPTED' || thrown.message.includes(path)) return thrown;
  const { code, message, hint, details, cause } = thrown;
  return new SecureevError(code, { message: `${path}: ${message}`, hint, details: { ...details, path }, cause });
}
