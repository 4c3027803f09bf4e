/** The digest of the program itself, to compare with a printed one. */
import { concatBytes, toHex, utf8 } from '../../core/bytes.ts';
import type { Io } from '../../core/ports.ts';
import { sha256 } from '../../crypto/hash.ts';

const FILE_BYTES_MAX = 4 * 1024 * 1024;
const ROOTS = ['bin', 'dist', 'package.json'];
const DEPTH_MAX = 8;

/**
 * SHA-256, in hex, over a line `HEX  PATH` for each file of `bin/`, `dist/` and `package.json`, sorted by path: what
 * `sha256sum` prints of them in that order, hashed once more.
 */
export async function programDigest(io: Io): Promise<string> {
  const folder = io.environment.programFolder;
  const paths: string[] = [];
  for (const root of ROOTS) await collect(io, { folder, path: root, depth: 0 }, paths);
  const lines: Uint8Array[] = [];
  for (const path of paths.sort()) {
    const bytes = await io.files.read(`${folder}/${path}`, FILE_BYTES_MAX);
    lines.push(utf8(`${toHex(sha256(io.engine, bytes))}  ${path}\n`));
  }
  return toHex(sha256(io.engine, concatBytes(...lines)));
}

async function collect(io: Io, at: { folder: string; path: string; depth: number }, paths: string[]): Promise<void> {
  const { folder, path, depth } = at;
  const kind = (await io.files.status(`${folder}/${path}`))?.kind;
  if (kind === 'file') paths.push(path);
  if (kind !== 'folder' || depth > DEPTH_MAX) return;
  for (const name of await io.files.list(`${folder}/${path}`)) {
    await collect(io, { folder, path: `${path}/${name}`, depth: depth + 1 }, paths);
  }
}
