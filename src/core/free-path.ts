/** Refuses a place that is taken before any work: writing would refuse it at the end. */
import { quote } from './brands.ts';
import { SecureevError } from './errors.ts';
import type { Files } from './ports.ts';

/** Demands that nothing is at `path`. @throws FILE_EXISTS */
export async function requireFreePath(files: Pick<Files, 'status'>, path: string): Promise<void> {
  if ((await files.status(path)) !== undefined) throw fileExists(path);
}

/** Something is at `path` that is not to be replaced. */
export function fileExists(path: string): SecureevError {
  return new SecureevError('FILE_EXISTS', {
    message: `file exists already: ${quote(path)}`,
    hint: 'choose another name or remove it first',
    details: { path },
  });
}
