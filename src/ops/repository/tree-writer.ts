/**
 * Brings a static tree to what it should be: writes what is not there yet, in the order given.
 *
 * Invariants: what is there is compared by length and content; each file appears by temporary file and rename; nothing is
 * taken away; a numbered file of another content is never replaced, since clients may have it already.
 */
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { failure, isFailure, SecureevError } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { objectPath } from '../../store/objects.ts';
import type { Reader } from '../../store/reader.ts';
import { copyVerified, hashFile } from './copy-verified.ts';
import type { PublishedFile, PublishedTarget } from './publication.ts';
import { publishedBytes, refuseConflict } from './published-tree.ts';
import { guardTree } from './tree-links.ts';
import type { TreeGuard } from './tree-links.ts';

/** A file whose bytes are at hand and that is no metadata. */
export interface PlainFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A file of a tree: metadata, other bytes at hand, or the copy of an object. */
export type TreeFile = PublishedFile | PlainFile | PublishedTarget;

/** Which of `files` are not in the tree yet, in the same order. @throws PUBLISH_OTHER, PUBLISH_NEWER, PUBLISH_CONFLICT, PUBLISH_LINK */
export async function changedFiles(io: Io, folder: string, files: readonly TreeFile[]): Promise<readonly TreeFile[]> {
  const guard = guardTree(io.files, folder);
  const changed: TreeFile[] = [];
  for (const file of files) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted while looking at what is there');
    if (!(await isThere(io, { folder, guard }, file))) changed.push(file);
  }
  return changed;
}

async function isThere(io: Io, tree: { folder: string; guard: TreeGuard }, file: TreeFile): Promise<boolean> {
  const path = `${tree.folder}/${file.path}`;
  if (!('bytes' in file)) {
    if (!(await tree.guard.hasOwnFile(file.path, file.sizeBytes))) return false;
    return equalBytes((await hashFile(io, path)).sha256, file.sha256);
  }
  await tree.guard.requireInside(file.path);
  const there = await publishedBytes(io, path);
  if (there === undefined) return false;
  if (equalBytes(there, file.bytes)) return await tree.guard.hasOwnFile(file.path, file.bytes.length);
  if ('role' in file) refuseConflict(path, there, file);
  return false;
}

/** What to write where. */
export interface TreeWriting {
  readonly folder: string;
  readonly writes: readonly TreeFile[];
  /** Gets the paths that are to be uploaded, one a line, in upload order. */
  readonly uploadList: string | undefined;
}

/** Writes `writes` in their order. @throws INTERRUPTED, OBJECT_MISSING, OBJECT_DAMAGED, PUBLISH_LINK, DISK_FULL, FILE_ACCESS */
export async function writeTree(reader: Reader, { folder, writes, uploadList }: TreeWriting): Promise<void> {
  const { io } = reader;
  const guard = guardTree(io.files, folder);
  const list = uploadList === undefined ? undefined : await startUploadList(io, uploadList, pathsOf(writes));
  const task = io.progress.start(`writing to ${folder}`, writes.length, 'items');
  for (const file of writes) {
    if (io.signal.aborted) throw failure('INTERRUPTED', 'interrupted; the tree holds a whole state');
    await guard.requireInside(file.path);
    await writeOne(reader, folder, file);
    task.advance(1);
  }
  task.done();
  await list?.finish();
}

async function writeOne(reader: Reader, folder: string, file: TreeFile): Promise<void> {
  const { io } = reader;
  const to = `${folder}/${file.path}`;
  if ('bytes' in file) {
    if ('role' in file && !isNumbered(file)) await refuseOvertaken(io, to, file);
    await io.files.write(to, file.bytes, { overwrite: true });
    return;
  }
  const from = objectPath(reader, file.sha256);
  if ((await io.files.status(from)) === undefined) throw objectMissing(file);
  await copyVerified(io, { from, to, sizeBytes: file.sizeBytes, sha256: file.sha256 });
}

function isNumbered({ path }: PublishedFile): boolean {
  return /\/[0-9]+\.[^/]*$/.test(path);
}

/** Another run may have published something newer since this one looked. @throws PUBLISH_NEWER, PUBLISH_CONFLICT */
async function refuseOvertaken(io: Io, path: string, file: PublishedFile): Promise<void> {
  const there = await publishedBytes(io, path);
  if (there !== undefined && !equalBytes(there, file.bytes)) refuseConflict(path, there, file);
}

function pathsOf(files: readonly TreeFile[]): readonly string[] {
  return files.map(({ path }) => path);
}

const LIST_BYTES_MAX = 1 << 30;

/** A list of what is to be uploaded, which is whole once it is finished. */
export interface UploadList {
  finish(): Promise<void>;
}

/**
 * The list is there before the first file is: a run that is killed leaves it as `FILE.unfinished`, and the next one begins
 * with what that one may have written, so that no file stays behind on the machine that publishes.
 */
export async function startUploadList(io: Io, path: string, own: readonly string[]): Promise<UploadList> {
  const unfinished = `${path}.unfinished`;
  const before = await linesOf(io, unfinished);
  const known = new Set(own);
  const lines = [...before.filter((line) => !known.has(line)), ...own];
  const bytes = utf8(lines.map((line) => `${line}\n`).join(''));
  await io.files.write(unfinished, bytes, { overwrite: true });
  return {
    async finish(): Promise<void> {
      await io.files.write(path, bytes, { overwrite: true });
      await io.files.remove(unfinished);
    },
  };
}

async function linesOf(io: Io, path: string): Promise<readonly string[]> {
  try {
    const text = new TextDecoder().decode(await io.files.read(path, LIST_BYTES_MAX));
    return text.split('\n').filter((line) => line !== '');
  } catch (thrown) {
    if (isFailure(thrown, 'FILE_NOT_FOUND')) return [];
    throw thrown;
  }
}

function objectMissing(target: PublishedTarget): SecureevError {
  return new SecureevError('OBJECT_MISSING', {
    message: `the bytes of ${target.name} are not in the repository's objects`,
    hint: 'add the file again with the command that staged it',
    details: { target: target.name },
  });
}
