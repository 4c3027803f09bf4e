/**
 * The ports through which everything touches the machine. `io/` implements them on Node, tests in memory.
 *
 * Invariant: no clock, randomness, environment, file, process or terminal is reached but through an {@link Io}.
 */
import type { Instant } from './brands.ts';
import type { Progress } from './report.ts';

/** Which implementation of the primitives is in use: `@noble/*`, or the runtime's own where it has one. */
export type EngineName = 'noble' | 'native';

/** The machine, as everything above `io/` sees it. */
export interface Io {
  /** Chosen once at start. */
  readonly engine: EngineName;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly terminal: Terminal;
  readonly environment: Environment;
  readonly processes: Processes;
  readonly zstd: Zstd;
  readonly hashing: Hashing;
  readonly workers: Workers;
  readonly http: Http;
  /** Where progress goes; a no-op with `--quiet`. */
  readonly progress: Progress;
  /** Raised by Ctrl-C: long work ends with INTERRUPTED at its next chunk. */
  readonly signal: AbortSignal;
}

/** The wall clock. */
export interface Clock {
  now(): Instant;
}

/** The machine's cryptographic random source. */
export interface Random {
  /** `count` fresh bytes, at most 65536. */
  bytes(count: number): Uint8Array<ArrayBuffer>;
}

/** What is known of a path. */
export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'other';
  readonly sizeBytes: number;
  /** POSIX permission bits, e.g. `0o600`. */
  readonly mode: number;
}

/** Which part of a file to stream, and how. */
export interface StreamRange {
  readonly from?: number;
  readonly length?: number;
  readonly chunkBytes?: number;
  readonly reuse?: boolean;
}

/** An open file to read from; positions are byte offsets. */
export interface InputFile extends AsyncDisposable {
  readonly path: string;
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; shorter only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Fills `target` from `offset` on and gives the bytes read; fewer than its length only at the end of the file. */
  readInto(offset: number, target: Uint8Array): Promise<number>;
  /**
   * From `from` (0) to the end (or for `length` bytes) in chunks of `chunkBytes` (1 MiB), the last one shorter; reads ahead.
   * With `reuse` a chunk is valid only until the next one is asked for, and nothing is allocated on the way.
   */
  stream(range?: StreamRange): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** A file that appears under its final name only by `commit`; disposing it before that leaves nothing behind. */
export interface OutputFile extends AsyncDisposable {
  readonly path: string;
  /** Appends `bytes`; resolves when they may be reused. @throws DISK_FULL, FILE_ACCESS */
  write(bytes: Uint8Array): Promise<void>;
  /** Overwrites bytes written before. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** Flushes, then renames to the final name. @throws FILE_EXISTS unless it was created with `overwrite` */
  commit(): Promise<void>;
}

/** Unnamed scratch space that vanishes when disposed. */
export interface ScratchFile extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  /** What was written, from the start; a chunk is valid until the next one is asked for. */
  stream(): AsyncIterable<Uint8Array>;
  /** The same for the last time: what has been read is given back, and the file is of no more use. */
  consume(): AsyncIterable<Uint8Array>;
}

/** How a file is made. */
export interface CreateOptions {
  /** POSIX permission bits; 0o644 by default. */
  readonly mode?: number;
  /** Replace an existing file (false by default: FILE_EXISTS, before anything is written). */
  readonly overwrite?: boolean;
}

