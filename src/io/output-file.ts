/**
 * Files that appear under their final name only when they are complete.
 *
 * Invariants: the bytes are on the disk before the name is; an existing file is never half replaced; whatever happens
 * before `commit`, the folder is as it was.
 */
import { fileExists } from '../core/free-path.ts';
import {
  closeSync,
  constants,
  fsync,
  linkSync,
  lstatSync,
  openSync,
  promises,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quote } from '../core/brands.ts';
import { SecureevError } from '../core/errors.ts';
import type { CreateOptions, OutputFile } from '../core/ports.ts';
import { throwIfInterrupted } from './input-file.ts';
import { directFile } from './direct-file.ts';
import type { DirectFile } from './direct-file.ts';
import { makeFolder } from './make-folder.ts';
import { onFile, systemCode } from './system-errors.ts';
import type { TemporaryFiles } from './temporary-files.ts';

/** What writing needs beside the path. */
export interface Writing {
  /** The path as the user wrote it, for messages. */
  readonly shown: string;
  readonly signal: AbortSignal;
  readonly temporary: TemporaryFiles;
}

/** File systems without hard links answer with one of these; so does a link across two of them. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV', 'EMLINK']);

/** Starts an output file, its folder made where missing. @throws FILE_EXISTS, FILE_ACCESS, DISK_FULL */
export async function createOutput(path: string, writing: Writing, options: CreateOptions): Promise<OutputFile> {
  const { shown, signal, temporary } = writing;
  const overwrite = options.overwrite ?? false;
  await onFile('create', shown, async () => makePlace(path, writing, overwrite));
  const name = temporary.nameBeside(path);
  const handle = await onFile('create', shown, () => promises.open(name, 'wx', options.mode ?? 0o644));
  const { write, writeAt, flushing, direct } = writers(handle, writing);
  let open_ = true;
  const close = async (): Promise<void> => {
    await flushing.settled();
    await direct.close();
    if (open_) await handle.close();
    open_ = false;
  };
  return {
    path: shown,
    write,
    writeAt,
    async commit() {
      throwIfInterrupted(signal);
      await onFile('write', shown, () => flushing.finish());
      await close();
      await onFile('create', shown, async () => giveName(name, path, overwrite));
      temporary.forget(name);
      await onFile('create', shown, () => syncFolder(dirname(path)));
    },
    async [Symbol.asyncDispose]() {
      await close();
      await temporary.remove(name);
    },
  };
}

/**
 * Writes a file that is in memory as a whole. Only the disk is waited for: a round by the threads of the runtime for each
 * step takes longer than the steps. @throws FILE_EXISTS, FILE_ACCESS, DISK_FULL
 */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
  { shown, signal, temporary, mode = 0o644, overwrite = false }: Writing & CreateOptions,
): Promise<void> {
  await onFile('create', shown, async () => makePlace(path, { shown, temporary }, overwrite));
  const name = temporary.nameBeside(path);
  try {
    const descriptor = await onFile('create', shown, async () => openSync(name, 'wx', mode));
    try {
      await onFile('write', shown, () => writeAndFlush(descriptor, bytes));
    } finally {
      closeSync(descriptor);
    }
    throwIfInterrupted(signal);
    await onFile('create', shown, async () => giveName(name, path, overwrite));
    temporary.forget(name);
    await onFile('create', shown, () => syncFolder(dirname(path)));
  } finally {
    await temporary.remove(name);
  }
}

async function writeAndFlush(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
  await flushed(descriptor);
}

