/**
 * The file system on Node.
 *
 * Invariants: output appears whole or not at all (`output-file.ts`); nothing is read without a limit; a pipe or a device is
 * read only where the user named it as such (`-`, `/dev/...`), never because it lies where a file should.
 */
import { constants } from 'node:fs';
import { mkdir, open, readdir, realpath, rmdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { quote } from '../core/brands.ts';
import { concatBytes } from '../core/bytes.ts';
import { SecureevError, failure } from '../core/errors.ts';
import type { FileStatus, Files } from '../core/ports.ts';
import { openInput, readAt, throwIfInterrupted } from './input-file.ts';
import { createOutput, linkFile } from './output-file.ts';
import { createScratch } from './scratch-file.ts';
import { sharedMemory } from './shared-memory.ts';
import { onFile, systemCode } from './system-errors.ts';
import type { TemporaryFiles } from './temporary-files.ts';

/** What the file system is reached with. */
export interface FilesOptions {
  /** Where relative paths begin. */
  readonly workingFolder: string;
  /** Standard input, which `-` names. */
  readonly stdin: () => AsyncIterable<Uint8Array | string>;
  readonly signal: AbortSignal;
  readonly temporary: TemporaryFiles;
}

const PIPE_READ_BYTES = 1 << 16;
const NAMED_BY_USER = /^\/(?:dev|proc)\//;

/** The file system, relative paths taken from `workingFolder`. */
export function nodeFiles(options: FilesOptions): Files {
  const { signal, temporary } = options;
  const at = (path: string): string => resolve(options.workingFolder, path);
  const writing = (shown: string): { shown: string; signal: AbortSignal; temporary: TemporaryFiles } => {
    throwIfInterrupted(signal);
    return { shown, signal, temporary };
  };
  return {
    read: (path, maxBytes) =>
      path === '-' ? readStdin(options.stdin(), maxBytes) : readWhole(at(path), { shown: path, maxBytes }),
    open: (path) => openInput(at(path), { shown: path, signal }),
    create: (path, choice = {}) => createOutput(at(path), writing(path), choice),
    async write(path, bytes, choice = {}) {
      await using file = await createOutput(at(path), writing(path), choice);
      await file.write(bytes);
      await file.commit();
    },
    scratch: (folder) => createScratch(at(folder), writing(folder)),
    blockMemory: (sizeBytes) => new Uint8Array(sharedMemory(sizeBytes), 0, sizeBytes),
    link: (from, to) => linkFile(at(from), at(to), writing(to)),
    status: (path) => onFile('look at', path, () => statusOf(at(path))),
    list: (folder) => onFile('list', folder, () => namesIn(at(folder))),
    async makeFolder(path) {
      await onFile('create', path, () => mkdir(at(path), { recursive: true }));
    },
    remove: (path) => onFile('remove', path, () => removeFile(at(path))),
    removeFolder: (path) => onFile('remove', path, () => removeEmptyFolder(at(path))),
    realPath: (path) => onFile('find', path, () => realpath(at(path))),
  };
}

async function readWhole(path: string, want: { shown: string; maxBytes: number }): Promise<Uint8Array<ArrayBuffer>> {
  const { shown, maxBytes } = want;
  const pipes = NAMED_BY_USER.test(path);
  // Without O_NONBLOCK, opening a FIFO that someone laid in a folder would wait for ever.
  const flags = constants.O_RDONLY | (pipes ? 0 : constants.O_NONBLOCK);
  return onFile('read', shown, async () => {
    const handle = await open(path, flags);
    try {
      return await readHandle(handle, { shown, maxBytes, pipes });
    } finally {
      await handle.close();
    }
  });
}

interface WholeRead {
  shown: string;
  maxBytes: number;
  pipes: boolean;
}

async function readHandle(handle: FileHandle, want: WholeRead): Promise<Uint8Array<ArrayBuffer>> {
  const status = await handle.stat();
  if (status.isFile()) {
    if (status.size > want.maxBytes) throw tooLarge(want.shown, want.maxBytes);
    return readAt(handle, 0, status.size);
  }
  if (status.isDirectory()) throw failure('FILE_ACCESS', `it is a folder: ${quote(want.shown)}`, { path: want.shown });
  if (!want.pipes) throw failure('FILE_ACCESS', `not a regular file: ${quote(want.shown)}`, { path: want.shown });
  return collect(pipeChunks(handle), want.shown, want.maxBytes);
}

async function* pipeChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(PIPE_READ_BYTES), 0, PIPE_READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

function readStdin(stdin: AsyncIterable<Uint8Array | string>, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  return onFile('read', 'standard input', () => collect(stdin, 'standard input', maxBytes));
}

async function collect(
  chunks: AsyncIterable<Uint8Array | string>,
  shown: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > maxBytes) throw tooLarge(shown, maxBytes);
    parts.push(bytes);
  }
  return concatBytes(...parts);
}

function tooLarge(shown: string, maxBytes: number): SecureevError {
  return new SecureevError('FILE_TOO_LARGE', {
    message: `larger than the ${maxBytes} bytes that it may have: ${quote(shown)}`,
    details: { path: shown, maxBytes },
  });
}

async function statusOf(path: string): Promise<FileStatus | undefined> {
  try {
    const found = await stat(path);
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    return { kind, sizeBytes: found.size, mode: found.mode & 0o7777 };
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(thrown))) return undefined;
    throw thrown;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
}

async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (thrown) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(thrown))) throw thrown;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder);
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}