/** The file system. Paths are the operating system's, relative ones from the working folder. */
export interface Files {
  /** The whole of a file of at most `maxBytes`. `-` is standard input. @throws FILE_NOT_FOUND, FILE_TOO_LARGE, FILE_ACCESS */
  read(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Opens a regular file. @throws FILE_NOT_FOUND, FILE_ACCESS */
  open(path: string): Promise<InputFile>;
  /** Starts an output file, its folder made where missing. @throws FILE_EXISTS, FILE_ACCESS */
  create(path: string, options?: CreateOptions): Promise<OutputFile>;
  /** Writes a small file whole, atomically. @throws FILE_EXISTS, FILE_ACCESS, DISK_FULL */
  write(path: string, bytes: Uint8Array, options?: CreateOptions): Promise<void>;
  /** Scratch space in `folder`, which is made where missing and goes again unless a file comes into it. */
  scratch(folder: string): Promise<ScratchFile>;
  /** Zeroed memory of `sizeBytes` for long writing: the disk can take it as it is, where other memory is copied first. */
  blockMemory(sizeBytes: number): Uint8Array;
  /** Gives the file `from` the second name `to`, by hard link where the file system can and by copy where not. @throws FILE_EXISTS */
  link(from: string, to: string): Promise<void>;
  /** What `path` is; undefined where there is nothing. Follows symbolic links. */
  status(path: string): Promise<FileStatus | undefined>;
  /** The names in a folder, sorted by byte value; empty where there is no folder. */
  list(folder: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  /** Removes a file; no error where there is none. */
  remove(path: string): Promise<void>;
  /** Removes a folder if it is empty; no error where there is none, or something in it. */
  removeFolder(path: string): Promise<void>;
  /** The absolute path with symbolic links resolved, of something that exists. */
  realPath(path: string): Promise<string>;
}

/** The person at the terminal, if there is one. */
export interface Terminal {
  /** Whether a person can be asked: standard input and standard error are a terminal. */
  readonly interactive: boolean;
  /** Asks for a line without echo. @throws NO_TERMINAL, INTERRUPTED */
  askSecret(prompt: string): Promise<string>;
  /** Asks for a line. @throws NO_TERMINAL, INTERRUPTED */
  ask(prompt: string): Promise<string>;
}

/** Environment variables. */
export interface Environment {
  get(name: string): string | undefined;
  /** The user's name or id, for the audit log. */
  readonly actor: string;
  /** The CI job this runs in, e.g. its URL, or empty. */
  readonly job: string;
  /** What runs us, e.g. `{ node: '24.21.0', openssl: '3.5.1', platform: 'linux x64' }`. */
  readonly runtime: { readonly node: string; readonly openssl: string; readonly platform: string };
  /** The absolute path of the folder that this program was installed in: of `package.json`, `bin/`, `dist/`. */
  readonly programFolder: string;
  /** The names of the network interfaces that have an address, loopback aside. */
  networkInterfaces(): readonly string[];
}

/** A child process's request. */
export interface ProcessRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly stdin: Uint8Array;
  readonly timeoutMs: number;
  readonly maxOutputBytes: number;
}

/** Child processes; they get an environment without any secret of ours. */
export interface Processes {
  run(request: ProcessRequest): Promise<{ status: number; stdout: Uint8Array; stderr: Uint8Array }>;
}

/** How to compress: always at least one worker and a fixed job size, so that the output does not depend on their number. */
export interface CompressOptions {
  /** Zstandard level, 1 to 19. */
  readonly level: number;
  readonly workers: number;
  /** The exact size of what will be pushed; written into the frame. */
  readonly contentSizeBytes: number;
}

/** A stream transformer that works synchronously, chunk by chunk. What it yields is valid until the next call. */
export interface Codec extends Disposable {
  push(bytes: Uint8Array): Iterable<Uint8Array>;
  finish(): Iterable<Uint8Array>;
}

/** Zstandard. */
export interface Zstd {
  /** The library's version, e.g. `1.5.7`. */
  readonly libraryVersion: string;
  compress(options: CompressOptions): Codec;
  /** One frame, nothing after it; refuses windows over `windowBytesMax` and stops at `contentSizeBytes`. @throws ZSTD_* */
  decompress(limits: { windowBytesMax: number; contentSizeBytes: number }): Codec;
}

/** What a server answered with: the body comes as it arrives. */
export interface HttpBody extends AsyncDisposable {
  /** The length the server claims, where it claims one; not believed for anything but refusing early. */
  readonly claimedBytes: number | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Reading from a web server. */
export interface Http {
  /**
   * GETs `url` (http or https, no credentials in it); undefined where the server answers 403, 404 or 410.
   * @throws HTTP_FAILED, HTTP_SLOW (less than the minimum rate), HTTP_ENDLESS (more than `maxBytes`), INTERRUPTED
   */
  get(url: string, maxBytes: number): Promise<HttpBody | undefined>;
}

/** A SHA-256 that may run beside this thread, over a ring of memory blocks that both see. */
export interface SharedHash extends Disposable {
  /** The next block to fill, once the hash is through with what it held before. */
  block(): Promise<Uint8Array>;
  /** Hands over the first `length` bytes of that block; read them, but do not write them, until `block` gives them again. */
  push(length: number): void;
  /** The SHA-256 of everything handed over; called once, at the end. */
  digest(): Promise<Uint8Array>;
}

/** Hashing on the side, for files of many megabytes. */
export interface Hashing {
  /** Starts threads that the next hashes will want, where `expectedBytes` are many; returns at once. */
  prepare(wanted: { threads: number; expectedBytes: number }): void;
  /** Starts a SHA-256 with a ring of `blocks` blocks of `blockBytes`; on this thread where `expectedBytes` are few. */
  sha256(options: { blockBytes: number; blocks: number; expectedBytes: number }): SharedHash;
}

/** A private key that threads of this process may hold while they sign in bulk. */
export interface BulkKey {
  /** A signature algorithm's id. */
  readonly algorithm: string;
  /** Copied when a pool is made. */
  readonly secret: Uint8Array;
  /** Raw; every signature is verified under it. */
  readonly publicKey: Uint8Array;
}

/** Keys that are ready on one or more threads. Disposing it wipes them and ends its threads. */
export interface SigningPool extends AsyncDisposable {
  readonly threads: number;
  /**
   * The raw signatures of a lot of `messages` by key number `key`, in order, each verified.
   * @throws ENGINE_DISAGREES, KEY_MALFORMED
   */
  sign(key: number, messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** How many signatures were verified by both engines so far: the first of each key and thread, and one in a fixed number. */
  crossChecked(): number;
}

/** Threads for bulk work. */
export interface Workers {
  /** A pool that signs with `keys`, on all cores where about `expected` signatures are many. @throws KEY_MALFORMED */
  signing(keys: readonly BulkKey[], expected: number): Promise<SigningPool>;
  /** Does nothing for a moment, so that another process gets what this one holds most of the time. */
  rest(milliseconds: number): Promise<void>;
}
