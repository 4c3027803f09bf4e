/** A file system in memory with the behaviour of `io/files.ts`; paths are normalised, folders are implied by files. */
import { posix } from 'node:path';
import { concatBytes, utf8 } from '../core/bytes.ts';
import { failure } from '../core/errors.ts';
import type { CreateOptions, Files, InputFile, OutputFile, ScratchFile } from '../core/ports.ts';

/** Files in memory, and a look at them from outside. */
export interface MemoryFiles extends Files {
  /** Every file by path; what was not committed is not here. */
  readonly stored: Map<string, { bytes: Uint8Array<ArrayBuffer>; mode: number }>;
}

const WORKING_FOLDER = '/work';

/** Makes a file system that holds `initial`; text is stored as UTF-8, relative paths begin in `/work`. */
export function memoryFiles(initial: Readonly<Record<string, string | Uint8Array>> = {}): MemoryFiles {
  const stored: MemoryFiles['stored'] = new Map();
  const folders = new Set<string>([WORKING_FOLDER, '/']);
  for (const [path, content] of Object.entries(initial)) {
    stored.set(at(path), { bytes: typeof content === 'string' ? utf8(content) : content.slice(), mode: 0o644 });
  }
  const isFolder = (path: string): boolean =>
    folders.has(path) || [...stored.keys()].some((name) => name.startsWith(`${path}/`));
  const found = (path: string): Uint8Array<ArrayBuffer> => {
    const file = stored.get(at(path));
    if (file !== undefined) return file.bytes;
    if (isFolder(at(path))) throw failure('FILE_ACCESS', `it is a folder: ${path}`, { path });
    throw failure('FILE_NOT_FOUND', `cannot open ${path}: no such file`, { path });
  };
  const files: MemoryFiles = {
    stored,
    async read(path, maxBytes) {
      const bytes = found(path);
      if (bytes.length > maxBytes) throw failure('FILE_TOO_LARGE', `larger than ${maxBytes} bytes: ${path}`, { path });
      return bytes.slice();
    },
    open: async (path) => inputFile(path, found(path)),
    create: async (path, options = {}) => outputFile(stored, path, options),
    async write(path, bytes, options) {
      await using file = await files.create(path, options);
      await file.write(bytes);
      await file.commit();
    },
    scratch: async () => scratchFile(),
    blockMemory: (sizeBytes) => new Uint8Array(sizeBytes),
    async link(from, to) {
      const file = { bytes: found(from), mode: stored.get(at(from))?.mode ?? 0o644 };
      refuseOccupied(stored, to);
      stored.set(at(to), file);
    },
    async status(path) {
      const file = stored.get(at(path));
      if (file !== undefined) return { kind: 'file', sizeBytes: file.bytes.length, mode: file.mode };
      return isFolder(at(path)) ? { kind: 'folder', sizeBytes: 0, mode: 0o755 } : undefined;
    },
    list: async (folder) => namesIn([...stored.keys(), ...folders], at(folder)),
    makeFolder: async (path) => void folders.add(at(path)),
    remove: async (path) => void stored.delete(at(path)),
    async removeFolder(path) {
      if (namesIn([...stored.keys(), ...folders], at(path)).length === 0) folders.delete(at(path));
    },
    async realPath(path) {
      if (!isFolder(at(path))) found(path);
      return at(path);
    },
  };
  return files;
}

function at(path: string): string {
  return posix.resolve(WORKING_FOLDER, path);
}

function refuseOccupied(stored: MemoryFiles['stored'], path: string): void {
  if (stored.has(at(path))) throw failure('FILE_EXISTS', `file exists already: ${path}`, { path });
}

function inputFile(path: string, bytes: Uint8Array<ArrayBuffer>): InputFile {
  return {
    path,
    sizeBytes: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    async readInto(offset, target) {
      const part = bytes.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
    stream: ({ from = 0, length = bytes.length, chunkBytes = 1 << 20 } = {}) =>
      chunked(bytes.subarray(from, from + length), chunkBytes),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function outputFile(stored: MemoryFiles['stored'], path: string, options: CreateOptions): OutputFile {
  if (options.overwrite !== true) refuseOccupied(stored, path);
  let content = new Uint8Array();
  return {
    path,
    async write(bytes) {
      content = concatBytes(content, bytes);
    },
    async writeAt(offset, bytes) {
      content.set(bytes, offset);
    },
    async commit() {
      if (options.overwrite !== true) refuseOccupied(stored, path);
      stored.set(at(path), { bytes: content, mode: options.mode ?? 0o644 });
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function scratchFile(): ScratchFile {
  let content = new Uint8Array();
  return {
    async write(bytes) {
      content = concatBytes(content, bytes);
    },
    stream: () => chunked(content, 1 << 20),
    consume: () => chunked(content, 1 << 20),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function* chunked(bytes: Uint8Array<ArrayBuffer>, chunkBytes: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) yield bytes.slice(offset, offset + chunkBytes);
}

function namesIn(paths: readonly string[], folder: string): readonly string[] {
  const prefix = folder === '/' ? '/' : `${folder}/`;
  const names = paths.filter((path) => path.startsWith(prefix) && path !== prefix);
  return [...new Set(names.map((path) => path.slice(prefix.length).split('/')[0] ?? ''))].sort();
}
