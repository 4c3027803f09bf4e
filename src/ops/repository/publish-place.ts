/** Where a tree may be published: its whole folder is uploaded next, so nothing secret may lie there. */
import { quote } from '../../core/brands.ts';
import { SecureevError } from '../../core/errors.ts';
import type { Files } from '../../core/ports.ts';
import type { Reader } from '../../store/reader.ts';

/** Refuses to publish among a repository's own files, or beside private keys; a folder of its own below is no harm. @throws PUBLISH_PLACE, FILE_ACCESS */
export async function refusePlace({ io, folder: repository }: Reader, folder: string): Promise<void> {
  const names = await io.files.list(folder);
  if (names.includes('repo.db')) throw badPlace(folder, 'is a repository, whose database is not to be uploaded');
  const key = names.find((name) => name.endsWith('.key'));
  if (key !== undefined) throw badPlace(folder, `holds private keys, such as ${quote(key)}`);
  const place = await realPlace(io.files, folder);
  if (`${place}/`.startsWith(`${repository}/objects/`))
    throw badPlace(folder, "lies among the repository's own objects");
  if (`${repository}/`.startsWith(`${place.replace(/\/$/, '')}/`) && (await isThere(io.files, folder))) {
    throw badPlace(folder, 'holds the repository itself, whose database is not to be uploaded');
  }
}

async function isThere(files: Files, path: string): Promise<boolean> {
  return (await files.status(path)) !== undefined;
}

/** Where `path` is, links followed; of a folder that is yet to be made, the nearest there is above it. */
async function realPlace(files: Files, path: string): Promise<string> {
  if ((await files.status(path)) !== undefined) return await files.realPath(path);
  const cut = path.lastIndexOf('/');
  return await realPlace(files, cut === -1 ? '.' : path.slice(0, cut) || '/');
}

function badPlace(folder: string, why: string): SecureevError {
  return new SecureevError('PUBLISH_PLACE', {
    message: `${quote(folder)} ${why}`,
    hint: 'name a folder for this alone: all of it is uploaded',
    details: { folder },
  });
}
