/**
 * A whole payload file: sealed from a clear file, or opened into one, in one pass.
 *
 * Invariant: the output is committed by the caller, after this returned; until then there is no file under its name.
 */
import { concatBytes } from '../../core/bytes.ts';
import type { InputFile, Io, OutputFile } from '../../core/ports.ts';
import { sealedChunkBytes, startOpening, startSealing } from '../../formats/sealed/chunks.ts';
import { CONTENT_KEY_BYTES, deriveFileKey } from '../../formats/sealed/content-key.ts';
import { PREFIX_BYTES, SALT_BYTES, encodeHeader, sealedBytes } from '../../formats/sealed/header.ts';
import type { PayloadHeader, PayloadPrefix } from '../../formats/sealed/header.ts';
import type { Suite } from '../../formats/sealed/suites.ts';
import { pump } from './sealed-pump.ts';

const NOTHING = new Uint8Array(0);

/** Size and SHA-256 (32 bytes) of a file. */
export interface HashedFile {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** What sealing a file gave. */
export interface SealedFile {
  readonly header: PayloadHeader;
  readonly headerBytes: Uint8Array;
  /** 32 bytes; belongs into envelopes and nowhere else. */
  readonly contentKey: Uint8Array;
  readonly clear: HashedFile;
  readonly sealed: HashedFile;
}

/** Seals `input` to `output` under a fresh content key. @throws SEALED_TOO_LARGE, FILE_CHANGED, DISK_FULL, INTERRUPTED */
export async function sealFile(
  io: Io,
  files: { readonly input: InputFile; readonly output: OutputFile },
  choice: { readonly suite: Suite; readonly chunkBytes: number; readonly signal?: AbortSignal },
): Promise<SealedFile> {
  const { engine, random } = io;
  const { input, output } = files;
  const { suite, chunkBytes, signal } = choice;
  const header = { suite, chunkBytes, plaintextBytes: input.sizeBytes };
  const headerBytes = encodeHeader(header);
  const contentKey = random.bytes(CONTENT_KEY_BYTES);
  const salt = random.bytes(SALT_BYTES);
  const { fileKey, commitment } = deriveFileKey(engine, contentKey, { headerBytes, salt });
  const sealer = startSealing({ engine, fileKey, header });
  const task = io.progress.start(`encrypting ${input.path}`, input.sizeBytes, 'bytes');
  const hashes = await pump(io, {
    input,
    output,
    head: { read: NOTHING, write: concatBytes(headerBytes, salt, commitment) },
    transformation: {
      readBytes: header.chunkBytes,
      writeBytes: sealedChunkBytes(header, 1),
      transform: (target, source) => sealer.seal(target, source),
    },
    task,
    signal,
  });
  sealer.finish();
  task.done();
  return {
    header,
    headerBytes,
    contentKey,
    clear: { sizeBytes: input.sizeBytes, sha256: hashes.read },
    sealed: { sizeBytes: sealedBytes(header), sha256: hashes.written },
  };
}

/**
 * Opens a payload, of which `prefix` is the beginning and whose size was checked, to `output`.
 *
 * @throws SEALED_CHUNK, SEALED_TRUNCATED, FILE_CHANGED, DISK_FULL, INTERRUPTED
 */
export async function openFile(
  io: Io,
  files: { readonly input: InputFile; readonly output: OutputFile },
  opened: {
    readonly prefix: PayloadPrefix;
    readonly prefixBytes: Uint8Array;
    readonly fileKey: Uint8Array;
    /** The hash of the payload where someone else makes it. */
    readonly sealedSha256?: Promise<Uint8Array>;
  },
): Promise<{ clear: HashedFile; sealed: HashedFile }> {
  const { input, output } = files;
  const { header } = opened.prefix;
  const opener = startOpening({ engine: io.engine, fileKey: opened.fileKey, header });
  const task = io.progress.start(`decrypting ${input.path}`, input.sizeBytes - PREFIX_BYTES, 'bytes');
  const hashes = await pump(io, {
    input,
    output,
    head: { read: opened.prefixBytes, write: NOTHING },
    transformation: {
      readBytes: sealedChunkBytes(header, 1),
      writeBytes: header.chunkBytes,
      transform: (target, source) => opener.open(target, source),
    },
    task,
    readSha256: opened.sealedSha256,
  });
  opener.finish();
  task.done();
  return {
    clear: { sizeBytes: header.plaintextBytes, sha256: hashes.written },
    sealed: { sizeBytes: input.sizeBytes, sha256: hashes.read },
  };
}
