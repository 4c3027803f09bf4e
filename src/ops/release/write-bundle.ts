/** Writes a bundle in one pass over its stored images, hashing the whole on the way. */
import type { Io, OutputFile } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';
import type { CoseSignature } from '../../formats/cose/cose-sign.ts';
import type { SignedParts } from '../../formats/otap/v2.ts';
import { encodeHead, interleave } from '../../formats/otap/writer.ts';
import type { StoredPayload } from '../../formats/otap/writer.ts';
import { blockWriter } from './block-writer.ts';

/** What to write. */
export interface BundleContent {
  readonly parts: SignedParts;
  readonly signatures: readonly CoseSignature[];
  /** In the order of the manifest's images. */
  readonly payloads: readonly StoredPayload[];
}

/** Size and SHA-256 (32 bytes) of a written bundle. */
export interface WrittenBundle {
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

/** Writes into `output`, which is the caller's to commit. @throws DISK_FULL, FILE_ACCESS, INTERRUPTED */
export async function writeBundle(io: Io, output: OutputFile, content: BundleContent): Promise<WrittenBundle> {
  const total = content.payloads.reduce((sum, payload) => sum + payload.storedBytes, 0);
  return await writePieces(io, output, { total, pieces: piecesOf(content) });
}

async function* piecesOf({ parts, signatures, payloads }: BundleContent): AsyncGenerator<Uint8Array, void, void> {
  yield* encodeHead(parts, signatures);
  for (const payload of payloads) yield* interleave(payload);
}

/** The bytes of a bundle in order, each piece valid until the next; `total` says about how many there are. */
export interface BundlePieces {
  readonly total: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Writes pieces into `output`, which is the caller's to commit. @throws DISK_FULL, FILE_ACCESS, INTERRUPTED */
export async function writePieces(io: Io, output: OutputFile, { total, pieces }: BundlePieces): Promise<WrittenBundle> {
  const hash = startSha256(io.engine);
  const task = io.progress.start(`writing ${output.path}`, total, 'bytes');
  let sizeBytes = 0;
  const writer = blockWriter(io.files, {
    expectedBytes: total,
    write: (bytes) => output.write(bytes),
    onBlock: (bytes) => {
      hash.update(bytes);
      sizeBytes += bytes.length;
      task.advance(bytes.length);
    },
  });
  for await (const piece of pieces) await writer.push(piece);
  await writer.finish();
  task.done();
  return { sizeBytes, sha256: hash.digest() };
}
