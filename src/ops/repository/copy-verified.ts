/** Copies a file and hashes what passes, so that the copy appears only when it is what was promised. */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { failure } from '../../core/errors.ts';
import type { Io } from '../../core/ports.ts';
import { startSha256 } from '../../crypto/hash.ts';

/** What to copy, where, and what it must be. */
export interface VerifiedCopy {
  readonly from: string;
  readonly to: string;
  readonly sizeBytes: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  /** File mode, 0644 by default. */
  readonly mode?: number;
}

/** Copies through 1 MiB chunks. @throws OBJECT_DAMAGED where size or hash differ, and then nothing is at `to` */
export async function copyVerified(io: Io, copy: VerifiedCopy): Promise<void> {
  await using input = await io.files.open(copy.from);
  if (input.sizeBytes !== copy.sizeBytes) throw damaged(copy);
  await using output = await io.files.create(copy.to, { overwrite: true, mode: copy.mode ?? 0o644 });
  const hash = startSha256(io.engine);
  for await (const chunk of input.stream({ reuse: true })) {
    hash.update(chunk);
    await output.write(chunk);
  }
  if (!equalBytes(hash.digest(), copy.sha256)) throw damaged(copy);
  await output.commit();
}

/** SHA-256 (32 bytes) and size of a file, read in chunks. */
export async function hashFile(io: Io, path: string): Promise<{ sizeBytes: number; sha256: Uint8Array }> {
  await using input = await io.files.open(path);
  const task = io.progress.start(`hashing ${path}`, input.sizeBytes, 'bytes');
  const hash = startSha256(io.engine);
  for await (const chunk of input.stream({ reuse: true })) {
    hash.update(chunk);
    task.advance(chunk.length);
  }
  task.done();
  return { sizeBytes: input.sizeBytes, sha256: hash.digest() };
}

function damaged(copy: VerifiedCopy): Error {
  const sha256 = toHex(copy.sha256);
  return failure('OBJECT_DAMAGED', `${copy.from} is no longer the file that was signed`, { sha256 });
}
