/**
 * The files of a kit as they lie in its folder, which an attacker may have written.
 *
 * Invariants: what is handed on is exactly what the index names; nothing of it is reached through a link.
 */
import { equalBytes } from '../../core/bytes.ts';
import { failure, SecureevError } from '../../core/errors.ts';
import type { Files } from '../../core/ports.ts';
import {
  decodeKitIndex,
  KIT_FILES_MAX,
  KIT_INDEX,
  KIT_INDEX_BYTES_MAX,
  KIT_MAP,
  kitMap,
} from '../../formats/kit/kit-index.ts';
import { MAP_BYTES_MAX } from '../../formats/provisioning/map-file.ts';
import type { KitIndex } from '../../formats/kit/kit-index.ts';

const DEPTH_MAX = 64;

/** Reads the index and looks at every file. @throws KIT_MALFORMED, KIT_LINK, KIT_FILE_MISSING, KIT_FILE_UNKNOWN */
export async function readKit(files: Files, folder: string): Promise<KitIndex> {
  const walk: Walk = { files, folder, real: await files.realPath(folder), found: new Set() };
  if ((await files.status(`${folder}/${KIT_INDEX}`)) === undefined) {
    throw failure('KIT_FILE_MISSING', `${folder} is no kit: there is no ${KIT_INDEX}`);
  }
  await look(walk, '', 0);
  const index = decodeKitIndex(await files.read(`${folder}/${KIT_INDEX}`, KIT_INDEX_BYTES_MAX));
  const named = new Set([...index.files, KIT_INDEX]);
  const unknown = [...walk.found].find((path) => !named.has(path));
  if (unknown !== undefined) throw unknownFile(unknown);
  const missing = index.files.filter((path) => !walk.found.has(path));
  const [first] = missing;
  if (first === undefined) {
    await requireMap(walk, index);
    return index;
  }
  throw failure('KIT_FILE_MISSING', `${missing.length} of ${index.files.length} files are missing, e.g. ${first}`, {
    missing: missing.slice(0, 100),
  });
}

/** Nobody signs the map: there is one that a kit may have. */
async function requireMap({ files, folder }: Walk, index: KitIndex): Promise<void> {
  const expected = kitMap(index.files.some((path) => path.startsWith('director/')));
  const isNamed = index.files.includes(KIT_MAP);
  if (isNamed && equalBytes(await files.read(`${folder}/${KIT_MAP}`, MAP_BYTES_MAX), expected)) return;
  throw failure('KIT_MALFORMED', `${KIT_MAP} is not the map of this kit`);
}

interface Walk {
  readonly files: Files;
  readonly folder: string;
  /** The folder's real path. */
  readonly real: string;
  readonly found: Set<string>;
}

async function look(walk: Walk, within: string, depth: number): Promise<void> {
  const { files, folder, found } = walk;
  for (const name of await files.list(`${folder}/${within}`)) {
    const path = `${within}${name}`;
    const status = await files.status(`${folder}/${path}`);
    await requireNoLink(walk, path, status !== undefined);
    if (status?.kind === 'folder' && depth < DEPTH_MAX) await look(walk, `${path}/`, depth + 1);
    else if (status?.kind === 'file' && found.size <= KIT_FILES_MAX) found.add(path);
    else throw unknownFile(path);
  }
}

/** What lies there is there itself; a link whose end is missing is none of what a kit has either. */
async function requireNoLink({ files, folder, real }: Walk, path: string, isThere: boolean): Promise<void> {
  const own = real.endsWith('/') ? `${real}${path}` : `${real}/${path}`;
  if (isThere && (await files.realPath(`${folder}/${path}`)) === own) return;
  throw new SecureevError('KIT_LINK', {
    message: `${JSON.stringify(path)} is a symbolic link, and no kit has one`,
    details: { path },
  });
}

function unknownFile(path: string): SecureevError {
  return new SecureevError('KIT_FILE_UNKNOWN', {
    message: `${JSON.stringify(path)} is not of the kit`,
    hint: 'remove it, or copy the kit anew',
    details: { path },
  });
}