/** Resolves once the disk has what was written. */
function flushed(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** The ways into a file that is being made. */
function writers(
  handle: FileHandle,
  { shown, signal }: Writing,
): Pick<OutputFile, 'write' | 'writeAt'> & { readonly flushing: FlushBehind; readonly direct: DirectFile } {
  const writer = positionedWriter(handle, shown, signal);
  const direct = directFile(handle, 'write');
  const flushing = flushBehind(handle);
  return {
    async write(bytes) {
      const offset = writer.claim(bytes.length);
      throwIfInterrupted(signal);
      if (await onFile('write', shown, () => direct.write(offset, bytes))) return;
      await writer.writeAt(offset, bytes);
      flushing.wrote(bytes.length);
    },
    writeAt: writer.writeAt,
    flushing,
    direct,
  };
}

/** Gives `from` the second name `to`; copies where the file system has no links. @throws FILE_EXISTS, FILE_ACCESS, DISK_FULL */
export async function linkFile(from: string, to: string, writing: Writing): Promise<void> {
  await onFile('create', writing.shown, async () => makeFolder(dirname(to)));
  try {
    await promises.link(from, to);
  } catch (thrown) {
    if (!NO_LINKS.has(systemCode(thrown))) return onFile('create', writing.shown, () => Promise.reject(thrown));
    await onFile('create', writing.shown, () => copyWhole(from, to, writing.temporary));
  }
  await onFile('create', writing.shown, () => syncFolder(dirname(to)));
}

async function copyWhole(from: string, to: string, temporary: TemporaryFiles): Promise<void> {
  const name = temporary.nameBeside(to);
  try {
    await promises.copyFile(from, name, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const handle = await promises.open(name, 'r');
    await handle.sync().finally(() => handle.close());
    giveName(name, to, false);
    temporary.forget(name);
  } finally {
    await temporary.remove(name);
  }
}

/** Bytes after which what was written is sent to the disk, while the caller goes on. */
const FLUSH_BYTES = 32 * 1024 * 1024;

interface FlushBehind {
  wrote(bytes: number): void;
  /** Flushes everything; throws also what failed before. */
  finish(): Promise<void>;
  settled(): Promise<void>;
}

/** Flushes a large file on the way, so that `commit` has not to wait for all of it. */
function flushBehind(handle: FileHandle): FlushBehind {
  let unflushed = 0;
  let running: Promise<void> | undefined;
  let failed: { readonly thrown: unknown } | undefined;
  const flush = async (): Promise<void> => {
    try {
      await handle.datasync();
    } catch (thrown) {
      failed ??= { thrown };
    }
    running = undefined;
  };
  return {
    wrote(bytes) {
      unflushed += bytes;
      if (unflushed < FLUSH_BYTES || running !== undefined) return;
      unflushed = 0;
      running = flush();
    },
    async finish() {
      await running;
      // An error that a flush on the way was told is not told again by the last one.
      if (failed !== undefined) throw failed.thrown;
      await handle.sync();
    },
    async settled() {
      await running;
    },
  };
}

interface PositionedWriter {
  /** Where the next `length` bytes belong. */
  claim(length: number): number;
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
}

/** Positions are taken when a write is asked for, so that several may be under way at once. */
function positionedWriter(handle: FileHandle, shown: string, signal: AbortSignal): PositionedWriter {
  let end = 0;
  const writeAt = async (offset: number, bytes: Uint8Array): Promise<void> => {
    throwIfInterrupted(signal);
    await onFile('write', shown, () => writeWhole(handle, offset, bytes));
  };
  const claim = (length: number): number => {
    const offset = end;
    end += length;
    return offset;
  };
  return {
    claim,
    writeAt,
  };
}

/** Writes all of `bytes` at `offset`. */
export async function writeWhole(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, offset + written);
    written += bytesWritten;
  }
}

/** `rename` would replace a file that someone made meanwhile; `link` does not. */
function giveName(name: string, path: string, overwrite: boolean): void {
  if (overwrite) return renameSync(name, path);
  try {
    linkSync(name, path);
  } catch (thrown) {
    if (!NO_LINKS.has(systemCode(thrown))) throw thrown;
    closeSync(openSync(path, 'wx'));
    renameSync(name, path);
    return;
  }
  // Two names until here: a crash in between leaves the complete file and a spare name, never a half file.
  orUndefined(() => unlinkSync(name));
}

async function syncFolder(folder: string): Promise<void> {
  const descriptor = orUndefined(() => openSync(folder, 'r'));
  if (descriptor === undefined) return;
  // Some systems cannot open or flush a folder; the file itself is flushed in any case.
  await flushed(descriptor).catch(() => undefined);
  closeSync(descriptor);
}

/** Makes the folder of a file, and refuses where the file may not come. */
function makePlace(path: string, { shown, temporary }: Omit<Writing, 'signal'>, overwrite: boolean): void {
  temporary.makeFolder(dirname(path));
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || (overwrite && (found.isFile() || found.isSymbolicLink()))) return;
  if (!overwrite) throw fileExists(shown);
  throw new SecureevError('FILE_ACCESS', { message: `not a regular file: ${quote(shown)}`, details: { path: shown } });
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
