/**
 * The file system on Node.
 *
 * Invariants: output appears whole or not at all (`output-file.ts`); nothing is read without a limit; a pipe or a device is
 * read only where the user named it as such (`-`, `/dev/...`), never because it lies where a file should.
 */
import { closeSync, constants, fstatSync, openSync, promises, readSync, realpathSync } from 'node:fs';
import type { Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { quote } from '../core/brands.ts';
import { concatBytes } from '../core/bytes.ts';
import { SecureevError, failure } from '../core/errors.ts';
import type { FileStatus, Files } from '../core/ports.ts';
import { openInput, readAt, throwIfInterrupted } from './input-file.ts';
import { makeFolder } from './make-folder.ts';
import { createOutput, linkFile, writeOutput } from './output-file.ts';
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
    write: async (path, bytes, choice = {}) => writeOutput(at(path), bytes, { ...writing(path), ...choice }),
    scratch: (folder) => createScratch(at(folder), writing(folder)),
    blockMemory: (sizeBytes) => new Uint8Array(sharedMemory(sizeBytes), 0, sizeBytes),
    link: (from, to) => linkFile(at(from), at(to), writing(to)),
    status: (path) => onFile('look at', path, () => statusOf(at(path))),
    list: (folder) => onFile('list', folder, () => namesIn(at(folder))),
    async makeFolder(path) {
      await onFile('create', path, async () => makeFolder(at(path)));
    },
    async remove(path) {
      await onFile('remove', path, () => removeFile(at(path)));
      temporary.takenBack(at(path));
    },
    removeFolder: (path) => onFile('remove', path, () => removeEmptyFolder(at(path))),
    realPath: (path) => onFile('find', path, async () => realpathSync.native(at(path))),
  };
}

async function readWhole(path: string, want: WholeRead): Promise<Uint8Array<ArrayBuffer>> {
  return onFile('read', want.shown, async () =>
    NAMED_BY_USER.test(path) ? readNamed(path, want) : readRegular(path, want),
  );
}

interface WholeRead {
  readonly shown: string;
  readonly maxBytes: number;
}

/** What is read at once: while it is, nothing else happens. */
const AT_ONCE_BYTES = 8 * 1024 * 1024;

/** Reads what lies in a folder; at once where it is short, for a round by the threads of the runtime takes longer. */
async function readRegular(path: string, { shown, maxBytes }: WholeRead): Promise<Uint8Array<ArrayBuffer>> {
  // Without O_NONBLOCK, opening a FIFO that someone laid there would wait for ever.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(descriptor);
    demandRegular(status, { shown, maxBytes });
    if (status.size <= AT_ONCE_BYTES) return readAtOnce(descriptor, status.size);
  } finally {
    closeSync(descriptor);
  }
  return await readLong(path, { shown, maxBytes });
}

/** Reads `length` bytes from the start; fewer only where the file has become shorter. */
function readAtOnce(descriptor: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, bytes, filled, length - filled, filled);
    if (count === 0) return bytes.slice(0, filled);
    filled += count;
  }
  return bytes;
}

/** Reads beside other work. */
async function readLong(path: string, want: WholeRead): Promise<Uint8Array<ArrayBuffer>> {
  await using handle = await promises.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const status = await handle.stat();
  demandRegular(status, want);
  return await readAt(handle, 0, status.size);
}

/** Reads what the user named below `/dev` or `/proc`, which may be a pipe that somebody is yet to write to. */
async function readNamed(path: string, want: WholeRead): Promise<Uint8Array<ArrayBuffer>> {
  await using handle = await promises.open(path, constants.O_RDONLY);
  const status = await handle.stat();
  demandReadable(status, want);
  if (status.isFile()) return await readAt(handle, 0, status.size);
  return await collect(pipeChunks(handle), want.shown, want.maxBytes);
}

function demandRegular(status: Stats, want: WholeRead): void {
  demandReadable(status, want);
  if (status.isFile()) return;
  throw failure('FILE_ACCESS', `not a regular file: ${quote(want.shown)}`, { path: want.shown });
}

function demandReadable(status: Stats, { shown, maxBytes }: WholeRead): void {
  if (status.isFile() && status.size > maxBytes) throw tooLarge(shown, maxBytes);
  if (status.isDirectory()) throw failure('FILE_ACCESS', `it is a folder: ${quote(shown)}`, { path: shown });
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
    const found = await promises.stat(path);
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    return { kind, sizeBytes: found.size, mode: found.mode & 0o7777 };
  } catch (thrown) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(thrown))) return undefined;
    throw thrown;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await promises.unlink(path);
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
  }
}

async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await promises.rmdir(path);
  } catch (thrown) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(thrown))) throw thrown;
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = await promises.readdir(folder);
    return names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}
